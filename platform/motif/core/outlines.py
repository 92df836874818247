"""Three numbers a channel, by which the same measurement is found again in another format.

Each channel is centred and its magnitudes are averaged under waves across the image or along the
axis. Neither units, nor rounding, nor a turned or mirrored image, nor a reversed axis change the
averages by more than a little, so copies are neighbours and an index finds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.units import si

Outline: TypeAlias = tuple[int, str, float, float, float]
"""Channel, form (what can be compared at all) and the three averages, each between -1 and 1."""

SMALLEST_IMAGE = 16
"""Pixels along each side."""
SHORTEST_SPECTRUM = 32
FEWEST_VALUES = 16
"""Different values among `LOOKED_AT` of a channel: a plateau with a spike resembles any other."""
LOOKED_AT = 1024
FLATTEST = 1e-6
"""Spread over magnitude below which a channel is constant to what its numbers resolve."""


def outlines(
    layout: Mapping[str, Any], values: NDArray[Any], axes: Mapping[str, NDArray[Any]]
) -> list[Outline]:
    """Outlines of the channels that tell enough to be known again.

    Args:
        layout: of the measurement (`motif.core.layout.layout_of`).
        values: (channel, y, x) of an image, or (points,) of a spectrum.
        axes: arrays the layout names.
    """
    found: list[Outline] = []
    if layout["dims"] == ["channel", "y", "x"]:
        if min(values.shape[1:]) >= SMALLEST_IMAGE:
            low, high = sorted(values.shape[1:])
            for channel, plane in enumerate(values):
                if (centred := _centred(plane)) is not None:
                    found.append((channel, f"{high} x {low} pixels", *_of_image(centred)))
    elif values.ndim == 1 and len(values) >= SHORTEST_SPECTRUM:
        axis = layout["coordinates"][layout["dims"][0]]
        places = axes.get(axis.get("array", ""))
        centred = _centred(values)
        if centred is not None and places is not None and _has_length(places):
            positions, base = in_si(places, axis["units"])
            form = f"spectrum over {base or 'numbers'}"
            found.append((0, form, *_of_spectrum(centred, positions)))
    return found


def in_si(positions: NDArray[Any], unit: str) -> tuple[NDArray[np.float64], str]:
    """Positions in the SI unit, and its name; in their own where nobody knows it."""
    try:
        zero, base = si(0.0, unit)
        return zero + (si(1.0, unit)[0] - zero) * np.asarray(positions, np.float64), base
    except ValueError:
        return np.asarray(positions, np.float64), unit


def _has_length(places: NDArray[np.float64]) -> bool:
    """Whether an axis leads from somewhere to somewhere else."""
    return bool(np.isfinite(places).all() and np.ptp(places) > 0)


def _centred(values: NDArray[Any]) -> NDArray[Any] | None:
    """Values about their mean, gaps as the mean itself; None where they tell too little."""
    flat = values.ravel()
    if len(np.unique(flat[:: max(1, flat.size // LOOKED_AT)])) < FEWEST_VALUES:
        return None
    mean = flat.mean(dtype=np.float64)
    if not np.isfinite(mean):
        known = flat[np.isfinite(flat)]
        if known.size < flat.size / 2:
            return None
        mean = known.mean(dtype=np.float64)
        values = np.where(np.isfinite(values), values, mean)
        flat = values.ravel()
    centred = values - values.dtype.type(mean)
    spread = float(np.abs(centred).mean(dtype=np.float64))
    return centred if spread > FLATTEST * abs(mean) and np.isfinite(spread) else None


def _of_image(centred: NDArray[Any]) -> tuple[float, float, float]:
    size = np.abs(centred)
    rows, columns = size.sum(1, dtype=np.float64), size.sum(0, dtype=np.float64)
    # Even waves: a mirrored image has the same averages; a turned one, swapped.
    along = [_wave(one, np.linspace(0, 1, len(one)), 2) for one in (rows, columns)]
    fine = [_wave(one, np.linspace(0, 1, len(one)), 4) for one in (rows, columns)]
    low, high = sorted(along)
    return _rounded(low, high, sum(fine) / 2)


def _of_spectrum(centred: NDArray[Any], places: NDArray[Any]) -> tuple[float, float, float]:
    order = np.argsort(places, kind="stable")
    axis, size = places[order], np.abs(centred[order]).astype(np.float64)
    part = (axis - axis[0]) / (axis[-1] - axis[0])
    weight = size * np.gradient(part) if np.all(np.diff(part) > 0) else size
    return _rounded(*(_wave(weight, part, count) for count in (1, 2, 3)))


def _wave(weight: NDArray[np.float64], part: NDArray[np.float64], count: int) -> float:
    return float(weight @ np.cos(count * np.pi * part) / weight.sum())


def _rounded(*averages: float) -> tuple[float, float, float]:
    first, second, third = (round(average, 7) for average in averages)
    return first, second, third
