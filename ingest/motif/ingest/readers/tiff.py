"""TIFF: Park Systems scans, whose visible page is only a preview, and plain pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.naming import misnamed
from motif.ingest.readers.park_scan import DATA, HEADER, park_scan
from motif.ingest.readers.picture_planes import TAGS, load, reading, roomy
from motif.ingest.readers.spm_image import announced
from motif.ingest.readers.tiff_scale import pixel_size

BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")
KEPT = (*TAGS, DATA, HEADER)
UNPACKED = (1, 8, 32946, 32773)
"""Compressions tifffile undoes by itself: none, deflate (two codes), packbits."""


class Tiff:
    """Reads Park scans in physical units, others as pictures of up to 16 channels.

    The scale of a picture is what a sidecar, ImageJ or an electron microscope wrote.
    """

    name = "tiff"
    version = 2

    def recognises(self, head: bytes, name: str) -> bool:
        """The byte order mark and version, and a place for the first directory."""
        return head.startswith(BEGINNINGS) and any(head[4:8])

    def __call__(self, path: Path) -> Reading:
        """Read the measured data, never the preview."""
        try:
            with tifffile.TiffFile(path) as file:
                found = file.pages.first.tags
                tags = {tag.code: tag.value for tag in found if tag.code in KEPT}
                if DATA in tags or HEADER in tags:
                    return park_scan(path, tags.get(HEADER), tags.get(DATA), tags.get(306))
                texts = {TAGS[k]: str(v) for k, v in tags.items() if isinstance(v, str)}
                data = _pixels(path, file)
                own = pixel_size(file)
        except UnreadableFileError:
            raise
        except Exception as error:  # tifffile raises nearly every kind there is on damaged files
            raise UnreadableFileError(
                f"{path.name} is a damaged TIFF ({' '.join(str(error).split())[:200]}); fetch or "
                "copy it again"
            ) from error
        return reading(path, data, texts, own, misnamed(path, "a TIFF", ".tif", ".tiff"))


def _pixels(path: Path, file: tifffile.TiffFile) -> NDArray[Any]:
    """Values (lines, points, channels) of the first series."""
    page, series = file.pages.first, file.series[0]
    lines, points = page.imagelength, page.imagewidth
    bands = int(np.prod(series.shape, dtype=np.int64)) // max(lines * points, 1)
    roomy(path, points, lines, bands)
    if page.compression not in UNPACKED or page.photometric == 3:
        return load(path, ("TIFF",))[0]
    if page.compression == 1:
        announced(path, f"{points} x {lines} pixels", page.nbytes, path.stat().st_size)
    if bands > 16 or page.dtype is None or page.dtype.kind not in "uif":
        raise UnreadableFileError(
            f"{path.name} is a stack of {bands} pictures of {points} x {lines} pixels of type "
            f"{page.dtype}, not an image; export one of them"
        )
    data = series.asarray()
    if series.axes.endswith("YX"):
        return np.moveaxis(data.reshape(-1, lines, points), 0, -1)
    return data.reshape(lines, points, -1)
