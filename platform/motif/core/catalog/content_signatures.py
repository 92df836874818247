"""Finding the same values in other formats: content signatures, and the comparison of values.

A content signature is three numbers per channel. The channel is centred and its magnitudes are
averaged, weighted by cosines across the image or along the axis. Units, rounding, turned or
mirrored images and reversed axes change these averages by little, so copies are neighbours and an
index finds them. Whether two neighbours really have the same values is then decided on the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.units import is_pure, si

ContentSignature: TypeAlias = tuple[int, str, float, float, float]
"""Channel, form (what can be compared at all) and the three averages, each between -1 and 1."""
ValueAgreement: TypeAlias = Literal["same values", "resampled"]
Values: TypeAlias = NDArray[np.float64]

MIN_IMAGE_SIZE = 16
"""Pixels along each side."""
MIN_SPECTRUM_LENGTH = 32
MIN_DISTINCT_VALUES = 16
"""Distinct ones of `SAMPLED_VALUES` values: a plateau with a spike resembles any other."""
SAMPLED_VALUES = 1024
MIN_RELATIVE_SPREAD = 1e-6
"""Spread over magnitude below which a channel is constant within the resolution of its numbers."""

SAME, RESAMPLED = 2e-3, 0.15
"""Root mean square of the difference over that of the centred values, at most: a text of four
digits stays below the first, an export onto another grid below the second."""
SAME_SPREAD, RESAMPLED_SPREAD = 1e-3, 0.1
"""Relative difference of the spreads in one unit, at most."""
END_STEPS = 2.0
"""Distance in steps between the ends of a resampled axis and those of the original, at most."""


def content_signatures(
    layout: Mapping[str, Any], values: NDArray[Any], axes: Mapping[str, NDArray[Any]]
) -> list[ContentSignature]:
    """Signatures of the channels that have enough structure to be recognised.

    Args:
        layout: of the measurement (`motif.core.store.array_layout.layout_of`).
        values: (channel, y, x) of an image, or (points,) of a spectrum.
        axes: path -> values of the axes the layout names.
    """
    signatures: list[ContentSignature] = []
    if layout["dims"] == ["channel", "y", "x"]:
        if min(values.shape[1:]) >= MIN_IMAGE_SIZE:
            low, high = sorted(values.shape[1:])
            for channel, plane in enumerate(values):
                if (centred := _centred_channel(plane)) is not None:
                    averages = _image_averages(centred)
                    signatures.append((channel, f"{high} x {low} pixels", *averages))
    elif values.ndim == 1 and len(values) >= MIN_SPECTRUM_LENGTH:
        axis = layout["coordinates"][layout["dims"][0]]
        positions = axes.get(axis.get("array", ""))
        centred = _centred_channel(values)
        if centred is not None and positions is not None and _has_extent(positions):
            positions, base = in_si(positions, axis["units"])
            form = f"spectrum over {base or 'numbers'}"
            signatures.append((0, form, *_spectrum_averages(centred, positions)))
    return signatures


def in_si(positions: NDArray[Any], unit: str) -> tuple[NDArray[np.float64], str]:
    """Positions in SI units and the SI unit; unchanged where the unit is unknown."""
    try:
        zero, base = si(0.0, unit)
        return zero + (si(1.0, unit)[0] - zero) * np.asarray(positions, np.float64), base
    except ValueError:
        return np.asarray(positions, np.float64), unit


def same_images(first: NDArray[Any], second: NDArray[Any], units: tuple[str, str]) -> bool:
    """Whether two planes (y, x) have the same values, possibly turned or mirrored."""
    if sorted(first.shape) != sorted(second.shape):
        return False
    reference, other = _centred_values(first), _centred_values(second)
    return any(
        _agree(reference, turned, units, SAME, SAME_SPREAD)
        for turned in _orientations(other, reference.shape)
    )


def compare_spectra(
    first: tuple[Values, Values],
    second: tuple[Values, Values],
    units: tuple[str, str],
    *,
    same_name: bool,
) -> ValueAgreement | None:
    """How two spectra agree; None where they do not.

    Args:
        first: axis in SI units and intensities, both (n,).
        second: the same of the other spectrum, (m,).
        units: of the intensities.
        same_name: whether both have the same key in files of the same name; only then can one be
            the other on another grid.
    """
    (x, y), (other_x, other_y) = _ascending(*first), _ascending(*second)
    step = float(np.median(np.diff(x)))
    on_one_grid = len(x) == len(other_x) and np.abs(x - other_x).max() <= step / 2
    if on_one_grid and _agree(
        _centred_values(y), _centred_values(other_y), units, SAME, SAME_SPREAD
    ):
        return "same values"
    coarse = max(step, float(np.median(np.diff(other_x))))
    end_distance = max(abs(x[0] - other_x[0]), abs(x[-1] - other_x[-1]))
    if not same_name or coarse <= 0 or end_distance > END_STEPS * coarse:
        return None
    if len(other_x) > len(x):
        other_y = np.interp(x, other_x, other_y)
    else:
        y = np.interp(other_x, x, y)
    agree = _agree(_centred_values(y), _centred_values(other_y), units, RESAMPLED, RESAMPLED_SPREAD)
    return "resampled" if agree else None


def unevenness(axis: Values) -> float:
    """Range of the steps of an axis over their mean; 0 for evenly spaced points."""
    steps = np.abs(np.diff(axis))
    return float(np.ptp(steps) / steps.mean())


def _has_extent(positions: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(positions).all() and np.ptp(positions) > 0)


def _centred_channel(values: NDArray[Any]) -> NDArray[Any] | None:
    """Values minus their mean, 0 in gaps; None where they have too little structure."""
    flat = values.ravel()
    if len(np.unique(flat[:: max(1, flat.size // SAMPLED_VALUES)])) < MIN_DISTINCT_VALUES:
        return None
    mean = flat.mean(dtype=np.float64)
    if not np.isfinite(mean):
        known = flat[np.isfinite(flat)]
        if known.size < flat.size / 2:
            return None
        mean = known.mean(dtype=np.float64)
        values = np.where(np.isfinite(values), values, mean)
    centred = values - values.dtype.type(mean)
    spread = float(np.abs(centred).mean(dtype=np.float64))
    return centred if spread > MIN_RELATIVE_SPREAD * abs(mean) and np.isfinite(spread) else None


def _image_averages(centred: NDArray[Any]) -> tuple[float, float, float]:
    size = np.abs(centred)
    profiles = size.sum(1, dtype=np.float64), size.sum(0, dtype=np.float64)
    # Even cosines: a mirrored image has the same averages; a turned one has them swapped.
    coarse = [_cosine_average(each, np.linspace(0, 1, len(each)), 2) for each in profiles]
    fine = [_cosine_average(each, np.linspace(0, 1, len(each)), 4) for each in profiles]
    low, high = sorted(coarse)
    return _rounded(low, high, sum(fine) / 2)


def _spectrum_averages(
    centred: NDArray[Any], positions: NDArray[Any]
) -> tuple[float, float, float]:
    order = np.argsort(positions, kind="stable")
    axis, size = positions[order], np.abs(centred[order]).astype(np.float64)
    fraction = (axis - axis[0]) / (axis[-1] - axis[0])
    weight = size * np.gradient(fraction) if np.all(np.diff(fraction) > 0) else size
    return _rounded(*(_cosine_average(weight, fraction, count) for count in (1, 2, 3)))


def _cosine_average(
    weight: NDArray[np.float64], fraction: NDArray[np.float64], count: int
) -> float:
    return float(weight @ np.cos(count * np.pi * fraction) / weight.sum())


def _rounded(*averages: float) -> tuple[float, float, float]:
    first, second, third = (round(average, 7) for average in averages)
    return first, second, third


def _centred_values(values: NDArray[Any]) -> Values:
    """Values minus their mean, 0 in gaps."""
    wide = np.asarray(values, np.float64)
    return np.nan_to_num(wide - np.nanmean(np.where(np.isfinite(wide), wide, np.nan)), nan=0.0)


def _agree(
    first: Values, second: Values, units: tuple[str, str], tolerance: float, spread: float
) -> bool:
    """Whether centred values agree in shape and, where units allow, in size."""
    sizes = [float(np.sqrt(np.mean(each**2))) for each in (first, second)]
    if min(sizes) == 0 or not np.isfinite(sizes).all():
        return False
    factor = _conversion_factor(*units)
    if factor is not None and abs(sizes[0] / (sizes[1] * factor) - 1) > spread:
        return False
    difference = first / sizes[0] - second / sizes[1]
    return float(np.sqrt(np.mean(difference**2))) <= tolerance


def _conversion_factor(unit: str, other: str) -> float | None:
    """Value of one `other` in `unit`; None where they cannot be compared."""
    if unit == other:
        return 1.0
    try:
        (slope, base), (other_slope, other_base) = (_si_slope(each) for each in (unit, other))
    except ValueError:
        return None
    is_comparable = base == other_base and not is_pure(unit) and not is_pure(other)
    return other_slope / slope if is_comparable else None


def _si_slope(unit: str) -> tuple[float, str]:
    value, base = si(1.0, unit)
    return value - si(0.0, unit)[0], base


def _orientations(plane: Values, shape: tuple[int, ...]) -> Iterator[Values]:
    for each in (plane, plane.T):
        if each.shape == shape:
            yield from (each, each[::-1], each[:, ::-1], each[::-1, ::-1])


def _ascending(axis: Values, values: Values) -> tuple[Values, Values]:
    order = np.argsort(axis, kind="stable")
    return axis[order], values[order]
