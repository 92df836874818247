"""A refitted map keeps the look of the one before: shared points start there and stay there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motif.analysis.projection.layout import Points

FEWEST = 10
"""Shared points that fix a map; with fewer it is laid out afresh."""
ROUNDS = 20
"""Reweightings by which points that moved far lose their say."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Predecessor:
    """The map before: which of its points are on the new one, and where they were."""

    id: str
    rows: Rows
    """Rows of the new map (s,)."""
    xy: Points
    """Coordinates on the map before (s, dims)."""

    def start(self, nearest: NDArray[np.int32], seed: int) -> Points:
        """Coordinates to start from (n, dims): where a point was, or amid its neighbours."""
        n = len(nearest)
        xy = np.full((n, self.xy.shape[1]), np.nan, np.float32)
        xy[self.rows] = self.xy
        for row in np.flatnonzero(np.isnan(xy[:, 0])):
            around = np.isin(nearest[row], self.rows)
            amid = self.xy if not around.any() else xy[nearest[row][around][:5]]
            xy[row] = amid.mean(0)
        extent = float(np.ptp(self.xy, axis=0).max()) or 1.0
        noise = np.random.default_rng(seed).normal(scale=1e-4 * extent, size=xy.shape)
        return (xy + noise).astype(np.float32)

    def aligned(self, xy: Points) -> tuple[Points, NDArray[np.float32]]:
        """Turn, mirror, scale and shift `xy` (n, dims) onto the map before.

        Returns:
            The coordinates, and how far each point moved as a share of the width of the map
            (n,), NaN for points that were not there.
        """
        extent = float(np.ptp(self.xy, axis=0).max()) or 1.0
        weights = np.ones(len(self.rows))
        for _ in range(ROUNDS):
            carried = _fitted(xy, self.rows, self.xy, weights / weights.sum())
            apart = np.linalg.norm(carried[self.rows] - self.xy, axis=1)
            weights = 1 / np.maximum(apart, 1e-3 * extent)
        moved = np.full(len(xy), np.nan, np.float32)
        moved[self.rows] = apart / extent
        return carried.astype(np.float32), moved


def _fitted(
    xy: Points, rows: Rows, target: Points, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`xy` under the similarity that best carries its `rows` to `target` (Procrustes)."""
    centre, goal = weights @ xy[rows], weights @ target
    source, away = xy[rows] - centre, target - goal
    left, strengths, right = np.linalg.svd((weights[:, None] * source).T @ away)
    size = float(weights @ np.square(source).sum(1))
    scale = strengths.sum() / size if size > 0 else 1.0
    result: NDArray[np.float64] = scale * (xy - centre) @ (left @ right) + goal
    return result
