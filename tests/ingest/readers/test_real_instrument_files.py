import os
from pathlib import Path

import igor2.binarywave
import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.core.testing.reader_tests import check_facet, check_measurement
from motif.ingest.readers import choose
from motif.ingest.readers.asylum.igor_wave import read_wave
from motif.ingest.readers.asylum.reader import AsylumIbw
from motif.ingest.readers.library.library_table import CompositionTable

READERS = (AsylumIbw(), CompositionTable())
ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("MOTIF_REAL_DATA", ROOT.parent / "shared" / "data"))
READABLE = {
    "IgorIBWReader_ImageStack_BTFO_DSO.ibw",
    "IgorIBWReader_P0089OP0027.ibw",
    "treated_213nm-substrate.ibw",
    "treated_81nm-film.ibw",
    "bivo4_60_real_rows.csv",
}


def real(name: str) -> Path:
    found = next(DATA.rglob(name), None) if DATA.is_dir() else None
    if found is None:
        pytest.skip(f"needs the real file {name} under MOTIF_REAL_DATA ({DATA})")
    return found


def read(name: str) -> Reading:
    path = real(name)
    return choose(path, READERS)(path)


def test_pfm_of_bismuth_titanium_ferrite() -> None:
    reading = read("IgorIBWReader_ImageStack_BTFO_DSO.ibw")
    (image,) = reading.measurements
    assert image.title == "BTFO_DSO_Thick0000"
    channels = ["HeightRetrace", "AmplitudeRetrace", "DeflectionRetrace", "PhaseRetrace"]
    assert list(image.data["channel"].values) == channels
    assert list(image.data["unit"].values) == ["m", "m", "m", "deg"]
    phase = image.data.sel(channel="PhaseRetrace")
    amplitude = image.data.sel(channel="AmplitudeRetrace")
    assert float(phase.min()) == pytest.approx(-89.99, abs=0.01)
    assert float(phase.max()) == pytest.approx(270.0, abs=0.01)
    assert 1e-12 < float(amplitude.min()) < float(amplitude.max()) < 1e-10
    assert float(image.data["x"][-1]) == pytest.approx(2e-6)
    facets = {f.name: (f.value, f.unit) for f in image.facets}
    assert facets["scan_size"] == (2e-6, "m")
    assert facets["spring_constant"] == (0.46538, "N/m")
    assert facets["acquired_at"] == ("2021-01-07T17:18:38", "")
    assert facets["instrument"] == ("Cypher", "")
    assert facets["mode"] == ("PFM Mode", "")
    assert facets["pixels"] == (256.0, "")
    assert len(reading.header) == 641
    repeated = [value for key, value in reading.header if key == "Channel1DataType"]
    assert repeated == ["1", "Height"]
    assert ("OrcaGain", "NaN") in reading.header


def test_user_channels_have_the_unit_of_the_note() -> None:
    (image,) = read("IgorIBWReader_P0089OP0027.ibw").measurements
    assert image.data["channel"].values[-1] == "UserIn0Retrace"
    assert image.data["unit"].values[-1] == "V"


def test_a_wave_exported_by_gwyddion_keeps_its_scale() -> None:
    reading = read("treated_213nm-substrate.ibw")
    (image,) = reading.measurements
    assert list(image.data["channel"].values) == [
        "HeightRetrace", "AmplitudeRetrace", "ZSensorRetrace",
    ]  # fmt: skip
    facets = {f.name: (f.value, f.unit, f.origin) for f in image.facets}
    assert facets["scan_size"] == (5e-6, "m", "header:sfA")
    assert not reading.header


def test_the_published_rows_are_a_library() -> None:
    samples = read("bivo4_60_real_rows.csv").measurements
    assert len(samples) == 60
    assert [samples[0].key, samples[-1].key] == ["97", "2079"]
    assert samples[0].composition["W"] == 0.00728
    assert samples[0].targets == {"P": (1.325732, "mW/cm^2")}
    assert samples[0].data.sizes == {"raman_shift": 11}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("IgorIBWReader_ForceCurve.ibw", "force curve of 1261 points with channels Raw, Defl, ZSn"),
        ("20230110-152047_ScV6Sn6*.ibw", "incomplete scan .* of 256 x 58 points"),
        ("EMPTY_depth.wdf", "is empty"),
        ("LFS_POINTER_line.wdf", "git-LFS pointer"),
        ("MISNAMED_NanonisSXM.sxm", "Nanonis grid of spectra"),
        ("bruker_data_header.000", "Nanoscope image"),
        ("GwiddionReader_chip.gwy", "Gwyddion file of the old version 1"),
    ],
)
def test_reasons_name_what_a_file_is(name: str, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        read(name)


def test_every_real_file_is_read_or_refused_with_a_reason() -> None:
    files = sorted(p for p in DATA.rglob("*") if p.is_file() and p.name != "MANIFEST.csv")
    if not files:
        pytest.skip(f"needs the real files in MOTIF_REAL_DATA ({DATA})")
    readable, reasons = set(), {}
    for path in files:
        try:
            reading = choose(path, READERS)(path)
        except UnreadableFileError as error:
            reasons[path.name] = str(error)
            continue
        readable.add(path.name)
        for measurement in reading.measurements:
            check_measurement(measurement)
            for facet in measurement.facets:
                check_facet(facet)
    assert not [name for name, reason in reasons.items() if name not in reason]
    assert not [reason for reason in reasons.values() if "unknown format" in reason]
    assert readable == READABLE & {path.name for path in files}


@pytest.mark.parametrize("name", sorted(n for n in READABLE if n.endswith(".ibw")))
def test_real_waves_are_read_as_igor2_reads_them(name: str) -> None:
    path = real(name)
    ours, theirs = read_wave(path), igor2.binarywave.load(str(path))["wave"]
    np.testing.assert_array_equal(ours.data.T, theirs["wData"])
    assert ours.note.encode("latin-1") == theirs["note"]
    assert ours.offset[:2] == tuple(theirs["wave_header"]["sfB"][:2])
