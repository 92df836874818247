"""New measurements on an existing map, without refitting it.

Every vector is placed by itself among its exact nearest neighbours in the space the map was made
from, so the same vector lands on the same bits whatever arrives with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from motif.analysis.projection.layout import Points, Reduction
from motif.analysis.projection.quality import WIDER
from motif.analysis.search.index import Index
from motif.core.errors import UnsuitableDataError

SAME = 1e-6
"""Distance of unit vectors below which two are one."""


@dataclass(frozen=True)
class Placement:
    """Coordinates of new points (m, dims) and how far to believe each (m,), from 0 to 1."""

    xy: Points
    trust: NDArray[np.float32]


class Placer:
    """Places vectors on one map, from the arrays stored with it."""

    def __init__(
        self, reduction: Reduction, xy: Points, trust: Points, scale: Points, k: int
    ) -> None:
        from scipy.spatial import cKDTree

        self._reduction = reduction
        self._index = Index(reduction.points)
        self._xy, self._trust, self._scale = xy, trust, scale
        self._k = min(k, len(xy))
        self._tree = cKDTree(xy)

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], k: int) -> Self:
        """From the arrays of a projection made with `k` neighbours."""
        reduction = Reduction(arrays["centre"], arrays["axes"], arrays["points"])
        return cls(reduction, arrays["xy"], arrays["trust"], arrays["scale"], k)

    def place(self, vectors: Points) -> Placement:
        """Place vectors (m, d) of the features the map was made from.

        A point's trust is the share of its neighbours on the map that are also near it in the
        features, less the farther it lies from everything the map has seen.
        """
        d = len(self._reduction.centre)
        if vectors.ndim != 2 or vectors.shape[1] != d:
            raise UnsuitableDataError(
                f"This map was made from features of {d} numbers, the new ones have "
                f"{vectors.shape[-1]}; run motif project to make a new map."
            )
        placed = [self._one(point) for point in self._reduction.carry(vectors)]
        xy = np.array([one for one, _ in placed], np.float32).reshape(
            len(placed), self._xy.shape[1]
        )
        return Placement(xy, np.array([share for _, share in placed], np.float32))

    def _one(self, point: Points) -> tuple[Points, float]:
        rows, distances = self._index.nearest(point, WIDER * self._k)
        if distances[0] <= SAME:
            return self._xy[rows[0]], float(self._trust[rows[0]])
        weights = distances[: self._k] ** -2.0
        position = weights @ self._xy[rows[: self._k]] / weights.sum()
        near = np.atleast_1d(self._tree.query(position, self._k)[1])
        known = min(1.0, float(self._scale[rows[0]]) / float(distances[0]))
        return position, float(np.isin(near, rows).mean()) * known
