import struct
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers.renishaw.reader import RenishawWdf

STARTED = 132_240_968_065_308_990
"""2020-01-21 16:13:26 UTC in units of 100 ns since 1601."""


def block(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sIQ", name, 0, 16 + len(content)) + content


def pset(*items: bytes) -> bytes:
    return b"PSET" + struct.pack("<I", len(b"".join(items))) + b"".join(items)


def text(key: int, value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<cBHI", b"u", 0, key, len(raw)) + raw


def number(key: int, value: int) -> bytes:
    return struct.pack("<cBHi", b"i", 0, key, value)


def nested(key: int, *items: bytes) -> bytes:
    content = b"".join(items)
    return struct.pack("<cBHI", b"p", 0, key, len(content)) + content


def named(key: int, name: str) -> bytes:
    return struct.pack("<cBHI", b"k", 0, key, len(name)) + name.encode()


def wdf(count: int = 1, capacity: int = 1, points: int = 8, axis_unit: int = 1) -> bytes:
    """A measurement as WiRE 5 stores it; spectrum i is i, i + 1, i + 2, ..."""
    header = bytearray(512)
    struct.pack_into("<4sIQ", header, 0, b"WDF1", 1, 512)
    struct.pack_into("<IQQIIII", header, 60, points, capacity, count, 5, 1, points, 4)
    header[96:100] = b"WiRE"
    struct.pack_into("<4H", header, 120, 5, 1, 0, 9199)
    struct.pack_into("<II", header, 128, 2, 3)
    struct.pack_into("<QQ", header, 136, STARTED, STARTED)
    struct.pack_into("<If", header, 152, 6, 18797.0)
    header[208:212] = b"Anna"
    header[240:245] = b"Film "
    values = np.arange(count)[:, None] + np.arange(points)[None, :]
    data = np.zeros((capacity, points), "<f4")
    data[:count] = values[:capacity]
    axis = np.linspace(3200, 200, points).astype("<f4")
    places = np.arange(capacity, dtype="<f8")
    origins = struct.pack("<I", 4) + b"".join(
        struct.pack("<II16s", kind, unit, name) + raw
        for kind, unit, name, raw in (
            (0x80000003, 5, b"X", (10 * places).tobytes()),
            (0x80000004, 5, b"Y", (-5 * places).tobytes()),
            (11, 24, b"Time", (STARTED + 10_000_000 * places.astype("<u8")).tobytes()),
            (17, 17, b"Flags", bytes(8 * capacity)),
        )
    )
    scan = nested(
        9, text(1, "class"), nested(2, number(3, 1)), *map(number, range(4), (1, 9, 5, 10000))
    )
    return b"".join(
        (
            bytes(header),
            block(b"DATA", data.tobytes()),
            block(b"YLST", struct.pack("<IIf", 4, 16, 21.0)),
            block(b"XLST", struct.pack("<II", 1, axis_unit) + axis.tobytes()),
            block(b"ORGN", origins),
            block(b"WXDA", pset(named(7, "CCD serial number"), text(7, "1HW900"))),
            block(b"WXDM", pset(nested(5, text(8, "Scan"), scan))),
            block(b"WXIS", pset(text(0x8001, "InVia"))),
        )
    )


class TestRenishawWdf(ReaderTests):
    reader = RenishawWdf()
    suffix = ".wdf"
    examples = 30

    def write_valid(self, path: Path) -> None:
        path.write_bytes(wdf(count=3, capacity=4))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "film.wdf"


def test_a_single_spectrum_keeps_its_descending_axis_and_settings(path: Path) -> None:
    path.write_bytes(wdf())
    reading = RenishawWdf()(path)
    (found,) = reading.measurements
    assert found.title == "Film"
    assert found.data.attrs == {"units": "count"}
    shift = found.data["raman_shift"]
    assert (float(shift[0]), float(shift[-1]), shift.attrs["units"]) == (3200, 200, "cm^-1")
    np.testing.assert_array_equal(found.data.values, np.arange(8, dtype=np.float32))
    facets = {f.name: (f.value, f.unit) for f in found.facets}
    assert facets == {
        "technique": ("Raman spectroscopy", ""),
        "instrument": ("Renishaw InVia", ""),
        "operator": ("Anna", ""),
        "acquired_at": ("2020-01-21T16:13:26Z", ""),
        "laser_wavelength": (pytest.approx(532e-9, rel=1e-4), "m"),
        "accumulations": (5.0, ""),
        "exposure_time": (10.0, "s"),
    }
    assert ("WXDA.CCD serial number", "1HW900") in reading.header


def test_an_interrupted_map_gives_what_was_measured_with_its_positions(path: Path) -> None:
    path.write_bytes(wdf(count=3, capacity=4))
    reading = RenishawWdf()(path)
    assert reading.warnings == ["interrupted: 3 of 4 spectra were measured"]
    assert [m.key for m in reading.measurements] == ["0", "1", "2"]
    last = reading.measurements[2]
    assert float(last.data[0]) == 2
    facets = {f.name: (f.value, f.unit, f.origin) for f in last.facets}
    assert facets["map_x"] == (20e-6, "m", "header:ORGN.X")
    assert facets["map_y"] == (-10e-6, "m", "header:ORGN.Y")
    assert facets["acquired_at"][0] == "2020-01-21T16:13:28Z"


def test_wavelengths_are_not_raman_spectra(path: Path) -> None:
    path.write_bytes(wdf(axis_unit=3))
    (found,) = RenishawWdf()(path).measurements
    assert found.data.dims == ("wavelength",)
    assert "technique" not in {f.name for f in found.facets}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (wdf()[:300], "cut short"),
        (wdf()[:-10], "block 'WXIS' declares"),
        (wdf(axis_unit=16), "is in pixel, which is not a unit of spectra"),
        (wdf(count=5, capacity=4), "5 of 4 spectra"),
        (wdf()[:512], "no DATA block"),
        (wdf()[:516] + b"\0\0\0\0" + bytes(8) + wdf()[528:], "declares 0 of"),
    ],
)
def test_damage_is_named(path: Path, raw: bytes, reason: str) -> None:
    path.write_bytes(raw)
    with pytest.raises(UnreadableFileError, match=reason):
        RenishawWdf()(path)


def test_more_points_than_the_file_has(path: Path) -> None:
    raw = bytearray(wdf())
    struct.pack_into("<I", raw, 60, 1 << 22)
    path.write_bytes(raw)
    with pytest.raises(UnreadableFileError, match="has 8 intensities on 8 positions"):
        RenishawWdf()(path)
