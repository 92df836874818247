"""A refitted map keeps the look of the one before: shared points start there and stay there.

Measurements whose neighbours in the features are all known keep their place exactly; others move
by as much of what the layout would move them as new ones are among their neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motif.analysis.projection.layout import Points

FEWEST = 10
"""Shared points that fix a map; with fewer it is laid out afresh."""
ROUNDS = 20
"""Reweightings by which points that moved far lose their say."""

YIELD = 2.0
"""A point gives way wholly when one in this many of its nearest is new."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Predecessor:
    """The map before: which of its points are on the new one, and where they were."""

    id: str
    rows: Rows
    """Rows of the new map (s,)."""
    xy: Points
    """Coordinates on the map before (s, dims)."""
    same_features: bool = True
    """Whether both maps compare the same features, so that known neighbours are unchanged."""

    def start(self, nearest: NDArray[np.int32], seed: int) -> Points:
        """Coordinates to start from (n, dims): where a point was, or amid its neighbours."""
        n = len(nearest)
        xy = np.full((n, self.xy.shape[1]), np.nan, np.float32)
        xy[self.rows] = self.xy
        for row in np.flatnonzero(np.isnan(xy[:, 0])):
            around = np.isin(nearest[row], self.rows)
            amid = self.xy if not around.any() else xy[nearest[row][around][:5]]
            xy[row] = amid.mean(0)
        extent = self._extent()
        noise = np.random.default_rng(seed).normal(scale=1e-4 * extent, size=xy.shape)
        return (xy + noise).astype(np.float32)

    def aligned(self, xy: Points) -> tuple[Points, NDArray[np.float32]]:
        """Turn, mirror, scale and shift `xy` (n, dims) onto the map before.

        Returns:
            The coordinates, and how far each point moved as a share of the width of the map
            (n,), NaN for points that were not there.
        """
        extent = self._extent()
        weights = np.ones(len(self.rows))
        for _ in range(ROUNDS):
            carried = _fitted(xy, self.rows, self.xy, weights / weights.sum())
            apart = np.linalg.norm(carried[self.rows] - self.xy, axis=1)
            weights = 1 / np.maximum(apart, 1e-3 * extent)
        moved = np.full(len(xy), np.nan, np.float32)
        moved[self.rows] = apart / extent
        return carried.astype(np.float32), moved

    def settled(self, xy: Points, near: NDArray[np.int32]) -> tuple[Points, NDArray[np.float32]]:
        """Let known points leave their place only as far as newcomers among their nearest ask.

        A point moves by `YIELD` times the share of newcomers among its nearest, at most 1, of what
        the layout moved it; newcomers follow the known points they lie among.

        Args:
            xy: aligned coordinates (n, dims).
            near: nearest rows of every row in the features (n, k), without itself.

        Returns:
            The coordinates, and how far each point moved as `aligned` gives it.
        """
        known = np.zeros(len(xy), bool)
        known[self.rows] = True
        share = np.minimum(1.0, YIELD * (~known)[near].mean(1))[self.rows]
        kept = xy.astype(np.float64)
        kept[self.rows] = self.xy + share[:, None] * (xy[self.rows] - self.xy)
        back, among = kept - xy, known[near]
        for row in np.flatnonzero(~known):
            if among[row].any():
                kept[row] += back[near[row][among[row]]].mean(0)
        # To the bit where nothing asks for a move, whatever the arithmetic above rounds to.
        still = self.rows[share == 0]
        result = kept.astype(np.float32)
        result[still] = self.xy[share == 0]
        moved = np.full(len(xy), np.nan, np.float32)
        moved[self.rows] = np.linalg.norm(result[self.rows] - self.xy, axis=1) / self._extent()
        return result, moved

    def _extent(self) -> float:
        return float(np.ptp(self.xy, axis=0).max()) or 1.0


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
