"""Pixel sizes that programs write into a TIFF, as opposed to the resolution of a print."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import tifffile

from motif.ingest.readers.spm_values import metres, number

RESOLUTION = 282
"""Tag with the pixels in a unit across, a fraction."""


def pixel_size(file: tifffile.TiffFile) -> float | None:
    """Width of a pixel in metres by ImageJ or by an FEI or Zeiss microscope, None if none tells."""
    for size in (_imagej(file), _fei(file.fei_metadata), _zeiss(file.sem_metadata)):
        if size is not None and math.isfinite(size) and 0 < size < 1:
            return size
    return None


def _imagej(file: tifffile.TiffFile) -> float | None:
    """ImageJ names its unit in the description and counts pixels in it."""
    told = file.imagej_metadata or {}
    unit = str(told.get("unit", "")).replace("\\u00B5", "µ").replace("micron", "um")
    tag = file.pages.first.tags.get(RESOLUTION)
    if not unit or tag is None or not isinstance(tag.value, tuple) or len(tag.value) != 2:
        return None
    across, below = tag.value
    return metres(f"{below / across:g}", unit) if across else None


def _fei(told: Mapping[str, Any] | None) -> float | None:
    scan = (told or {}).get("Scan")
    return number(str(scan.get("PixelWidth", ""))) if isinstance(scan, Mapping) else None


def _zeiss(told: Mapping[str, Any] | None) -> float | None:
    """Zeiss writes (name, value, unit)."""
    entry = (told or {}).get("ap_image_pixel_size", (told or {}).get("ap_pixel_size"))
    if not isinstance(entry, tuple) or len(entry) < 3:
        return None
    return metres(f"{entry[1]} {entry[2]}")
