"""Points of a projection in the binary form sent to the browser, and lasso selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

LATTICE = 65_535
"""Steps along each axis: finer than any screen, half the bytes of float32."""

SHUFFLE_SEED = 1


@dataclass(frozen=True)
class Bounds:
    """Corner and width of the square that holds every point, in data coordinates."""

    x: float
    y: float
    span: float


@dataclass(frozen=True)
class Placement:
    """A projection in a shuffled order, so that the first points are a fair sample of all.

    Attributes:
        key: id of the derivation that placed the points; its URLs never change their content.
        ids: measurement id of each point.
        rows: row (n,) of each point in the projection's own arrays.
        lattice: coordinates (n, 2) in steps of ``bounds.span / LATTICE``.
    """

    key: str
    ids: Sequence[str]
    rows: NDArray[np.intp]
    lattice: NDArray[np.uint16]
    bounds: Bounds

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Index in the buffer by measurement id."""
        return {identity: position for position, identity in enumerate(self.ids)}

    @cached_property
    def _by_height(self) -> tuple[NDArray[np.intp], NDArray[np.uint16]]:
        order = np.argsort(self.lattice[:, 1], kind="stable")
        return order, self.lattice[order, 1]

    def inside(self, polygon: Sequence[Sequence[float]]) -> NDArray[np.bool_]:
        """Even-odd rule for a polygon [[x, y], ...] in data coordinates -> mask (n,).

        Points are kept sorted by height, so an edge looks only at points between its ends.
        """
        result = np.zeros(len(self), dtype=np.bool_)
        corners = np.asarray(polygon, dtype=np.float64)
        if corners.ndim != 2 or corners.shape[0] < 3 or not np.isfinite(corners).all():
            return result
        origin = np.array([self.bounds.x, self.bounds.y])
        corners = (corners - origin) / self.bounds.span * LATTICE
        order, heights = self._by_height
        x = self.lattice[order, 0].astype(np.float64)
        odd = np.zeros(len(self), dtype=np.bool_)
        for (ax, ay), (bx, by) in zip(np.roll(corners, 1, axis=0), corners, strict=True):
            low, high = sorted((ay, by))
            between = slice(*np.searchsorted(heights, [low, high], side="left"))
            if between.start == between.stop:
                continue
            crossing = ax + (bx - ax) * (heights[between] - ay) / (by - ay)
            odd[between] ^= x[between] < crossing
        result[order] = odd
        return result


def place(key: str, ids: Sequence[str], xy: NDArray[np.float32]) -> Placement:
    """Shuffle and quantise coordinates (n, 2); points without finite coordinates are left out."""
    finite = np.flatnonzero(np.isfinite(xy).all(axis=1))
    rows = np.random.default_rng(SHUFFLE_SEED).permutation(finite)
    points = xy[rows].astype(np.float64)
    if len(points) == 0:
        return Placement(key, (), rows, np.zeros((0, 2), np.uint16), Bounds(0.0, 0.0, 1.0))
    low = points.min(axis=0)
    span = float(np.ptp(points, axis=0).max()) or 1.0
    lattice = np.rint((points - low) / span * LATTICE).astype(np.uint16)
    return Placement(
        key, [ids[row] for row in rows], rows, lattice, Bounds(float(low[0]), float(low[1]), span)
    )


def pack_mask(mask: NDArray[np.bool_]) -> bytes:
    """One bit a point, least significant first."""
    return np.packbits(mask, bitorder="little").tobytes()
