"""Whether the numbers of two measurements are the same, whatever their formats did to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.units import is_pure, si

Likeness: TypeAlias = Literal["same values", "resampled"]
Values: TypeAlias = NDArray[np.float64]

SAME, RESAMPLED = 2e-3, 0.15
"""Root mean square of the difference over that of the centred values, at most: a text of four
digits stays below the first, an export onto another grid below the second."""
SAME_SPREAD, RESAMPLED_SPREAD = 1e-3, 0.1
"""Relative difference of the spreads in one unit, at most."""
STEPS = 2.0
"""How many points a resampled axis may begin or end apart."""


def same_images(first: NDArray[Any], second: NDArray[Any], units: tuple[str, str]) -> bool:
    """Whether two planes hold the same values, as they lie or turned and mirrored."""
    if sorted(first.shape) != sorted(second.shape):
        return False
    here, there = _centred(first), _centred(second)
    return any(_agree(here, one, units, SAME, SAME_SPREAD) for one in _turned(there, here.shape))


def spectra_likeness(
    first: tuple[Values, Values],
    second: tuple[Values, Values],
    units: tuple[str, str],
    *,
    one_name: bool,
) -> Likeness | None:
    """How two spectra agree.

    Args:
        first: axis in SI units and intensities, both (n,).
        second: the same of the other one, (m,).
        units: of the intensities.
        one_name: whether they lie at the same place in files of the same name; only then is one
            taken for the other on another grid.
    """
    (x, here), (x2, there) = _ascending(*first), _ascending(*second)
    step = float(np.median(np.diff(x)))
    on_one_grid = len(x) == len(x2) and np.abs(x - x2).max() <= step / 2
    if on_one_grid and _agree(_centred(here), _centred(there), units, SAME, SAME_SPREAD):
        return "same values"
    coarse = max(step, float(np.median(np.diff(x2))))
    apart = max(abs(x[0] - x2[0]), abs(x[-1] - x2[-1]))
    if not one_name or coarse <= 0 or apart > STEPS * coarse:
        return None
    if len(x2) > len(x):
        here, there = _centred(here), _centred(np.interp(x, x2, there))
    else:
        here, there = _centred(np.interp(x2, x, here)), _centred(there)
    return "resampled" if _agree(here, there, units, RESAMPLED, RESAMPLED_SPREAD) else None


def unevenness(axis: Values) -> float:
    """How much the steps of an axis differ, over their mean; 0 for an even one."""
    steps = np.abs(np.diff(axis))
    return float(np.ptp(steps) / steps.mean())


def _centred(values: NDArray[Any]) -> Values:
    """Values about their mean; gaps become the mean."""
    wide = np.asarray(values, np.float64)
    return np.nan_to_num(wide - np.nanmean(np.where(np.isfinite(wide), wide, np.nan)), nan=0.0)


def _agree(
    here: Values, there: Values, units: tuple[str, str], closest: float, spread: float
) -> bool:
    sizes = [float(np.sqrt(np.mean(one**2))) for one in (here, there)]
    if min(sizes) == 0 or not np.isfinite(sizes).all():
        return False
    factor = _factor(*units)
    if factor is not None and abs(sizes[0] / (sizes[1] * factor) - 1) > spread:
        return False
    difference = here / sizes[0] - there / sizes[1]
    return float(np.sqrt(np.mean(difference**2))) <= closest


def _factor(unit: str, other: str) -> float | None:
    """What one of the other unit is in the first; None where one of them tells too little."""
    if unit == other:
        return 1.0
    try:
        (here, base), (there, other_base) = (_slope(one) for one in (unit, other))
    except ValueError:
        return None
    return there / here if base == other_base and not is_pure(unit) and not is_pure(other) else None


def _slope(unit: str) -> tuple[float, str]:
    one, base = si(1.0, unit)
    return one - si(0.0, unit)[0], base


def _turned(plane: Values, shape: tuple[int, ...]) -> Iterator[Values]:
    for one in (plane, plane.T):
        if one.shape == shape:
            yield from (one, one[::-1], one[:, ::-1], one[::-1, ::-1])


def _ascending(axis: Values, values: Values) -> tuple[Values, Values]:
    order = np.argsort(axis, kind="stable")
    return axis[order], values[order]
