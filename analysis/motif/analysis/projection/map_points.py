"""The points of a map: measurements or tiles of images, and the features they are compared by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.arrays import BoolArray, Float32Array, FloatArray, Int32Array
from motif.analysis.projection.projection_request import ProjectionRequest
from motif.analysis.search.candidates import Ids, as_ids, members, texts
from motif.analysis.search.feature_space import Rows, Space, Weights
from motif.analysis.search.image_space import space_of
from motif.core.errors import ConfigError, UnsuitableDataError

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

MAP_STAGE = "projection"
MIN_POINTS_MAP = 3
"""Fewest points of a map."""
QUANTILE_CLASSES = 10
"""Classes into which a numeric facet is cut, of sizes as equal as its values allow."""


@dataclass(frozen=True)
class MapPoints:
    """The points of a map, with their features."""

    ids: Ids
    """Of the points (n,): measurements, or tiles of them."""
    owners: Ids
    """Measurement of each point (n,)."""
    vectors: Float32Array
    """Weighted features (n, d) without parts of weight 0."""
    parameters: dict[str, Any]
    """How the points were chosen, for the ledger."""


def choose_points(workspace: Workspace, space: Space, request: ProjectionRequest) -> MapPoints:
    """The points that the filter, the parent map and the ids of a request leave, ascending by id.

    Raises:
        UnsuitableDataError: fewer than three are left.
    """
    collection = request.collection
    where = str(workspace.catalog.query(request.where or ""))
    rows = space.belonging(members(workspace, collection, space.kind, where))
    if request.parent is not None:
        shown = _points_of_parent(workspace, collection, request.parent, space)
        rows = rows[_named_by(space, rows, shown)]
    if request.ids is not None:
        rows = rows[_named_by(space, rows, as_ids(request.ids))]
    rows = rows[np.argsort(space.ids[rows], kind="stable")]
    if len(rows) < MIN_POINTS_MAP:
        raise UnsuitableDataError(
            f'{len(rows)} {"tiles" if space.tiled else "measurements"} of "{collection}" are '
            f"left to map; a map takes at least {MIN_POINTS_MAP}."
        )
    weights = {name: float(weight) for name, weight in sorted(request.weights.items())}
    parameters = {
        "kind": space.kind, "where": where, "parent": request.parent or "",
        "selection": request.ids is not None, "weights": weights,
    }  # fmt: skip
    vectors = weighted(space.vectors[rows], space, weights)
    return MapPoints(space.ids[rows], space.owners[rows], vectors, parameters)


def point_ids(arrays: Mapping[str, NDArray[Any]]) -> Ids:
    """Ids of a map's points (n,), unique and ascending: those of tiles where it shows tiles."""
    ids: Ids = arrays["tiles" if "tiles" in arrays else "ids"]
    return ids


def measurements_of(workspace: Workspace, result: str) -> list[str]:
    """Measurements of a result of any stage, such as gradients, clusters or another map.

    Raises:
        NotFoundError: there is no such result.
        UnsuitableDataError: it has no list of measurements.
    """
    derivation = workspace.ledger.get(result)
    arrays = workspace.ledger.arrays(derivation)
    if "ids" not in arrays:
        raise UnsuitableDataError(
            f"The result {derivation.id} of the stage {derivation.stage} has no list of "
            "measurements; choose another."
        )
    return list(dict.fromkeys(texts(arrays["ids"])))


def space_of_map(workspace: Workspace, result: Derivation) -> Space:
    """The feature space of an existing map."""
    parameters = result.parameters
    return space_of(
        workspace, result.collection, parameters["kind"], parameters["method"],
        tiles=parameters.get("tiles"),
    )  # fmt: skip


def space_for(workspace: Workspace, request: ProjectionRequest) -> Space:
    """The feature space of a new map: as requested, else that of the parent."""
    tiles = tile_grid(workspace, request)
    if request.parent is not None and request.features is None:
        parent = workspace.ledger.get(request.parent).parameters
        if parent.get("kind") == "image" and request.kind in (None, "image"):
            return space_of(workspace, request.collection, "image", parent["method"], tiles=tiles)
    return space_of(
        workspace, request.collection, request.kind, features=request.features, tiles=tiles
    )


def tile_grid(workspace: Workspace, request: ProjectionRequest) -> int | None:
    """Tiles along an edge of an image, None where a map shows whole images."""
    if request.tiles is None and request.parent is not None:
        grid = workspace.ledger.get(request.parent).parameters.get("tiles")
        return None if grid is None else int(grid)
    return None if request.tiles in (None, 1) else request.tiles


def weighted(vectors: Float32Array, space: Space, weights: Weights) -> Float32Array:
    """Features (n, d) times the square roots of their weights, without parts of weight 0."""
    scales = space.scales(weights)
    if vectors.shape[-1] != len(scales):
        return vectors
    return np.asarray(vectors[:, scales > 0] * scales[scales > 0], np.float32)


def target_classes(workspace: Workspace, ids: Ids, facet: str) -> Int32Array:
    """Class (n,) of each measurement by a facet that supervises a map; -1 where it has none.

    Raises:
        ConfigError: none of the measurements has the facet.
    """
    facets = workspace.facets(texts(ids))
    values = [facets[identity].get(facet) for identity in texts(ids)]
    if all(value is None for value in values):
        raise ConfigError(
            f'No measurement of this map has the facet "{facet}"; list them with motif facets.'
        )
    if any(isinstance(value, float) for value in values):
        numbers = [value if isinstance(value, float) else np.nan for value in values]
        return _quantile_classes(np.array(numbers))
    names = sorted({str(value) for value in values if value is not None})
    class_of = {name: number for number, name in enumerate(names)}
    return np.array([-1 if value is None else class_of[str(value)] for value in values], np.int32)


def _quantile_classes(numbers: FloatArray) -> Int32Array:
    finite = np.isfinite(numbers)
    levels = np.linspace(0, 1, QUANTILE_CLASSES + 1)[1:-1]
    edges = np.unique(np.quantile(numbers[finite], levels))
    classes = np.searchsorted(edges, numbers, side="right").astype(np.int32)
    classes[~finite] = -1
    return classes


def _named_by(space: Space, rows: Rows, ids: Ids) -> BoolArray:
    """Which rows these ids name, by their measurement or by their tile."""
    return np.isin(space.ids[rows], ids) | np.isin(space.owners[rows], ids)


def _points_of_parent(workspace: Workspace, collection: str, parent: str, space: Space) -> Ids:
    derivation = workspace.ledger.get(parent)
    if derivation.stage != MAP_STAGE or derivation.collection != collection:
        raise ConfigError(
            f'"{parent}" is a {derivation.stage} of "{derivation.collection}", '
            f'not a map of "{collection}".'
        )
    arrays = workspace.ledger.arrays(derivation)
    ids: Ids = point_ids(arrays) if space.tiled else np.unique(arrays["ids"])
    return ids
