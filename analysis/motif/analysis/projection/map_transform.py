"""New measurements on an existing map, without fitting it again.

Every vector is placed by itself among its exact nearest neighbours in the space of the map, so
the same vector gets the same coordinates to the last bit, whatever is placed with it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from motif.analysis.arrays import Float32Array
from motif.analysis.projection.map_points import space_of_map, weighted
from motif.analysis.projection.umap_layout import TRUST_FACTOR, Reduction
from motif.analysis.search.candidates import Ids, members, texts
from motif.analysis.search.computed_cache import ComputedCache
from motif.analysis.search.nearest_index import NearestIndex
from motif.core.errors import UnsuitableDataError

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

PLACEMENT_STAGE = "placement"
PLACEMENT_VERSION = 2
SAME_DISTANCE = 1e-6
"""Distance of unit vectors below which two vectors count as equal."""


@dataclass(frozen=True)
class MapPositions:
    """Coordinates of points on a map (m, dims), and the trust in each (m,) from 0 to 1."""

    xy: Float32Array
    trust: Float32Array


class MapTransform:
    """Places vectors on one map, from the arrays stored with it."""

    def __init__(
        self,
        reduction: Reduction,
        xy: Float32Array,
        trust: Float32Array,
        scale: Float32Array,
        k: int,
    ) -> None:
        from scipy.spatial import cKDTree

        self._reduction = reduction
        self._index = NearestIndex(reduction.points)
        self._xy, self._trust, self._scale = xy, trust, scale
        self._k = min(k, len(xy))
        self._tree = cKDTree(xy)

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], k: int) -> Self:
        """From the arrays of a map computed with `k` neighbours."""
        reduction = Reduction(arrays["centre"], arrays["axes"], arrays["points"])
        return cls(reduction, arrays["xy"], arrays["trust"], arrays["scale"], k)

    def transform(self, vectors: Float32Array) -> MapPositions:
        """Place vectors (m, d) of the features of the map.

        The trust in a point is the share of its neighbours on the map that are also near it in
        the features, reduced by its distance from everything on the map.

        Raises:
            UnsuitableDataError: the vectors have another length than the features of the map.
        """
        d = len(self._reduction.centre)
        if vectors.ndim != 2 or vectors.shape[1] != d:
            raise UnsuitableDataError(
                f"This map was computed from features of {d} numbers, the new ones have "
                f"{vectors.shape[-1]}; run motif project for a new map."
            )
        placed = [self._place(point) for point in self._reduction.transform(vectors)]
        xy = np.array([position for position, _ in placed], np.float32)
        trust = np.array([share for _, share in placed], np.float32)
        return MapPositions(xy.reshape(len(placed), self._xy.shape[1]), trust)

    def _place(self, point: Float32Array) -> tuple[Float32Array, float]:
        """Coordinates (dims,) of one reduced vector (p,), and the trust in them."""
        rows, distances = self._index.nearest(point, TRUST_FACTOR * self._k)
        if distances[0] <= SAME_DISTANCE:
            return self._xy[rows[0]], float(self._trust[rows[0]])
        weights = distances[: self._k] ** -2.0
        position = weights @ self._xy[rows[: self._k]] / weights.sum()
        near = np.atleast_1d(self._tree.query(position, self._k)[1])
        familiar = min(1.0, float(self._scale[rows[0]]) / float(distances[0]))
        return position, float(np.isin(near, rows).mean()) * familiar


_transforms: ComputedCache[MapTransform] = ComputedCache(4)


def transform(workspace: Workspace, result: Derivation, vectors: Float32Array) -> MapPositions:
    """Place feature vectors (m, d) of the space of a map on it, without changing the map.

    100 vectors take less than a tenth of a second once this process has loaded the map.

    Raises:
        UnsuitableDataError: the vectors are of other features than the map.
    """
    space = space_of_map(workspace, result)
    map_transform = _transforms.get(
        (str(workspace.root), result.id),
        lambda: MapTransform.of(workspace.ledger.arrays(result), result.parameters["n_neighbors"]),
    )
    return map_transform.transform(
        weighted(np.atleast_2d(vectors), space, result.parameters["weights"])
    )


def transform_new(workspace: Workspace, result: Derivation) -> tuple[Ids, MapPositions]:
    """Place the measurements that match the filter of a map and are not on it; stored.

    Measurements, or tiles on a map of tiles, are compared by the features of the map, even where
    newer features exist. A map of a selection or of a part of another map has no new
    measurements. What was placed before is not placed again.

    Returns:
        Ids (m,) and their positions.
    """
    space = space_of_map(workspace, result)
    matching = members(workspace, result.collection, space.kind, result.parameters["where"])
    if result.parameters["parent"] or result.parameters["selection"]:
        matching = matching[:0]
    rows = space.belonging(np.setdiff1d(matching, workspace.ledger.arrays(result)["ids"]))
    rows = rows[np.argsort(space.ids[rows], kind="stable")]
    ids = space.ids[rows]
    stored = _stored_positions(workspace, result)
    missing = rows[[identity not in stored for identity in ids.tolist()]] if stored else rows
    if len(missing):
        started = time.perf_counter()
        placed = transform(workspace, result, space.vectors[missing])
        arrays = {"ids": space.ids[missing], "xy": placed.xy, "trust": placed.trust}
        inputs = [result.id, *texts(np.unique(space.owners[missing]))]
        parameters = {"version": PLACEMENT_VERSION, "map": result.id}
        workspace.ledger.record(
            PLACEMENT_STAGE, result.collection, parameters, inputs, arrays,
            {"count": len(missing)}, time.perf_counter() - started,
        )  # fmt: skip
        stored = _stored_positions(workspace, result)
    positions = [stored[identity] for identity in ids.tolist()]
    xy = np.array([position for position, _ in positions], np.float32)
    trust = np.array([share for _, share in positions], np.float32)
    return ids, MapPositions(xy.reshape(len(rows), result.parameters["dims"]), trust)


def _stored_positions(
    workspace: Workspace, result: Derivation
) -> dict[bytes, tuple[Float32Array, float]]:
    """Coordinates and trust by id of what was placed on a map before."""
    stored: dict[bytes, tuple[Float32Array, float]] = {}
    for placement in workspace.ledger.all(
        PLACEMENT_STAGE, result.collection, map=result.id, version=PLACEMENT_VERSION
    ):
        arrays = workspace.ledger.arrays(placement)
        positions = zip(arrays["xy"], arrays["trust"].tolist(), strict=True)
        stored |= zip(arrays["ids"].tolist(), positions, strict=True)
    return stored
