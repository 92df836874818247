"""Planes of a Nanoscope file in physical units, and where their pixels lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.nanoscope_header import Section, scale
from motif.ingest.readers.spm_image import Grid, Plane, announced, spread
from motif.ingest.readers.spm_values import base_unit, number, number_and_rest

DIRECTIONS = {"trace": "Trace", "retrace": "Retrace"}


@dataclass(frozen=True)
class NanoscopePlane:
    """A plane with the list of the header that describes it."""

    plane: Plane
    section: Section
    notes: tuple[str, ...]


def plane(path: Path, raw: bytes, section: Section, lists: list[Section]) -> NanoscopePlane:
    """Read one plane of 16- or 32-bit integers and scale it.

    From version 9.2 on numbers have 32 bits whatever ``Bytes/pixel`` says; the length of the
    data tells. The full scale of a plane belongs to the whole range of its integers.

    Raises:
        UnreadableFileError: the data are not all there, or nothing tells their scale.
    """
    notes = []
    name = _name(section)
    points, lines = section.whole("Samps/line"), section.whole("Number of lines")
    offset, length = section.whole("Data offset"), section.whole("Data length")
    announced(path, f"{points} x {lines} pixels of {name}", points * lines, len(raw))
    width = length // (points * lines)
    if width not in (2, 4) or length != width * points * lines:
        raise UnreadableFileError(
            f"{path.name} announces {points} x {lines} pixels of {name} in {length:,} bytes, which "
            "are neither 16- nor 32-bit numbers; copy the file again"
        )
    announced(path, f"{length:,} bytes of {name} at byte {offset:,}", offset + length, len(raw))
    if section.whole("Bytes/pixel") not in (0, width):
        notes.append(f"{name} has {width} bytes a pixel, whatever its header says")
    key = section.starting(r"@\d:Z scale")
    full = scale(section, lists, key)
    if full is None or not math.isfinite(full[0]):
        raise UnreadableFileError(
            f"the header of {path.name} does not tell the scale of {name} "
            f"({key or 'Z scale'}: {section.text(key)!r}); export it from NanoScope Analysis"
        )
    factor, unit = _in_base_unit(*full)
    valid = section.whole("Valid data len Y")
    if 0 < valid < lines:
        notes.append(f"only {valid} of {lines} lines of {name} were measured")
    stored = np.frombuffer(raw, f"<i{width}", points * lines, offset).reshape(lines, points)
    dtype = np.float32 if width == 2 else np.float64
    values = stored * dtype(factor / 2.0 ** (8 * width))
    return NanoscopePlane(Plane(name, unit, values), section, tuple(notes))


def grid(path: Path, section: Section, lists: list[Section]) -> Grid:
    """Distances of the pixels from the size of the scan, which is that of the plane's own list.

    Raises:
        UnreadableFileError: no size is told.
    """
    points, lines = section.whole("Samps/line"), section.whole("Number of lines")
    for one in (section, *lists):
        text = one.text("Scan Size", "Scan size")
        words = text.split()
        if len(words) == 3 and (second := number(words[1])) is not None:
            told = [number_and_rest(f"{words[0]} {words[2]}"), (second, words[2])]
        else:
            told = [number_and_rest(text)]
        sizes = [pair[0] * base_unit(pair[1])[0] for pair in told if pair and _length(pair[1])]
        if sizes and min(sizes) > 0:
            step = spread(sizes[0], points)
            return Grid(spread(sizes[1], lines) if len(sizes) > 1 else step, step)
    raise UnreadableFileError(f"the header of {path.name} does not tell the size of the scan")


def _in_base_unit(value: float, unit: str) -> tuple[float, str]:
    factor, offset, base = base_unit(unit)
    return (value, unit) if offset else (value * factor, base)


def _length(unit: str) -> bool:
    return base_unit(unit)[2] == "m"


def _name(section: Section) -> str:
    """``Height Sensor`` on the way back in the lift pass → ``LiftHeightSensorRetrace``."""
    key = section.starting(r"@\d:Image Data")
    name = section.choice(key) or section.text("Image data") or "Image"
    lift = "Lift" if section.text("Scan Line", "Scan line").lower() == "interleave" else ""
    direction = section.text("Line Direction", "Line direction").lower()
    return lift + "".join(name.split()) + DIRECTIONS.get(direction, "")
