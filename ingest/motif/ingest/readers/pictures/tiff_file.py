"""TIFF: Park Systems scans, whose visible page is only a preview, and plain pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.kit import (
    check_announced,
    leading_number,
    length_in_metres,
    suffix_warnings,
)
from motif.ingest.readers.pictures.park_scan import DATA, HEADER, park_scan
from motif.ingest.readers.pictures.picture_file import (
    TAGS,
    check_picture_size,
    load_picture,
    picture_reading,
)

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")
KEPT_TAGS = (*TAGS, DATA, HEADER)
DECODED_COMPRESSIONS = (1, 8, 32946, 32773)
"""Compressions that tifffile decodes by itself: none, deflate (two codes), packbits."""


class Tiff:
    """Reads Park scans in physical units, others as pictures of up to 16 channels.

    The scale of a picture is what a sidecar, ImageJ or an electron microscope states.
    """

    name = "tiff"
    version = 3

    def recognises(self, head: bytes, name: str) -> bool:
        """The byte order mark and version, and an offset of the first directory."""
        return head.startswith(SIGNATURES) and any(head[4:8])

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the measured data, never the preview."""
        try:
            with tifffile.TiffFile(path) as file:
                page_tags = file.pages.first.tags
                tags = {tag.code: tag.value for tag in page_tags if tag.code in KEPT_TAGS}
                if DATA in tags or HEADER in tags:
                    return park_scan(path, tags.get(HEADER), tags.get(DATA), tags.get(306))
                texts = {TAGS[k]: str(v) for k, v in tags.items() if isinstance(v, str)}
                data = _pixels(path, file)
                own_size = pixel_size(file)
        except UnreadableFileError:
            raise
        except Exception as error:  # tifffile raises nearly any exception on damaged files
            raise UnreadableFileError(
                f"{path.name} is a damaged TIFF ({' '.join(str(error).split())[:200]}); fetch or "
                "copy it again"
            ) from error
        warnings = suffix_warnings(path, "a TIFF", ".tif", ".tiff")
        return picture_reading(path, data, texts, own_size, warnings, context)


def _pixels(path: Path, file: tifffile.TiffFile) -> NDArray[Any]:
    """Values (lines, points, channels) of the first series."""
    page, series = file.pages.first, file.series[0]
    lines, points = page.imagelength, page.imagewidth
    bands = int(np.prod(series.shape, dtype=np.int64)) // max(lines * points, 1)
    check_picture_size(path, points, lines, bands)
    if page.compression not in DECODED_COMPRESSIONS or page.photometric == 3:
        return load_picture(path, ("TIFF",))[0]
    if page.compression == 1:
        check_announced(path, f"{points} x {lines} pixels", page.nbytes, path.stat().st_size)
    if bands > 16 or page.dtype is None or page.dtype.kind not in "uif":
        raise UnreadableFileError(
            f"{path.name} is a stack of {bands} pictures of {points} x {lines} pixels of type "
            f"{page.dtype}, not an image; export one of them"
        )
    data = series.asarray()
    if series.axes.endswith("YX"):
        return np.moveaxis(data.reshape(-1, lines, points), 0, -1)
    return data.reshape(lines, points, -1)


RESOLUTION = 282
"""Tag with the pixels per unit of length along x, a fraction."""


def pixel_size(file: tifffile.TiffFile) -> float | None:
    """Width of a pixel in metres as ImageJ or an FEI or Zeiss microscope states it, or None."""
    for size in (_imagej(file), _fei(file.fei_metadata), _zeiss(file.sem_metadata)):
        if size is not None and math.isfinite(size) and 0 < size < 1:
            return size
    return None


def _imagej(file: tifffile.TiffFile) -> float | None:
    """ImageJ names its unit in the description and counts pixels in it."""
    metadata = file.imagej_metadata or {}
    unit = str(metadata.get("unit", "")).replace("\\u00B5", "µ").replace("micron", "um")
    tag = file.pages.first.tags.get(RESOLUTION)
    if not unit or tag is None or not isinstance(tag.value, tuple) or len(tag.value) != 2:
        return None
    numerator, denominator = tag.value
    return length_in_metres(f"{denominator / numerator:g}", unit) if numerator else None


def _fei(metadata: Mapping[str, Any] | None) -> float | None:
    scan = (metadata or {}).get("Scan")
    return leading_number(str(scan.get("PixelWidth", ""))) if isinstance(scan, Mapping) else None


def _zeiss(metadata: Mapping[str, Any] | None) -> float | None:
    """Zeiss writes (name, value, unit)."""
    entry = (metadata or {}).get("ap_image_pixel_size", (metadata or {}).get("ap_pixel_size"))
    if not isinstance(entry, tuple) or len(entry) < 3:
        return None
    return length_in_metres(f"{entry[1]} {entry[2]}")
