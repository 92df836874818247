"""Axes of an image and the values along a line drawn over it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from motif.dashboard.data.measurement_picture import CLIP
from motif.dashboard.data.number_format import scale_for, written

Ends: TypeAlias = tuple[float, float, float, float]
"""x and y of a line's first end, then of its second, in shares of the image's width and height."""

TICKS = 5
MOST_SAMPLES = 2048
PIXELS = "px"


@dataclass(frozen=True)
class Axis:
    """One side of an image: its length, and ticks as (share of the length, text)."""

    length: float
    """In the unit of the axis's data."""
    unit: str
    """As it is printed."""
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Profile:
    """Values (n,) along a line, and how far from its first end each is (n,)."""

    distance: NDArray[np.float64]
    values: NDArray[np.float64]


def axis_of(coordinate: xr.DataArray) -> Axis:
    """The axis of pixels whose middles lie at `coordinate` (n,)."""
    middles = np.asarray(coordinate.values, np.float64)
    unit = str(coordinate.attrs.get("units", ""))
    step = float(middles[1] - middles[0]) if len(middles) > 1 else 1.0
    length = abs(step) * len(middles)
    if not unit or not length:
        return Axis(float(len(middles)), PIXELS, ticks(float(len(middles))))
    scale, name = scale_for(length, unit)
    return Axis(length, written(name), ticks(length / scale))


def ticks(length: float) -> list[tuple[float, str]]:
    """Round numbers from 0 to `length`, as (share of it, text)."""
    rough = length / TICKS
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next(m * decade for m in (1, 2, 2.5, 5, 10) if m * decade >= rough * 0.999)
    count = math.floor(length / step * (1 + 1e-9))
    return [(k * step / length, f"{k * step:.4g}") for k in range(count + 1)]


def limits(frame: NDArray[np.float32]) -> tuple[float, float]:
    """Values at the ends of the colours, as pictures are drawn with."""
    known = frame[np.isfinite(frame)]
    if known.size == 0:
        return 0.0, 0.0
    low, high = (float(end) for end in np.percentile(known, CLIP))
    return (low, high) if high > low else (float(known.min()), float(known.max()))


def parse_line(text: str) -> Ends | None:
    """``x,y,x,y`` in shares; None for anything else."""
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        return None
    ends = (x0, y0, x1, y1)
    return ends if all(0 <= end <= 1 for end in ends) and (x0, y0) != (x1, y1) else None


def spell_line(ends: Sequence[float]) -> str:
    """The inverse of `parse_line`, to a thousandth of the image."""
    return ",".join(f"{min(1.0, max(0.0, float(end))):.3f}" for end in ends)


def profile(
    frame: NDArray[np.float32], ends: Ends, lengths: tuple[float, float]
) -> Profile:  # fmt: skip
    """Values of an image (y, x) along a line, interpolated between pixels.

    Args:
        frame: the image.
        ends: of the line.
        lengths: of the image along x and y.
    """
    from scipy.ndimage import map_coordinates

    high, wide = frame.shape
    x0, y0, x1, y1 = ends
    samples = math.ceil(math.hypot((x1 - x0) * wide, (y1 - y0) * high)) + 1
    along = np.linspace(0, 1, min(max(2, samples), MOST_SAMPLES))
    x, y = (
        (start + (end - start) * along) * n - 0.5
        for start, end, n in ((x0, x1, wide), (y0, y1, high))
    )
    values = map_coordinates(frame.astype(np.float64), [y, x], order=1, mode="nearest")
    length = math.hypot((x1 - x0) * lengths[0], (y1 - y0) * lengths[1])
    return Profile(along * length, values)
