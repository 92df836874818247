"""Real files of spectra and libraries, with the values that matter."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.core.testing.reader_tests import check_facet, check_measurement
from motif.ingest.readers import choose
from motif.ingest.readers.galactic.reader import EVEN, GalacticSpc
from motif.ingest.readers.jcamp.reader import JcampDx
from motif.ingest.readers.library.drnets import DrnetsInstance
from motif.ingest.readers.library.library_table import CompositionTable
from motif.ingest.readers.library.library_workbook import CompositionWorkbook
from motif.ingest.readers.opus.reader import BrukerOpus
from motif.ingest.readers.renishaw.reader import RenishawWdf
from motif.ingest.readers.text.bwtek_text import BwtekText
from motif.ingest.readers.text.labspec_text import LabspecText
from motif.ingest.readers.text.rod_cif import RodCif
from motif.ingest.readers.text.rruff_text import RruffText
from motif.ingest.readers.text.two_column import TwoColumn
from motif.ingest.readers.text.witec_text import WitecText

READERS = (
    BrukerOpus(), BwtekText(), CompositionTable(), CompositionWorkbook(), DrnetsInstance(),
    GalacticSpc(), JcampDx(), LabspecText(), RenishawWdf(), RodCif(), RruffText(), TwoColumn(),
    WitecText(),
)  # fmt: skip
ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("MOTIF_REAL_DATA", ROOT.parent / "shared" / "data"))
SHIFT, NUMBER, LENGTH = ("raman_shift", "cm^-1"), ("wavenumber", "cm^-1"), ("wavelength", "nm")
HERTZ, MASS, Q = ("frequency", "Hz"), ("mass_to_charge", "1"), ("q", "1/nm")
ANY, COUNT = "arb. unit", "count"
QONTOR = "nCal_Qontor785_z005H12_100_1x3s"


def real(name: str) -> Path:
    found = next(DATA.rglob(name), None) if DATA.is_dir() else None
    if found is None:
        pytest.skip(f"needs the real file {name} under MOTIF_REAL_DATA ({DATA})")
    return found


def read(name: str) -> Reading:
    path = real(name)
    reading = choose(path, READERS)(path)
    for measurement in reading.measurements:
        check_measurement(measurement)
        for facet in measurement.facets:
            check_facet(facet)
    return reading


@pytest.mark.parametrize(
    ("name", "reader", "spectra", "axis", "ends", "points", "intensity"),
    [
        ("Spectrum_532nm_wdf.wdf", "renishaw-wdf", 1, SHIFT, (3203.7617, 202.1016), 1900, COUNT),
        ("indiogo_*_map_0.wdf", "renishaw-wdf", 9, SHIFT, (1293.4707, 24.4453), 1015, COUNT),
        (QONTOR + ".wdf", "renishaw-wdf", 1, SHIFT, (1111.1084, -154.502), 1021, COUNT),
        (QONTOR + ".spc", "galactic-spc", 1, SHIFT, (1111.1084, -154.502), 1021, COUNT),
        ("TEST32.DX", "jcamp-dx", 1, HERTZ, (24038.5, 0), 16384, ANY),
        ("ethanol2.jdx", "jcamp-dx", 1, NUMBER, (599.8617, 4000.3643), 1764, "percent"),
        ("example_compound_file.jdx", "jcamp-dx", 2, NUMBER, (11995.21, 3999.691), 2074, "1"),
        ("isopropanol_ASDF.jdx", "jcamp-dx", 1, NUMBER, (400.1963, 5000.042), 9541, "1"),
        ("mactab1.jdx", "jcamp-dx", 1, MASS, (0, 331), 23, ANY),
        ("o05.jdx", "jcamp-dx", 1, HERTZ, (2391.2974, -402.2026), 8192, ANY),
        ("tannic_acid.jdx", "jcamp-dx", 1, SHIFT, (100.595, 2854.713), 1949, ANY),
        ("test_opus.0", "bruker-opus", 1, SHIFT, (4000.661, 51.8926), 4096, ANY),
        ("Si-wafer-*.txt", "witec-text", 1, LENGTH, (530.7817, 661.8724), 1600, COUNT),
        ("Anatase__*.txt", "rruff-text", 1, SHIFT, (79.8499, 3458.524), 1753, ANY),
        ("rod_file_1000679.rod", "rod-cif", 1, SHIFT, (50, 1400.643), 1159, ANY),
        ("Bi-Cu-V307_inst_Q300.txt", "drnets-instance", 307, Q, (14.0066, 46.9829), 300, ANY),
        ("bivo4_60_real_rows.csv", "composition-table", 60, SHIFT, (78.025, 1339.902), 11, ANY),
    ],
)  # fmt: skip
def test_axes_are_as_measured(
    name: str,
    reader: str,
    spectra: int,
    axis: tuple[str, str],
    ends: tuple[float, float],
    points: int,
    intensity: str,
) -> None:
    assert choose(real(name), READERS).name == reader
    measurements = read(name).measurements
    assert len(measurements) == spectra
    data = measurements[0].data
    dimension, unit = axis
    assert data.sizes == {dimension: points}
    assert data.attrs == {"units": intensity}
    assert data[dimension].attrs == {"units": unit}
    assert (float(data[dimension][0]), float(data[dimension][-1])) == pytest.approx(ends, rel=1e-6)


def test_a_map_over_a_library_keeps_its_nine_positions() -> None:
    reading = read("indiogo_*_map_0.wdf")
    facets = [{f.name: f.value for f in m.facets} for m in reading.measurements]
    assert [m.key for m in reading.measurements] == list("012345678")
    assert {round(f["map_y"], 6) for f in facets} == {0.005}
    np.testing.assert_allclose([f["map_x"] for f in facets], -0.002 - 0.0045 * np.arange(9))
    assert facets[0]["exposure_time"] == 10.0
    assert facets[0]["laser_wavelength"] == pytest.approx(532.17e-9, rel=1e-5)
    times = [str(f["acquired_at"]) for f in facets]
    assert times == sorted(times)
    assert times[0] == "2025-12-18T13:42:57Z"
    assert [float(m.data[0]) for m in reading.measurements[:2]] == pytest.approx(
        [581.2359, 385.289]
    )


def test_the_resampled_export_differs_from_its_original() -> None:
    original, exported = read(QONTOR + ".wdf"), read(QONTOR + ".spc")
    assert exported.warnings == [EVEN]
    assert not original.warnings
    peaks = [float(r.measurements[0].data.max()) for r in (original, exported)]
    assert peaks[1] / peaks[0] == pytest.approx(1 - 0.057, abs=0.001)
    facets = [{f.name: f.value for f in r.measurements[0].facets} for r in (original, exported)]
    for name in ("operator", "accumulations", "exposure_time", "technique"):
        assert facets[0][name] == facets[1][name]
    assert facets[0]["acquired_at"] == "2022-08-22T11:50:17Z"
    assert facets[0]["instrument"] == "Renishaw InVia"


def test_compressed_nmr_reaches_the_declared_extremes() -> None:
    header = dict(read("o05.jdx").header)
    values = read("o05.jdx").measurements[0].data.values
    assert values.max() == pytest.approx(float(header["MAXY"]))
    assert values.min() == pytest.approx(float(header["MINY"]))
    big = read("TEST32.DX").measurements[0].data.values
    assert (big.max(), big.min()) == (972201806, -27593530)


def test_facets_of_an_ft_raman_spectrum() -> None:
    facets = {f.name: (f.value, f.unit) for f in read("test_opus.0").measurements[0].facets}
    assert facets["acquired_at"] == ("2023-07-04T16:59:10Z", "")
    assert facets["instrument"] == ("Bruker VERTEX 70", "")
    assert facets["laser_wavelength"] == (pytest.approx(1064.407e-9, rel=1e-6), "m")
    assert facets["laser_power"] == (0.2, "W")
    assert facets["technique"] == ("FT-Raman spectroscopy", "")


def test_an_entry_of_the_raman_open_database() -> None:
    (found,) = read("rod_file_1000679.rod").measurements
    facets = {f.name: (f.value, f.unit) for f in found.facets}
    assert facets["material"] == ("K-cymrite", "")
    assert facets["laser_wavelength"] == (488e-9, "m")
    assert facets["exposure_time"] == (300.0, "s")
    assert facets["temperature"] == (300.0, "K")
    assert found.composition["O"] == 9 / 16


def test_diffraction_over_a_library() -> None:
    first = read("Bi-Cu-V307_inst_Q300.txt").measurements[0]
    assert first.key == "867"
    assert first.composition == {"Bi": 0.171, "Cu": 0.1933, "V": 0.6357}
    np.testing.assert_allclose(first.data.values[:3], [0.003003, 0.001713, 0.000034])
    assert ("pattern", "ana__1_27830_0010_integrated.csv") in {
        (f.name, f.value) for f in first.facets
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("EMPTY_depth.wdf", "is empty"),
        ("LFS_POINTER_line.wdf", "git-LFS pointer"),
        ("PST10_iR785_OP01_8000msx8.l6s", "Horiba LabSpec file .* closed format.* export it"),
        (
            "PST10_iR785_OP01_8000msx8.txt",
            r"no declared quantities and units; head them .*\.txt\.json",
        ),
        ("PST_WiICV532_Z050OP02_075_800msx10.txt", "no declared quantities and units"),
        ("Pol_HLR633_Z010_100_15sx5.txt", "no declared quantities and units"),
        (QONTOR + ".txt", "since 'Wave #Intensity' names no unit"),
    ],
)
def test_reasons_state_what_to_do(name: str, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        read(name)


def test_a_declared_unit_opens_a_text_of_two_columns(tmp_path: Path) -> None:
    path = tmp_path / "qontor.txt"
    shutil.copy(real(QONTOR + ".txt"), path)
    (tmp_path / "qontor.txt.json").write_text('{"axis": "raman_shift", "axis_unit": "cm^-1"}')
    (found,) = choose(path, READERS)(path).measurements
    (original,) = read(QONTOR + ".wdf").measurements
    np.testing.assert_allclose(found.data, original.data, rtol=1e-5)
    np.testing.assert_allclose(found.data["raman_shift"], original.data["raman_shift"], atol=1e-3)


@pytest.mark.parametrize("suffix", [".txt", ".bin", ""])
def test_a_wrong_suffix_is_read_rightly(tmp_path: Path, suffix: str) -> None:
    for name in (QONTOR + ".wdf", QONTOR + ".spc", "test_opus.0", "tannic_acid.jdx"):
        path = tmp_path / f"renamed{suffix}"
        shutil.copy(real(name), path)
        assert choose(path, READERS).name == choose(real(name), READERS).name
