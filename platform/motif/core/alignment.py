"""Spectra on differing axes brought onto one, for analysis alone: what is stored stays measured.

The rule: the range that all of them cover, evenly spaced as the most widely spaced of them is, in
ascending order, by straight lines between neighbouring points. Nothing is extrapolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnsuitableDataError

Values: TypeAlias = NDArray[np.float64]

LEAST = 0.5
"""Part of the longest axis that all spectra must cover."""


def common_axis(axes: Sequence[Values], unit: str) -> Values:
    """Positions (m,) that all the axes, ascending or descending, cover.

    Raises:
        UnsuitableDataError: they have too little in common.
    """
    first, last = max(axis.min() for axis in axes), min(axis.max() for axis in axes)
    longest = max(np.ptp(axis) for axis in axes)
    if last - first < LEAST * longest:
        raise UnsuitableDataError(
            f"{len(axes)} axes have only {first:g} to {last:g} {unit} in common; choose spectra "
            "of nearly one range with a filter."
        )
    spacing = max(float(np.median(np.abs(np.diff(axis)))) for axis in axes)
    return np.linspace(first, last, int(np.floor((last - first) / spacing + 1e-9)) + 1)


def aligned(values: Values, axis: Values, positions: Values) -> Values:
    """Spectra (n, l) on an axis (l,) at other positions (m,)."""
    order = np.argsort(axis, kind="stable")
    return np.array([np.interp(positions, axis[order], one[order]) for one in values])


def in_words(axes: Sequence[Values], positions: Values, unit: str) -> str:
    """The remark that goes with every result of aligned spectra."""
    return (
        f"spectra of {len(axes)} different axes are interpolated onto {len(positions)} even "
        f"points from {positions[0]:g} to {positions[-1]:g} {unit}"
    )
