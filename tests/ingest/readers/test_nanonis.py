from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers import choose
from motif.ingest.readers.nanonis.nanonis_3ds import NanonisGrid
from motif.ingest.readers.nanonis.nanonis_dat import NanonisSpectrum
from motif.ingest.readers.nanonis.nanonis_sxm import NanonisScan

READERS = (NanonisScan(), NanonisGrid(), NanonisSpectrum())
LINES, POINTS = 4, 6
SEEN = np.arange(LINES * POINTS, dtype=np.float32).reshape(LINES, POINTS)
"""The surface: its lowest line first, from left to right."""
SXM = """:NANONIS_VERSION:
2
:SCANIT_TYPE:
              FLOAT            MSBFIRST
:REC_DATE:
 16.12.2015
:REC_TIME:
11:39:44
:REC_TEMP:
      4.5000000000
:SCAN_PIXELS:
       6       4
:SCAN_RANGE:
           6.000000E-9           4.000000E-9
:SCAN_ANGLE:
            9.000E+1
:SCAN_DIR:
{direction}
:BIAS:
            -9.000E-4
:Z-CONTROLLER:
\tName\ton\tSetpoint
\tlog Current\t0\t5.000E-11 A
:Z-Controller>Controller name:
log Current
:NanonisMain>SW Version:
Generic 4
:DATA_INFO:
\tChannel\tName\tUnit\tDirection\tCalibration\tOffset
\t14\tZ\tm\tboth\t-3.484E-9\t0.000E+0
\t16\tPhase\tdeg\tforward\t1.800E+1\t0.000E+0

:SCANIT_END:


"""
GRID = (
    'Grid dim="3 x 2"\r\nGrid settings=0;0;3E-9;2E-9;0\r\nSweep Signal="Bias (mV)"\r\n'
    'Fixed parameters="Sweep Start;Sweep End"\r\nExperiment parameters="X (m);Y (m)"\r\n'
    "# Parameters (4 byte)=4\r\nExperiment size (bytes)=40\r\nPoints=5\r\n"
    'Channels="Current (A);LockinX (V)"\r\nExperiment="Grid Spectroscopy"\r\n'
    'Date="04.06.2016 20:13:23"\r\nUser=ada\r\n:HEADER_END:\r\n'
)
SINGLE = (
    "Experiment\tbias spectroscopy\t\r\nDate\t04.06.2016 20:13:23\t\r\nUser\tada\t\r\n"
    "X (m)\t1E-9\t\r\nY (m)\t2E-9\t\r\n\r\n[DATA]\r\n"
    "Bias calc (mV)\tCurrent (pA)\tLI Demod 1 X (A)\r\n"
    "-100\t1\t1E-12\r\n0\t2\tNaN\r\n100\t3\t3E-12\r\n"
)


def write_scan(path: Path, direction: str = "up", planes: int = 3) -> None:
    """Store what was seen as Nanonis does: in the order and sense of the motion."""
    lines = SEEN if direction == "up" else SEEN[::-1]
    stored = np.stack([lines, 100 + lines[:, ::-1], lines])[:planes]
    text = SXM.format(direction=direction)
    path.write_bytes(text.encode() + b"\x1a\x04" + stored.astype(">f4").tobytes())


def write_grid(path: Path, points: int = 6) -> None:
    rows = []
    for point in range(points):
        settings = [-200, 200, 1e-9 * (point % 3), 1e-9 * (point // 3)]
        rows.append([*settings, *(10 * point + np.arange(5)), *(-np.arange(5))])
    path.write_bytes(GRID.encode() + np.array(rows, ">f4").tobytes())


class TestNanonisScan(ReaderTests):
    reader = NanonisScan()
    suffix = ".sxm"

    def write_valid(self, path: Path) -> None:
        write_scan(path)


class TestNanonisGrid(ReaderTests):
    reader = NanonisGrid()
    suffix = ".3ds"
    examples = 15

    def write_valid(self, path: Path) -> None:
        write_grid(path)


class TestNanonisSpectrum(ReaderTests):
    reader = NanonisSpectrum()
    suffix = ".dat"

    def write_valid(self, path: Path) -> None:
        path.write_text(SINGLE, newline="")


@pytest.mark.parametrize("direction", ["up", "down"])
def test_both_directions_show_the_same_surface(tmp_path: Path, direction: str) -> None:
    write_scan(tmp_path / "a.sxm", direction)
    reading = NanonisScan()(tmp_path / "a.sxm")
    (image,) = reading.measurements
    assert list(image.data["channel"].values) == ["ZTrace", "ZRetrace", "PhaseTrace"]
    assert list(image.data["unit"].values) == ["m", "m", "deg"]
    np.testing.assert_array_equal(image.data[0], SEEN)
    np.testing.assert_array_equal(image.data[1], 100 + SEEN)
    assert image.data["x"].values[1] == pytest.approx(1e-9)
    facets = {f.name: (f.value, f.unit) for f in image.facets}
    assert facets["acquired_at"] == ("2015-12-16T11:39:44", "")
    assert facets["scan_size"] == (6e-9, "m")
    assert facets["scan_angle"] == (pytest.approx(np.pi / 2), "rad")
    assert facets["scan_direction"] == (direction, "")
    assert facets["temperature"] == (4.5, "K")
    assert facets["bias"] == (-9e-4, "V")
    assert facets["technique"] == ("Scanning tunnelling microscopy", "")
    assert not reading.warnings


def test_an_interrupted_scan_gives_a_warning(tmp_path: Path) -> None:
    write_scan(tmp_path / "a.sxm")
    raw = bytearray((tmp_path / "a.sxm").read_bytes())
    at = raw.index(b"\x1a\x04") + 2
    nan = np.full((2, POINTS), np.nan, ">f4").tobytes()
    raw[at + 4 * POINTS * 2 : at + 4 * POINTS * 4] = nan
    (tmp_path / "a.sxm").write_bytes(raw)
    reading = NanonisScan()(tmp_path / "a.sxm")
    assert "interrupted: 2 of 4 lines were measured" in reading.warnings


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b"       6       4", b"   60000   40000", "announces 3 planes of 60000 x 40000 pixels"),
        (b"       6       4", b"      -6      -4", "which take 0 bytes"),
        (b"       6       4", b"       6        ", "not a Nanonis scan"),
        (b"MSBFIRST", b"LSBFIRST", "not a Nanonis scan"),
        (b":SCANIT_END:", b":SCANIT_ENX:", "header of b.sxm does not end"),
        (b"6.000000E-9", b"0.000000E-9", "is not a scan"),
        (b"both", b"none", "cut short or damaged"),
    ],
)
def test_damaged_scans_are_named(tmp_path: Path, before: bytes, after: bytes, reason: str) -> None:
    write_scan(tmp_path / "a.sxm", planes=1 if before == b"both" else 3)
    raw = (tmp_path / "a.sxm").read_bytes().replace(before, after)
    (tmp_path / "b.sxm").write_bytes(raw[:-4] if before == b"both" else raw)
    with pytest.raises(UnreadableFileError, match=reason):
        NanonisScan()(tmp_path / "b.sxm")


