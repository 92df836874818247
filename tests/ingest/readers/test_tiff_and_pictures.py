import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers.pictures.park_scan import DATA, FIELDS, HEADER
from motif.ingest.readers.pictures.picture_file import PictureFile
from motif.ingest.readers.pictures.tiff_file import Tiff

TOP_DOWN = np.arange(5 * 8, dtype=np.uint8).reshape(5, 8)


def text16(text: str, size: int) -> np.void:
    return np.void(text.encode("utf-16-le").ljust(size, b"\0"))


def write_park(path: Path, kind: int = 0, preview: bool = True, **changed: Any) -> None:
    """A Park file of the second version: 16-bit numbers, its lowest line first."""
    head = np.zeros((), FIELDS)
    values = {
        "Width": 8, "Height": 5, "XScanSize": 0.7, "YScanSize": 0.4, "DataGain": 1e-3,
        "SourceName": text16("Z Height", 64), "ImageMode": text16("NC-AFM", 16),
        "Unit": text16("um", 16), "FastScanForward": 1, "SlowScanUp": 1, "Angle": 45.0,
        "AutoFlatten": 1, "ImageType": kind, "ScanRate": 1.0, **changed,
    }  # fmt: skip
    for name, value in values.items():
        head[name] = value
    raw = head.tobytes().ljust(580, b"\0")
    data = TOP_DOWN.astype("<i2").tobytes()
    tags = [(HEADER, "B", len(raw), raw, True), (DATA, "B", len(data), data, True)]
    picture = np.zeros((20, 20), np.uint8)
    tifffile.imwrite(path, picture, extratags=tags, datetime="2024:06:04 12:16:16")


class TestParkScan(ReaderTests):
    reader = Tiff()
    suffix = ".tiff"
    examples = 15

    def write_valid(self, path: Path) -> None:
        write_park(path)


class TestPlainTiff(ReaderTests):
    reader = Tiff()
    suffix = ".tif"
    examples = 15

    def write_valid(self, path: Path) -> None:
        tifffile.imwrite(path, TOP_DOWN.astype(np.float32))


class TestPng(ReaderTests):
    reader = PictureFile()
    suffix = ".png"
    examples = 15

    def write_valid(self, path: Path) -> None:
        Image.fromarray(TOP_DOWN).save(path, "PNG")


class TestJpeg(ReaderTests):
    reader = PictureFile()
    suffix = ".jpg"
    examples = 15

    def write_valid(self, path: Path) -> None:
        Image.fromarray(np.stack([TOP_DOWN] * 3, -1)).save(path, "JPEG")


def test_park_data_are_read_and_the_preview_is_not(tmp_path: Path) -> None:
    write_park(tmp_path / "a.tiff")
    reading = Tiff()(tmp_path / "a.tiff")
    (image,) = reading.measurements
    assert list(image.data["channel"].values) == ["ZHeightTrace"]
    assert list(image.data["unit"].values) == ["m"]
    np.testing.assert_allclose(image.data[0], TOP_DOWN * 1e-9, rtol=1e-6)
    assert image.data["x"].values[-1] == pytest.approx(7e-7)
    assert image.data["y"].values[-1] == pytest.approx(4e-7)
    facets = {f.name: (f.value, f.unit) for f in image.facets}
    assert facets["scan_size"] == (pytest.approx(7e-7), "m")
    assert facets["scan_angle"] == (pytest.approx(np.pi / 4), "rad")
    assert facets["mode"] == ("NC-AFM", "")
    assert facets["acquired_at"] == ("2024-06-04T12:16:16", "")
    assert facets["processing"] == ("ZHeightTrace: flattened while scanning", "")
    assert ("SourceName", "Z Height") in reading.header


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kind": 1}, "is a line profile"),
        ({"kind": 2}, "is a spectroscopy map"),
        ({"Width": 10**6}, "announces 1000000 x 5 pixels"),
        ({"Width": -8, "Height": -5}, "which take 0 bytes"),
        ({"DataGain": 0.0}, "the size of one step"),
        ({"XScanSize": float("nan")}, "is not a scan"),
    ],
)
def test_park_contradictions_are_named(tmp_path: Path, changed: Any, reason: str) -> None:
    write_park(tmp_path / "a.tiff", **changed)
    with pytest.raises(UnreadableFileError, match=reason):
        Tiff()(tmp_path / "a.tiff")


def test_a_picture_without_a_scale_is_in_pixels(tmp_path: Path) -> None:
    TestPng().write_valid(tmp_path / "a.png")
    reading = PictureFile()(tmp_path / "a.png")
    (image,) = reading.measurements
    assert list(image.data["channel"].values) == ["Intensity"]
    np.testing.assert_array_equal(image.data[0], TOP_DOWN[::-1])
    assert image.data["x"].attrs["units"] == "pixel"
    assert list(image.data["x"].values) == list(range(8))
    assert not [f for f in image.facets if f.name == "scan_size"]
    assert any("scale of a.png is not known" in warning for warning in reading.warnings)


