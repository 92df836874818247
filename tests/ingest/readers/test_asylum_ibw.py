import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import igor2.binarywave
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_tests import ReaderTests, check_measurement
from motif.ingest.readers.asylum.igor_wave import HEADER, read_wave
from motif.ingest.readers.asylum.reader import AsylumIbw
from motif.ingest.simulate.ibw_writer import write_ibw

LABELS = ("HeightRetrace", "AmplitudeRetrace", "DeflectionRetrace", "PhaseRetrace", "UserIn0Trace")
NOTE = [
    ("ScanSize", "2e-06"),
    ("ImagingMode", "PFM Mode"),
    ("NapMode", "Off"),
    ("SpringConstant", "0.46538"),
    ("TipVoltage", "NaN"),
    ("TipVoltage", "2.5"),
    ("Channel1DataType", "Phase"),
    ("MicroscopeModel", "Cypher"),
    ("Time", "5:18:38 PM"),
    ("Seconds", "3692884718.399"),
    ("UserIn0Unit", "V"),
    ("NapMode", "0"),
]


def write(path: Path, labels: tuple[str, ...] = LABELS, note: list[tuple[str, str]] = NOTE) -> None:
    plane = np.arange(16 * 24, dtype=np.float32).reshape(16, 24)
    planes = {label: plane + 1000 * i for i, label in enumerate(labels)}
    write_ibw(path, planes, size=(2e-6, 1e-6), note=note)


def mend(raw: bytes | bytearray, order: Literal["little", "big"] = "little") -> bytes:
    """Make the checksum hold again, as a hostile writer would."""
    changed = bytearray(raw)
    changed[2:4] = b"\0\0"
    words = np.frombuffer(
        bytes(changed[: HEADER.itemsize]), np.dtype("i2").newbyteorder(order)
    ).sum(dtype=np.int64)
    changed[2:4] = int(-words % 65536).to_bytes(2, order)
    return bytes(changed)


def patch(raw: bytes, **fields: object) -> bytes:
    """Overwrite header fields, with a correct checksum."""
    head = np.frombuffer(raw[: HEADER.itemsize], HEADER).copy()
    changed = bytearray(raw)
    for name, value in fields.items():
        head[name][0] = value
        offset = HEADER.fields[name][1]
        changed[offset : offset + head[name].nbytes] = head[name].tobytes()
    return mend(changed)


class TestAsylumIbw(ReaderTests):
    reader = AsylumIbw()
    suffix = ".ibw"

    def write_valid(self, path: Path) -> None:
        write(path)


def test_planes_have_their_names_units_and_positions(tmp_path: Path) -> None:
    write(tmp_path / "a.ibw")
    image = AsylumIbw()(tmp_path / "a.ibw").measurements[0].data
    assert image.dims == ("channel", "y", "x")
    assert image.dtype == np.float32
    assert list(image["channel"].values) == list(LABELS)
    assert list(image["unit"].values) == ["m", "m", "m", "deg", "V"]
    assert float(image.sel(channel="PhaseRetrace")[0, 1]) == 3001
    assert float(image.sel(channel="HeightRetrace")[1, 0]) == 24, "rows follow y"
    assert image["x"].values[[0, -1]] == pytest.approx([0, 2e-6])
    assert image["y"].values[[0, -1]] == pytest.approx([0, 1e-6])
    assert image["x"].values[1] == pytest.approx(2e-6 / 23), "pixel = size / (n - 1)"


def test_agrees_with_igor2(tmp_path: Path) -> None:
    write(tmp_path / "a.ibw")
    ours = read_wave(tmp_path / "a.ibw")
    theirs = igor2.binarywave.load(str(tmp_path / "a.ibw"))["wave"]
    np.testing.assert_array_equal(ours.data.T, theirs["wData"])
    assert ours.note.encode("latin-1") == theirs["note"]
    assert ours.scale[:2] == tuple(theirs["wave_header"]["sfA"][:2])
    assert theirs["labels"][2][4] == b"PhaseRetracerace", "stale bytes are written as Asylum does"
    assert ours.labels[2] == ("", *LABELS)


def test_header_keeps_repeated_keys_and_colons(tmp_path: Path) -> None:
    write(tmp_path / "a.ibw")
    reading = AsylumIbw()(tmp_path / "a.ibw")
    assert list(reading.header) == [*NOTE, ("Simulated", "Motif")]


def test_facets_are_in_si_units_and_have_an_origin(tmp_path: Path) -> None:
    write(tmp_path / "a.ibw")
    found = {f.name: f for f in AsylumIbw()(tmp_path / "a.ibw").measurements[0].facets}
    assert (found["scan_size"].value, found["scan_size"].unit) == (2e-6, "m")
    assert found["scan_size"].origin == "header:ScanSize"
    assert (found["spring_constant"].value, found["spring_constant"].unit) == (0.46538, "N/m")
    assert found["tip_voltage"].value == 2.5, "NaN is not a value"
    assert found["acquired_at"].value == "2021-01-07T17:18:38"
    assert found["technique"].value == "Piezoresponse force microscopy"
    assert found["pixels"].value == 24
    assert found["simulated"].value is True
    assert "operator" not in found


def test_contradicting_values_give_a_warning(tmp_path: Path) -> None:
    write(tmp_path / "a.ibw")
    notes = AsylumIbw()(tmp_path / "a.ibw").warnings
    assert any("TipVoltage" in warning for warning in notes)