def test_a_grid_gives_spectra_with_their_positions(tmp_path: Path) -> None:
    write_grid(tmp_path / "a.3ds")
    found = NanonisGrid()(tmp_path / "a.3ds").measurements
    assert len(found) == 12
    last = found[-2]
    assert (last.key, last.title) == ("5/0", "Current at 2, 1")
    assert last.data.dims == ("bias",)
    np.testing.assert_allclose(last.data["bias"], [-0.2, -0.1, 0, 0.1, 0.2], atol=1e-9)
    assert last.data["bias"].attrs["units"] == "V"
    assert last.data.attrs["units"] == "A"
    np.testing.assert_array_equal(last.data, 50 + np.arange(5))
    facets = {f.name: (f.value, f.unit) for f in last.facets}
    assert facets["map_x"] == (2e-9, "m")
    assert facets["map_y"] == (1e-9, "m")
    assert facets["operator"] == ("ada", "")
    assert facets["channels"] == ("Current", "")
    assert facets["acquired_at"] == ("2016-06-04T20:13:23", "")


def test_an_interrupted_grid_gives_its_complete_points(tmp_path: Path) -> None:
    write_grid(tmp_path / "a.3ds", points=4)
    raw = (tmp_path / "a.3ds").read_bytes()
    (tmp_path / "a.3ds").write_bytes(raw[:-3])
    reading = NanonisGrid()(tmp_path / "a.3ds")
    assert len(reading.measurements) == 6
    assert "interrupted: 3 of 6 points were measured" in reading.warnings


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b"Points=5", b"Points=6", "contradicts itself"),
        (b"3 x 2", b"9999 x 9999", "more than 65,536 sweeps"),
        (b"3 x 2", b"-3 x -2", "contradicts itself"),
        (b"Sweep Start;", b"Sweep Begin;", "where its sweeps start"),
        (b":HEADER_END:", b":HEADER_ENX:", "does not end"),
    ],
)
def test_damaged_grids_are_named(tmp_path: Path, before: bytes, after: bytes, reason: str) -> None:
    write_grid(tmp_path / "a.3ds")
    raw = (tmp_path / "a.3ds").read_bytes().replace(before, after)
    (tmp_path / "b.3ds").write_bytes(raw)
    with pytest.raises(UnreadableFileError, match=reason):
        NanonisGrid()(tmp_path / "b.3ds")


def test_columns_are_spectra_over_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_text(SINGLE, newline="")
    current, lock_in = NanonisSpectrum()(tmp_path / "a.dat").measurements
    assert current.data.dims == ("bias_calc",)
    np.testing.assert_allclose(current.data["bias_calc"], [-0.1, 0, 0.1])
    np.testing.assert_allclose(current.data, [1e-12, 2e-12, 3e-12])
    assert current.data.attrs["units"] == "A"
    assert np.isnan(lock_in.data.values[1])
    facets = {f.name: f.value for f in current.facets}
    assert facets["mode"] == "bias spectroscopy"
    assert facets["map_y"] == 2e-9


@pytest.mark.parametrize("cell", ["x", "0_5", "1\t2", ""])
def test_damaged_spectra_are_named(tmp_path: Path, cell: str) -> None:
    (tmp_path / "a.dat").write_text(SINGLE.replace("\t3E-12", f"\t{cell}"), newline="")
    with pytest.raises(UnreadableFileError, match=r"not a number|do not fit"):
        NanonisSpectrum()(tmp_path / "a.dat")


def test_content_decides_and_a_wrong_suffix_gives_a_warning(tmp_path: Path) -> None:
    write_grid(tmp_path / "a.sxm")
    write_scan(tmp_path / "a.dat")
    (tmp_path / "a.3ds").write_text(SINGLE, newline="")
    for name, reader in (("sxm", "3ds"), ("dat", "sxm"), ("3ds", "dat")):
        path = tmp_path / f"a.{name}"
        chosen = choose(path, READERS)
        assert chosen.name == f"nanonis-{reader}"
        assert any("in spite of its suffix" in warning for warning in chosen(path).warnings)