@pytest.mark.parametrize(
    ("declared", "step"),
    [
        ({"pixel_size": "2 nm"}, 2e-9),
        ({"pixel_size": {"value": 0.5, "unit": "um"}}, 5e-7),
        ({"scan_size": "700 nm"}, 1e-7),
    ],
)
def test_a_sidecar_declares_the_scale(tmp_path: Path, declared: Any, step: float) -> None:
    TestPng().write_valid(tmp_path / "a.png")
    (tmp_path / "a.png.json").write_text(json.dumps({**declared, "channels": ["Height"]}))
    reading = PictureFile()(tmp_path / "a.png")
    (image,) = reading.measurements
    assert image.data["x"].attrs["units"] == "m"
    assert float(image.data["x"][1]) == pytest.approx(step)
    assert float(image.data["y"][1]) == pytest.approx(step)
    assert list(image.data["channel"].values) == ["Height"]
    assert not reading.warnings


@pytest.mark.parametrize(
    "text", ['{"pixel_size": 2e-9}', '{"pixel_size": "2 V"}', "[1]", "{", "[" * 100_000, "\xff"]
)
def test_a_sidecar_without_a_length_gives_no_scale(tmp_path: Path, text: str) -> None:
    TestPng().write_valid(tmp_path / "a.png")
    (tmp_path / "a.png.json").write_bytes(text.encode("latin-1"))
    reading = PictureFile()(tmp_path / "a.png")
    assert reading.measurements[0].data["x"].attrs["units"] == "pixel"
    assert len(reading.warnings) == 2


def test_colours_are_channels(tmp_path: Path) -> None:
    TestJpeg().write_valid(tmp_path / "a.jpg")
    reading = PictureFile()(tmp_path / "a.jpg")
    assert list(reading.measurements[0].data["channel"].values) == ["Red", "Green", "Blue"]
    assert any("JPEG compression changes values" in warning for warning in reading.warnings)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_tiff_keeps_numbers_as_stored(tmp_path: Path, dtype: Any) -> None:
    tifffile.imwrite(tmp_path / "a.tif", TOP_DOWN.astype(dtype), compression="zlib")
    (image,) = Tiff()(tmp_path / "a.tif").measurements
    np.testing.assert_array_equal(image.data[0], TOP_DOWN[::-1])


def test_stacks_of_few_planes_are_channels_and_of_many_are_named(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.stack([TOP_DOWN] * 4), photometric="minisblack")
    (image,) = Tiff()(tmp_path / "a.tif").measurements
    assert image.data.shape == (4, 5, 8)
    tifffile.imwrite(tmp_path / "b.tif", np.stack([TOP_DOWN] * 40), photometric="minisblack")
    with pytest.raises(UnreadableFileError, match="a stack of 40 pictures of 8 x 5"):
        Tiff()(tmp_path / "b.tif")


def test_lzw_and_palettes_are_decoded(tmp_path: Path) -> None:
    Image.fromarray(TOP_DOWN).save(tmp_path / "a.tif", compression="tiff_lzw")
    (image,) = Tiff()(tmp_path / "a.tif").measurements
    np.testing.assert_array_equal(image.data[0], TOP_DOWN[::-1])
    Image.fromarray(TOP_DOWN).convert("P").save(tmp_path / "b.tif")
    assert Tiff()(tmp_path / "b.tif").measurements[0].data.shape == (3, 5, 8)


def test_imagej_declares_the_scale(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", TOP_DOWN, imagej=True, resolution=(4, 4), metadata={"unit": "nm"}
    )
    (image,) = Tiff()(tmp_path / "a.tif").measurements
    assert float(image.data["x"][1]) == pytest.approx(0.25e-9)


def test_the_resolution_of_a_print_is_not_a_scale(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", TOP_DOWN, resolution=(300, 300), resolutionunit="INCH")
    (image,) = Tiff()(tmp_path / "a.tif").measurements
    assert image.data["x"].attrs["units"] == "pixel"


def test_a_decompression_bomb_is_not_unpacked(tmp_path: Path) -> None:
    TestPng().write_valid(tmp_path / "a.png")
    raw = bytearray((tmp_path / "a.png").read_bytes())
    raw[16:24] = (8000).to_bytes(4, "big") * 2
    raw[29:33] = zlib.crc32(raw[12:29]).to_bytes(4, "big")
    (tmp_path / "b.png").write_bytes(raw)
    with pytest.raises(UnreadableFileError, match="announces 8000 x 8000 pixels"):
        PictureFile()(tmp_path / "b.png")