def test_scan_size_without_a_note_comes_from_the_scale(tmp_path: Path) -> None:
    write(tmp_path / "a.ibw", note=[])
    found = {f.name: f for f in AsylumIbw()(tmp_path / "a.ibw").measurements[0].facets}
    assert found["scan_size"].value == 2e-6
    assert found["scan_size"].origin == "header:sfA"


def test_wrong_suffix_is_read_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path / "a.dat")
    assert any("suffix" in warning for warning in AsylumIbw()(tmp_path / "a.dat").warnings)


def test_big_endian_waves_are_read(tmp_path: Path) -> None:
    write(tmp_path / "a.ibw")
    little = (tmp_path / "a.ibw").read_bytes()
    wave = read_wave(tmp_path / "a.ibw")
    head = np.frombuffer(little[: HEADER.itemsize], HEADER).astype(HEADER.newbyteorder(">"))
    raw = bytearray(little[: HEADER.itemsize])
    for name in HEADER.names or ():
        offset = HEADER.fields[name][1]
        raw[offset : offset + head[name].nbytes] = head[name].tobytes()
    raw[68:72] = raw[68:72][::-1]
    data = wave.data.astype(">f4").tobytes()
    rest = little[HEADER.itemsize + len(data) :]
    (tmp_path / "b.ibw").write_bytes(mend(raw, "big") + data + rest)
    np.testing.assert_array_equal(read_wave(tmp_path / "b.ibw").data, wave.data)


@pytest.mark.parametrize("length", [1, 2, 63, 383, 384, 500, 7000])
def test_cut_short(tmp_path: Path, length: int) -> None:
    write(tmp_path / "a.ibw")
    raw = (tmp_path / "a.ibw").read_bytes()
    (tmp_path / "b.ibw").write_bytes(raw[:length])
    with pytest.raises(UnreadableFileError, match=r"too short|cut short"):
        AsylumIbw()(tmp_path / "b.ibw")


def test_a_header_announcing_a_trillion_points_allocates_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.ibw")
    raw = (tmp_path / "a.ibw").read_bytes()
    shape = [10_000, 10_000, 10_000, 0]
    (tmp_path / "b.ibw").write_bytes(patch(raw, shape=shape, points=2**31 - 1))
    started = time.perf_counter()
    with pytest.raises(UnreadableFileError, match="10000 x 10000 x 10000 points"):
        AsylumIbw()(tmp_path / "b.ibw")
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"shape": [-24, 16, 5, 0]}, "which no wave has"),
        ({"shape": [0, 16, 5, 0]}, "which no wave has"),
        ({"note_size": -5}, "which no wave has"),
        ({"note_size": 2**31 - 1}, "cut short"),
        ({"shape": [16, 16, 5, 0]}, "contradicts itself"),
        ({"points": 7}, "contradicts itself"),
        ({"type": 3}, "complex numbers"),
        ({"type": 0}, "of text"),
        ({"type": 2000}, "complex numbers"),
        ({"scale": [float("nan"), 1, 1, 1]}, "scale is unknown"),
        ({"scale": [0, 1, 1, 1]}, "scale is unknown"),
        ({"units": [np.void(b"s\0\0\0")] * 4}, "scale is unknown"),
        ({"shape": [24, 80, 0, 0]}, "a single plane of 24 x 80"),
        ({"shape": [1920, 0, 0, 0]}, "a single curve of 1920 points"),
        ({"shape": [24, 16, 1, 5]}, "four-dimensional"),
        ({"shape": [24, 8, 10, 0]}, "an image of 10 planes that names 5"),
        ({"shape": [1, 384, 5, 0]}, "too narrow"),
        ({"label_sizes": [0, 0, 0, 0]}, "without channel names"),
        ({"shape": [1920 // 5, 5, 0, 0], "label_sizes": [0, 192, 0, 0]}, "force curve of 384"),
    ],
)
def test_hostile_and_foreign_headers(
    tmp_path: Path, fields: dict[str, object], reason: str
) -> None:
    write(tmp_path / "a.ibw")
    (tmp_path / "b.ibw").write_bytes(patch((tmp_path / "a.ibw").read_bytes(), **fields))
    with pytest.raises(UnreadableFileError, match=reason):
        AsylumIbw()(tmp_path / "b.ibw")


def test_a_flipped_header_bit_is_detected(tmp_path: Path) -> None:
    write(tmp_path / "a.ibw")
    raw = bytearray((tmp_path / "a.ibw").read_bytes())
    raw[150] ^= 1
    (tmp_path / "b.ibw").write_bytes(raw)
    with pytest.raises(UnreadableFileError, match="checksum"):
        AsylumIbw()(tmp_path / "b.ibw")


def test_older_versions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "old.ibw").write_bytes(struct.pack("<h", 2) + bytes(500))
    head = (tmp_path / "old.ibw").read_bytes()
    assert AsylumIbw().recognises(head, "old.ibw")
    assert not AsylumIbw().recognises(head, "old.bin")
    with pytest.raises(UnreadableFileError, match="version 2"):
        AsylumIbw()(tmp_path / "old.ibw")


def test_damage_after_a_correct_checksum_is_read_or_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.ibw")
    raw = (tmp_path / "a.ibw").read_bytes()

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.tuples(st.integers(4, 300), st.integers(0, 255)), min_size=1, max_size=8))
    def check(changes: list[tuple[int, int]]) -> None:
        changed = bytearray(raw)
        for place, value in changes:
            changed[place] = value
        (tmp_path / "b.ibw").write_bytes(mend(changed))
        with suppress(UnreadableFileError):
            for measurement in AsylumIbw()(tmp_path / "b.ibw").measurements:
                check_measurement(measurement)

    check()
