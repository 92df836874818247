from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers.nanoscope.reader import Nanoscope

LINES, POINTS, START = 5, 8, 2048
BOTTOM_UP = np.arange(LINES * POINTS).reshape(LINES, POINTS)
HEAD = r"""\*File list
\Version: 0x05120000
\Date: 09:39:11 AM Wed Dec 20 2017
\*Equipment list
\Description: Dimension Icon
\*Scanner list
\@Sens. Zsens: V 33.53000 nm/V
\@Sens. Phase: V 1.000000
\*Ciao scan list
\Operating mode: Image
\Scan Size: 700 nm
\Rotate Ang.: 90
\Scan Rate: 0.976563
\@MicroscopeList: S [AFMMode] "Tapping"
"""
IMAGE = r"""\*Ciao image list
\Data offset: {offset}
\Data length: {length}
\Bytes/pixel: 2
\Data type: AFM
\Frame direction: Down
\Samps/line: 8
\Number of lines: 5
\Scan Size: 700 400 nm
\Scan Line: {line}
\Line Direction: {direction}
\Realtime Planefit: {fit}
\@2:Image Data: S [{name}] "{name}"
\@2:Z scale: {scale}
"""
HEIGHT = {
    "name": "Height Sensor", "scale": "V [Sens. Zsens] (0.000375 V/LSB) 24.57600 V",
    "line": "Main", "direction": "Trace", "fit": "Line",
}  # fmt: skip
PHASE = {
    "name": "Phase", "scale": "V [Sens. Phase] (0.005493164 º/LSB) 360.0000 º",
    "line": "Interleave", "direction": "Retrace", "fit": "None",
}  # fmt: skip


def write(path: Path, *images: dict[str, str], width: int = 2, head: str = HEAD) -> None:
    raw = b""
    text = head
    for fields in images:
        data = BOTTOM_UP.astype(f"<i{width}").tobytes()
        text += IMAGE.format(offset=START + len(raw), length=len(data), **fields)
        raw += data
    text = text.replace("\n", "\r\n") + "\\*File list end\r\n\x1a"
    path.write_bytes(text.encode("latin-1").ljust(START, b"\0") + raw)


class TestNanoscope(ReaderTests):
    reader = Nanoscope()
    suffix = ".spm"

    def write_valid(self, path: Path) -> None:
        write(path, HEIGHT, PHASE)


def test_planes_in_physical_units(tmp_path: Path) -> None:
    write(tmp_path / "a.spm", HEIGHT, PHASE)
    reading = Nanoscope()(tmp_path / "a.spm")
    (image,) = reading.measurements
    assert list(image.data["channel"].values) == ["HeightSensorTrace", "LiftPhaseRetrace"]
    assert list(image.data["unit"].values) == ["m", "deg"]
    step = 24.576 * 33.53e-9 / 65536
    np.testing.assert_allclose(image.data[0], BOTTOM_UP * step, rtol=1e-6)
    np.testing.assert_allclose(image.data[1], BOTTOM_UP * 360 / 65536, rtol=1e-6)
    assert image.data["x"].values[-1] == pytest.approx(7e-7)
    assert image.data["y"].values[-1] == pytest.approx(4e-7)
    assert ("*Ciao scan list", "") in reading.header


def test_facets(tmp_path: Path) -> None:
    write(tmp_path / "a.spm", HEIGHT, PHASE)
    (image,) = Nanoscope()(tmp_path / "a.spm").measurements
    facets = {f.name: (f.value, f.unit) for f in image.facets}
    assert facets["acquired_at"] == ("2017-12-20T09:39:11", "")
    assert facets["scan_size"] == (pytest.approx(7e-7), "m")
    assert facets["scan_angle"] == (pytest.approx(np.pi / 2), "rad")
    assert facets["mode"] == ("Tapping", "")
    assert facets["technique"] == ("Atomic force microscopy", "")
    assert facets["instrument"] == ("Dimension Icon", "")
    assert facets["processing"] == ("HeightSensorTrace: realtime plane fit Line", "")
    assert facets["scan_direction"] == ("down", "")


def test_newer_files_have_32_bit_numbers_whatever_their_header_states(tmp_path: Path) -> None:
    write(tmp_path / "a.spm", HEIGHT, width=4)
    reading = Nanoscope()(tmp_path / "a.spm")
    step = 24.576 * 33.53e-9 / 2**32
    np.testing.assert_allclose(reading.measurements[0].data[0], BOTTOM_UP * step, rtol=1e-12)
    assert any("4 bytes per pixel" in warning for warning in reading.warnings)


def test_micrometres_as_nanoscope_writes_them(tmp_path: Path) -> None:
    write(tmp_path / "a.spm", HEIGHT)
    raw = (tmp_path / "a.spm").read_bytes().replace(b"700 400 nm", b"0.7 .4 ~m ")
    (tmp_path / "b.spm").write_bytes(raw)
    (image,) = Nanoscope()(tmp_path / "b.spm").measurements
    assert image.data["x"].values[-1] == pytest.approx(7e-7)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b"\\*File list end", b"\\*File list xxx", "does not end"),
        (b"Samps/line: 8", b"Samps/line: 9", "neither 16-bit nor 32-bit"),
        (b"Samps/line: 8", b"Samps/line: 0", "cut short or damaged"),
        (b"Data length: 80", b"Data length: 8e9", "neither 16-bit nor 32-bit"),
        (b"Data offset: 2048", b"Data offset: 2058", "cut short or damaged"),
        (b"@2:Z scale", b"@2:Q scale", "does not state the scale of HeightSensor"),
        (b"@Sens. Zsens", b"@Sens. Qsens", "does not state the scale"),
        (b"Scan Size", b"Scan Sise", "does not state the size of the scan"),
        (b"Ciao image list", b"Ciao other list", "lists no image"),
    ],
)
def test_damage_is_named(tmp_path: Path, before: bytes, after: bytes, reason: str) -> None:
    write(tmp_path / "a.spm", HEIGHT)
    raw = (tmp_path / "a.spm").read_bytes().replace(before, after)
    (tmp_path / "b.spm").write_bytes(raw[: START + 80 + len(after) - len(before)])
    with pytest.raises(UnreadableFileError, match=reason):
        Nanoscope()(tmp_path / "b.spm")


def test_a_header_without_data_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.000", HEIGHT)
    (tmp_path / "b.000").write_bytes((tmp_path / "a.000").read_bytes()[:START])
    with pytest.raises(UnreadableFileError, match="the header of 1 Nanoscope images without"):
        Nanoscope()(tmp_path / "b.000")


@pytest.mark.parametrize(("more", "kind"), [("", "force curve"), (IMAGE, "force volume")])
def test_force_files_are_refused_by_name(tmp_path: Path, more: str, kind: str) -> None:
    text = "\\*Force file list\r\n\\Start context: FOL\r\n\\*Ciao force image list\r\n"
    text += '\\Samps/line: 512 512\r\n\\@4:Image Data: S [X] "Deflection Error"\r\n'
    (tmp_path / "a.001").write_text(text + more + "\\*File list end\r\n", "latin-1")
    with pytest.raises(UnreadableFileError, match=f"{kind} of 512 points .* Deflection Error"):
        Nanoscope()(tmp_path / "a.001")
