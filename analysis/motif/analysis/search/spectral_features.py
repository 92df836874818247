"""Features of spectra: shape of the first derivative, which a baseline and a scale leave alone.

A constant background has no derivative, a sloping one a constant derivative that centring takes
away, and unit length removes laser power and exposure. Smoothing and differentiation are one
Savitzky-Golay filter (Anal. Chem. 36, 1627, 1964). PCA keeps the 64 directions of most variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnsuitableDataError

COMPONENTS = 64
MOST_POINTS = 1024
WINDOWS = 64
"""The smoothing window is this fraction of the common axis."""
FEWEST = 8
"""Finite points a spectrum needs."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SpectrumTrace:
    """One spectrum: axis (L,) in any order, intensity (L,)."""

    axis: Floats
    intensity: Floats


@dataclass(frozen=True)
class SpectralBasis:
    """Turns any spectrum that covers its axis into features comparable with the collection's."""

    axis: Floats
    """Common axis, equally spaced (L,)."""
    centre: Floats
    """Mean shape of the collection (L,)."""
    axes: Floats
    """Principal directions of shape (L, p)."""

    def features(self, traces: Sequence[SpectrumTrace]) -> NDArray[np.float32]:
        """Features (n, p); rows of spectra that cannot be compared are NaN."""
        return _carried(_shapes(traces, self.axis), self)


def fit(traces: Sequence[SpectrumTrace]) -> tuple[SpectralBasis, NDArray[np.float32]]:
    """Basis and features (n, p) of a collection; unusable spectra have rows of NaN."""
    axis = _common_axis(traces)
    shapes = _shapes(traces, axis)
    good = shapes[np.isfinite(shapes).all(1)]
    if len(good) < 2:
        raise UnsuitableDataError(
            f"Of {len(traces)} spectra {len(good)} have {FEWEST} finite points and some shape; "
            "comparing takes two."
        )
    centre = good.mean(0)
    good = good - centre
    axes = np.linalg.eigh(good.T @ good)[1][:, ::-1][:, : min(COMPONENTS, len(good) - 1)]
    largest = np.abs(axes).argmax(0)
    axes = axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    basis = SpectralBasis(axis, centre, axes)
    return basis, _carried(shapes, basis)


def _carried(shapes: Floats, basis: SpectralBasis) -> NDArray[np.float32]:
    # Row by row, so that a spectrum has the same features whatever is looked at with it.
    rows = [(shape - basis.centre) @ basis.axes for shape in shapes]
    return np.array(rows, np.float32).reshape(len(shapes), basis.axes.shape[1])


def _common_axis(traces: Sequence[SpectrumTrace]) -> Floats:
    low = max(float(trace.axis.min()) for trace in traces)
    high = min(float(trace.axis.max()) for trace in traces)
    points = min(MOST_POINTS, max(len(trace.axis) for trace in traces))
    if not low < high or points < FEWEST:
        raise UnsuitableDataError(
            "These spectra have no stretch of their axes in common; choose those that overlap "
            "with a filter."
        )
    return np.linspace(low, high, points)


def _shapes(traces: Sequence[SpectrumTrace], axis: Floats) -> Floats:
    """Smoothed first derivatives on `axis`, centred, of unit length (n, L)."""
    from scipy.signal import savgol_filter

    raw = np.stack([_resampled(trace, axis) for trace in traces])
    window = max(5, len(axis) // WINDOWS) | 1
    good = np.isfinite(raw).all(1)
    slopes = np.full_like(raw, np.nan)
    if good.any():
        slopes[good] = savgol_filter(raw[good], window, polyorder=2, deriv=1, axis=1)
    slopes -= slopes.mean(1, keepdims=True)
    lengths = np.linalg.norm(slopes, axis=1, keepdims=True)
    rounding = 1e-12 * np.abs(raw).max(1, keepdims=True)
    return slopes / np.where(lengths > rounding, lengths, np.nan)


def _resampled(trace: SpectrumTrace, axis: Floats) -> Floats:
    finite = np.isfinite(trace.axis) & np.isfinite(trace.intensity)
    step = axis[1] - axis[0]
    position = trace.axis[finite]
    if finite.sum() < FEWEST or position.min() > axis[0] + step or position.max() < axis[-1] - step:
        return np.full(len(axis), np.nan)
    order = np.argsort(position)
    return np.interp(axis, position[order], trace.intensity[finite][order])
