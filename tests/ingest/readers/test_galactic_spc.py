import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers.galactic.reader import EVEN, GalacticSpc
from motif.ingest.readers.galactic.spc_format import HEADER, LOG, SUBHEADER

DATE = 2022 << 20 | 8 << 16 | 22 << 11 | 13 << 6 | 50
LOGGED = (
    b"Laser=Laser: 785 nm edge\r\nExposure_time=Time: 3000\r\nOperator=Raman\r\nbare line\r\n\0"
)


def spc(
    spectra: list[NDArray[np.float64]],
    axis: NDArray[np.float64] | None = None,
    own: list[NDArray[np.float64]] | None = None,
    integers: str = "",
    version: int = 0x4B,
    units: tuple[int, int, int] = (13, 4, 4),
) -> bytes:
    """A file of the new format, the intensities as floats or as `integers` of 16 or 32 bits."""
    points = len(spectra[0])
    flags = 0x04 * (len(spectra) > 1) | 0x80 * (axis is not None) | 0x40 * bool(own)
    flags |= 0x80 * bool(own) | 0x01 * (integers == "i2")
    exponent = 6 if integers else -128
    body = b"" if axis is None else axis.astype("<f4").tobytes()
    for i, values in enumerate(spectra):
        kind = "<" + (integers or "f4")
        scale = 2.0 ** (exponent - 8 * int(kind[-1])) if integers else 1.0
        x = own[i].astype("<f4").tobytes() if own else b""
        size = len(values) if own else 0
        body += SUBHEADER.pack(0, exponent, i, 60.0 * i, 0, 0, size, 0, 0, b"") + x
        body += (values / scale).astype(kind).tobytes()
    header = HEADER.pack(
        flags, version, 0, exponent, 0 if own else points, 100.0, 800.0, len(spectra), *units, 0,
        DATE, b"", b"", 0, bytes(32), b"quartz", b"", HEADER.size + len(body), 0, 0, 0, 0, 0.0,
        b"", 0.0, 0, 0.0, 0, b"",
    )  # fmt: skip
    log = LOG.pack(LOG.size + len(LOGGED), 4096, LOG.size, 0, 0, b"") + LOGGED
    return header + body + log


ONE = np.array([3.0, 9.5, 4.0, 1.25])


class TestGalacticSpc(ReaderTests):
    reader = GalacticSpc()
    suffix = ".spc"
    examples = 30

    def write_valid(self, path: Path) -> None:
        path.write_bytes(spc([ONE, 2 * ONE], axis=np.array([100.0, 200, 400, 800])))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "quartz.spc"


def test_an_even_axis_gives_a_warning_of_resampling(path: Path) -> None:
    path.write_bytes(spc([ONE]))
    reading = GalacticSpc()(path)
    (found,) = reading.measurements
    assert reading.warnings == [EVEN]
    assert found.title == "quartz"
    assert found.data.attrs == {"units": "count"}
    np.testing.assert_allclose(found.data["raman_shift"], [100, 1000 / 3, 1700 / 3, 800])
    np.testing.assert_array_equal(found.data, ONE)
    facets = {f.name: (f.value, f.unit) for f in found.facets}
    assert facets == {
        "technique": ("Raman spectroscopy", ""),
        "operator": ("Raman", ""),
        "laser_wavelength": (785e-9, "m"),
        "exposure_time": (3.0, "s"),
        "acquired_at": ("2022-08-22T13:50:00", ""),
    }
    assert ("log", "bare line") in reading.header


@pytest.mark.parametrize("integers", ["i2", "i4"])
def test_scaled_integers_and_a_stored_axis(path: Path, integers: str) -> None:
    axis = np.array([800.0, 400, 200, 100])
    path.write_bytes(spc([ONE], axis, integers=integers))
    reading = GalacticSpc()(path)
    assert not reading.warnings
    np.testing.assert_array_equal(reading.measurements[0].data["raman_shift"], axis)
    np.testing.assert_allclose(reading.measurements[0].data, ONE, atol=1e-3)


def test_a_series_on_one_axis_carries_its_times(path: Path) -> None:
    path.write_bytes(spc([ONE, 2 * ONE], np.array([1.0, 2, 4, 8])))
    first, second = GalacticSpc()(path).measurements
    assert (first.key, second.key) == ("0", "1")
    assert {f.name: f.value for f in second.facets}["series_time"] == 60.0
    np.testing.assert_array_equal(second.data, 2 * ONE)


def test_every_spectrum_on_its_own_axis(path: Path) -> None:
    axes = [np.array([1.0, 2, 4, 8]), np.array([3.0, 2.0, 1.0])]
    path.write_bytes(spc([ONE, ONE[:3]], own=axes))
    found = GalacticSpc()(path).measurements
    for measurement, axis in zip(found, axes, strict=True):
        np.testing.assert_array_equal(measurement.data["raman_shift"], axis)


def test_absorbance_over_wavenumbers(path: Path) -> None:
    path.write_bytes(spc([ONE], units=(1, 2, 0)))
    (found,) = GalacticSpc()(path).measurements
    assert found.data.dims == ("wavenumber",)
    assert found.data.attrs == {"units": "1"}
    assert {f.name: f.value for f in found.facets}["signal"] == "absorbance"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (spc([ONE], version=0x4D), "format before 1996"),
        (spc([ONE], version=0x4C), "most significant byte first"),
        (spc([ONE], units=(17, 4, 0)), "unit number 17"),
        (spc([ONE])[:550], "declares 1 spectra of 4 points"),
        (spc([ONE, ONE])[:600], "declares 2 spectra"),
        (spc([ONE, ONE[:3]], own=[ONE, ONE[:3]])[:-150], "ends within spectrum 2 of the 2"),
    ],
)
def test_damage_is_named(path: Path, raw: bytes, reason: str) -> None:
    path.write_bytes(raw)
    with pytest.raises(UnreadableFileError, match=reason):
        GalacticSpc()(path)


def test_old_versions_are_recognised_by_suffix_and_refused_with_a_reason() -> None:
    raw = spc([ONE], version=0x4D)
    assert GalacticSpc().recognises(raw, "a.spc")
    assert not GalacticSpc().recognises(raw, "a.bin")


def test_a_missing_log(path: Path) -> None:
    raw = bytearray(spc([ONE]))
    struct.pack_into("<I", raw, 248, 1 << 31)
    path.write_bytes(raw)
    assert [key for key, _ in GalacticSpc()(path).header] == ["comment"]
