"""Maps of a collection: computed once per request, stored in the ledger, arranged in a tree."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.arrays import Int32Array, NamedArrays
from motif.analysis.projection.map_alignment import MIN_SHARED, PreviousMap
from motif.analysis.projection.map_points import (
    MAP_STAGE,
    MapPoints,
    choose_points,
    point_ids,
    space_for,
    space_of_map,
    target_classes,
    tile_grid,
    weighted,
)
from motif.analysis.projection.projection_request import ProjectionRequest
from motif.analysis.projection.umap_layout import (
    TRUST_FACTOR,
    UmapSettings,
    lay_out,
    map_neighbours,
    neighbours,
    normalised,
    quality,
    reduce,
    trust,
)
from motif.analysis.search.candidates import Ids
from motif.analysis.search.feature_space import Space
from motif.core.errors import NotFoundError
from motif.core.records import content_id

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

MAP_VERSION = 2
"""Raised whenever the same parameters would give another map."""


@dataclass(frozen=True)
class LayoutRequest:
    """What the coordinates of a map depend on, in addition to its points."""

    settings: UmapSettings
    seed: int
    dims: int
    previous: PreviousMap | None = None
    target: Int32Array | None = None
    """Class of each point (n,), -1 where unknown; None without supervision."""


def project(workspace: Workspace, request: ProjectionRequest) -> Derivation:
    """The map of a request; a map that is stored already is not computed again.

    The result has the arrays ``ids`` (n,), ``xy`` (n, dims) and ``trust`` (n,), those that
    `map_transform` needs for new points, and ``tiles`` (n,) with the ids of the tiles where
    points are tiles. After new data have arrived, the same request gives a new map, aligned to
    the previous one by the measurements they share.

    Raises:
        ConfigError: a parameter is out of range, or no measurement has the facet.
        NotFoundError: the collection, its features or the parent do not exist.
        UnsuitableDataError: fewer than three measurements are left.
    """
    collection = request.collection
    space = space_for(workspace, request)
    points = choose_points(workspace, space, request)
    requested: dict[str, Any] = {
        "version": MAP_VERSION,
        **request.ledger_parameters(tile_grid(workspace, request)),
        **points.parameters,
    }
    target = None if request.by is None else target_classes(workspace, points.owners, request.by)
    data = {
        "method": space.method, "features": space.key,
        "members": content_id(points.ids.tobytes()),
        "target": "" if target is None else content_id(target.tobytes()),
    }  # fmt: skip
    # The previous map is part of how a map was computed, but not of what was requested.
    known = workspace.ledger.all(MAP_STAGE, collection, **requested, **data)
    if known:
        return known[-1]
    previous = None
    if not points.parameters["selection"]:
        previous = _previous_map(workspace, collection, requested, points.ids, space.method)
    started = time.perf_counter()
    layout = LayoutRequest(request.settings, request.seed, request.dims, previous, target)
    arrays, summary = _compute(points, layout)
    if space.tiled:
        arrays["ids"], arrays["tiles"] = points.owners, points.ids
    if target is not None:
        arrays["target"] = target
    summary["name"] = request.name or points.parameters["where"] or collection
    summary["feature_name"] = _feature_name(workspace, space)
    parameters = {**requested, **data, "aligned_to": previous.id if previous else ""}
    ancestors = filter(None, [request.parent, parameters["aligned_to"]])
    return workspace.ledger.record(
        MAP_STAGE, collection, parameters, [*_inputs(space, points), *ancestors], arrays, summary,
        time.perf_counter() - started,
    )  # fmt: skip


def children(workspace: Workspace, result: Derivation) -> list[Derivation]:
    """Maps of a part of this map, oldest first."""
    return workspace.ledger.all(MAP_STAGE, result.collection, parent=result.id)


def lineage(workspace: Workspace, result: Derivation) -> list[Derivation]:
    """This map, its parent, and so on to the first map."""
    maps = [result]
    while maps[-1].parameters["parent"]:
        maps.append(workspace.ledger.get(maps[-1].parameters["parent"]))
    return maps


def recompute(workspace: Workspace, result: Derivation) -> dict[str, Any]:
    """Compute a map again from its ledger row, and compare.

    Returns:
        ``identical`` (to the last bit) and ``largest`` (largest difference of a coordinate).

    Raises:
        NotFoundError: the features it was computed from no longer exist.
    """
    parameters, arrays = result.parameters, workspace.ledger.arrays(result)
    space = space_of_map(workspace, result)
    ids = point_ids(arrays)
    rows = space.rows(ids)
    if len(rows) != len(ids):
        raise NotFoundError(
            f"{len(ids) - len(rows)} of the {len(ids)} measurements of this map have no features "
            f"any more; run motif embed {result.collection}."
        )
    vectors = weighted(space.vectors[rows], space, parameters["weights"])
    previous = None
    if parameters["aligned_to"]:
        former = workspace.ledger.get(parameters["aligned_to"])
        previous = _shared_points(workspace, former, ids, space.method)
    layout = LayoutRequest(
        UmapSettings(parameters["n_neighbors"], parameters["min_dist"], parameters["epochs"]),
        parameters["seed"], parameters["dims"], previous, arrays.get("target"),
    )  # fmt: skip
    recomputed, _ = _compute(MapPoints(ids, arrays["ids"], vectors, {}), layout)
    xy = arrays["xy"]
    return {
        "identical": bool(np.array_equal(recomputed["xy"], xy)),
        "largest": float(np.abs(recomputed["xy"] - xy).max(initial=0.0)),
    }


def _feature_name(workspace: Workspace, space: Space) -> str:
    """Name by which features of images are requested; empty for spectra, which have one kind."""
    if space.kind != "image":
        return ""
    return str(workspace.ledger.get(space.inputs[-1]).parameters.get("features") or "")


def _inputs(space: Space, points: MapPoints) -> list[str]:
    """Ledger inputs: the features of images, or the spectra shown and their basis."""
    if space.kind == "image":
        return list(space.inputs)
    shown = set(points.owners.tolist())
    return [space.method, *(identity for identity in space.inputs if identity.encode() in shown)]


def _previous_map(
    workspace: Workspace, collection: str, requested: dict[str, Any], ids: Ids, method: str
) -> PreviousMap | None:
    """The newest map of the same request that is not tainted."""
    tainted = {result.id for result in workspace.ledger.tainted()}
    maps = [
        result
        for result in workspace.ledger.all(MAP_STAGE, collection, **requested)
        if result.id not in tainted
    ]
    return _shared_points(workspace, maps[-1], ids, method) if maps else None


def _shared_points(
    workspace: Workspace, result: Derivation, ids: Ids, method: str
) -> PreviousMap | None:
    arrays = workspace.ledger.arrays(result)
    _, rows, previous_rows = np.intersect1d(ids, point_ids(arrays), return_indices=True)
    if len(rows) < MIN_SHARED:
        return None
    same_features = result.parameters["method"] == method
    return PreviousMap(result.id, rows, arrays["xy"][previous_rows], same_features)


def _compute(points: MapPoints, layout: LayoutRequest) -> tuple[NamedArrays, dict[str, Any]]:
    """Arrays and summary of a map."""
    previous = layout.previous
    reduction = reduce(points.vectors)
    k = min(layout.settings.n_neighbors, len(points.ids) - 1)
    nearest = neighbours(reduction.points, min(len(points.ids), TRUST_FACTOR * k + 1))
    start = None if previous is None else previous.start(nearest[0], layout.seed)
    xy = lay_out(
        reduction.points, nearest, layout.settings, seed=layout.seed, dims=layout.dims,
        start=start, target=layout.target,
    )  # fmt: skip
    arrays: NamedArrays = {}
    summary: dict[str, Any] = {"count": len(xy)}
    if previous is not None:
        xy, arrays["moved"] = previous.aligned(xy)
        if previous.same_features:
            xy, arrays["moved"] = previous.settled(xy, nearest[0][:, 1 : k + 1])
        moved = arrays["moved"][previous.rows]
        summary["shared"] = len(previous.rows)
        summary["moved_median"] = round(float(np.median(moved)), 4)
    arrays |= {
        "ids": points.ids, "xy": xy, "trust": trust(map_neighbours(xy, k), nearest[0]),
        "centre": reduction.centre, "axes": reduction.axes, "points": reduction.points,
        "scale": nearest[1][:, k],
    }  # fmt: skip
    summary |= quality(normalised(points.vectors), xy, nearest[0], k, layout.seed)
    return arrays, summary
