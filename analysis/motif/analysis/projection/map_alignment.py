"""Alignment of a new map to the previous one, so that shared points keep their positions.

Measurements whose neighbours in the features were all on the previous map keep their position
exactly. Others move by a fraction of what the layout moved them: the more of their neighbours
are new, the more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from motif.analysis.arrays import Float32Array, FloatArray, Int32Array, IntArray

MIN_SHARED = 10
"""Fewest shared points of an aligned map; with fewer it is laid out independently."""
REWEIGHTINGS = 20
"""Rounds in which points that moved far get smaller weights."""
DRIFT_GAIN = 2.0
"""A point moves freely when one in this many of its nearest is new."""


@dataclass(frozen=True)
class PreviousMap:
    """The points that a new map shares with the previous one."""

    id: str
    rows: IntArray
    """Rows of the new map (s,)."""
    xy: Float32Array
    """Coordinates on the previous map (s, dims)."""
    same_features: bool = True
    """Whether both maps compare the same features, so that known neighbours are unchanged."""

    def start(self, nearest: Int32Array, seed: int) -> Float32Array:
        """Initial coordinates (n, dims): the previous ones, or the mean of those of neighbours."""
        n = len(nearest)
        xy = np.full((n, self.xy.shape[1]), np.nan, np.float32)
        xy[self.rows] = self.xy
        for row in np.flatnonzero(np.isnan(xy[:, 0])):
            around = np.isin(nearest[row], self.rows)
            neighbours = self.xy if not around.any() else xy[nearest[row][around][:5]]
            xy[row] = neighbours.mean(0)
        extent = self._extent()
        noise = np.random.default_rng(seed).normal(scale=1e-4 * extent, size=xy.shape)
        return (xy + noise).astype(np.float32)

    def aligned(self, xy: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Rotate, mirror, scale and shift `xy` (n, dims) onto the previous map.

        Returns:
            The coordinates, and how far each point moved as a share of the width of the map
            (n,), NaN for points that are new.
        """
        extent = self._extent()
        weights = np.ones(len(self.rows))
        for _ in range(REWEIGHTINGS):
            fitted = _fitted(xy, self.rows, self.xy, weights / weights.sum())
            distance = np.linalg.norm(fitted[self.rows] - self.xy, axis=1)
            weights = 1 / np.maximum(distance, 1e-3 * extent)
        moved = np.full(len(xy), np.nan, np.float32)
        moved[self.rows] = distance / extent
        return fitted.astype(np.float32), moved

    def settled(self, xy: Float32Array, near: Int32Array) -> tuple[Float32Array, Float32Array]:
        """Keep shared points near their previous position, as far as their neighbours are not new.

        A shared point moves by `DRIFT_GAIN` times the share of new points among its nearest, at
        most 1, of what the layout moved it; new points follow the shared points around them.

        Args:
            xy: aligned coordinates (n, dims).
            near: nearest rows of every row in the features (n, k), without itself.

        Returns:
            The coordinates, and how far each point moved as `aligned` gives it.
        """
        known = np.zeros(len(xy), bool)
        known[self.rows] = True
        share = np.minimum(1.0, DRIFT_GAIN * (~known)[near].mean(1))[self.rows]
        kept = xy.astype(np.float64)
        kept[self.rows] = self.xy + share[:, None] * (xy[self.rows] - self.xy)
        back, among = kept - xy, known[near]
        for row in np.flatnonzero(~known):
            if among[row].any():
                kept[row] += back[near[row][among[row]]].mean(0)
        # Exactly the previous coordinates, whatever the arithmetic above rounds to.
        unmoved = self.rows[share == 0]
        result = kept.astype(np.float32)
        result[unmoved] = self.xy[share == 0]
        moved = np.full(len(xy), np.nan, np.float32)
        moved[self.rows] = np.linalg.norm(result[self.rows] - self.xy, axis=1) / self._extent()
        return result, moved

    def _extent(self) -> float:
        return float(np.ptp(self.xy, axis=0).max()) or 1.0


def _fitted(
    xy: Float32Array, rows: IntArray, target: Float32Array, weights: FloatArray
) -> FloatArray:
    """`xy` under the similarity that best carries its `rows` to `target` (Procrustes)."""
    centre, goal = weights @ xy[rows], weights @ target
    source, away = xy[rows] - centre, target - goal
    left, strengths, right = np.linalg.svd((weights[:, None] * source).T @ away)
    size = float(weights @ np.square(source).sum(1))
    scale = strengths.sum() / size if size > 0 else 1.0
    result: FloatArray = scale * (xy - centre) @ (left @ right) + goal
    return result
