"""Maps of a collection: made once per question, stored in the ledger, arranged in a tree."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.projection.alignment import FEWEST as ALIGN_FROM
from motif.analysis.projection.alignment import Predecessor
from motif.analysis.projection.choosing import (
    STAGE,
    Choice,
    choose,
    grid_of,
    space_for,
    space_of_map,
    weighted,
)
from motif.analysis.projection.layout import (
    PRESETS,
    Points,
    Settings,
    lay_out,
    neighbours,
    normalised,
    reduce,
)
from motif.analysis.projection.placing import Placement, Placer
from motif.analysis.projection.points import point_ids
from motif.analysis.projection.quality import WIDER, map_neighbours, quality, trust
from motif.analysis.projection.targets import target_of
from motif.analysis.search.members import Ids, members, texts
from motif.analysis.search.recent import Recent
from motif.analysis.search.space import Space, Weights
from motif.core.errors import ConfigError, NotFoundError
from motif.core.records import content_id

if TYPE_CHECKING:
    from motif.core.catalog import Derivation
    from motif.core.workspace import Workspace

PLACED = "placement"
"""What was placed on a map after it was made."""
VERSION = 2
"""Raised whenever the same parameters would give another map."""

_placers: Recent[Placer] = Recent(4)


def project(
    workspace: Workspace,
    collection: str,
    *,
    where: str | None = None,
    parent: str | None = None,
    ids: Sequence[str] | None = None,
    name: str | None = None,
    preset: str = "fast",
    n_neighbors: int | None = None,
    min_dist: float | None = None,
    seed: int = 42,
    dims: int = 2,
    weights: Weights | None = None,
    by: str | None = None,
    kind: str | None = None,
    features: str | None = None,
    tiles: int | None = None,
) -> Derivation:
    """Map the measurements of `collection` that `where`, `parent` and `ids` leave.

    The result has the arrays ``ids`` (n,), ``xy`` (n, dims) and ``trust`` (n,) beside those that
    placing new points needs, and ``tiles`` (n,), their ids, where points are tiles. The same
    question about the same data gives the stored map; new data give a map aligned to the one
    before by the measurements they share.

    Args:
        workspace: where the features are and the map goes.
        collection: what to map.
        where: query the measurements match.
        parent: id of a map whose points are the most this one may show.
        ids: measurements or, on a map of tiles, tiles to show, e.g. a lasso or the hits of a
            search.
        name: what to call the map; by default its collection and filter.
        preset: ``fast``, or ``published`` for 5 neighbours and minimum distance 0.3.
        n_neighbors, min_dist: replace those of the preset.
        seed: the same one gives the same bits.
        dims: 2 or 3.
        weights: factors of feature parts; see `motif.analysis.search.search`.
        by: facet that supervises the map: measurements that share its value are drawn together
            (UMAP's categorical target; numbers count by their tenths). Those that do not tell
            it are placed by their features alone.
        kind: ``image`` or ``spectrum``; by default what the collection holds, images first.
        features: name of features of images, such as ``symmetry@10nm``; by default those of the
            parent, else those that count now.
        tiles: n makes a map of n by n tiles of every image; by default as the parent is.

    Raises:
        ConfigError: a parameter is out of range, or no measurement tells the facet.
        NotFoundError: the collection, its features or the parent do not exist.
        UnsuitableDataError: fewer than three measurements are left.
    """
    settings = _settings(preset, n_neighbors, min_dist)
    if dims not in (2, 3):
        raise ConfigError(f"A map has 2 or 3 dimensions, not {dims}.")
    space = space_for(workspace, collection, kind, parent, features, tiles)
    choice = choose(workspace, collection, space, where, parent, ids, weights)
    asked: dict[str, Any] = {
        "version": VERSION, "preset": preset, **asdict(settings), "metric": "correlation",
        "seed": seed, "dims": dims, "by": by or "", "tiles": grid_of(workspace, parent, tiles),
        **choice.parameters,
    }  # fmt: skip
    target = None if by is None else target_of(workspace, choice.owners, by)
    data = {
        "method": space.method, "features": space.key,
        "members": content_id(choice.ids.tobytes()),
        "target": "" if target is None else content_id(target.tobytes()),
    }  # fmt: skip
    # The map before is part of how a map was made, but not of what was asked for.
    made = workspace.ledger.all(STAGE, collection, **asked, **data)
    if made:
        return made[-1]
    before = (
        None
        if choice.parameters["selection"]
        else _before(workspace, collection, asked, choice, space.method)
    )
    started = time.perf_counter()
    arrays, summary = _fit(choice, settings, seed, dims, before, target)
    if space.tiled:
        arrays["ids"], arrays["tiles"] = choice.owners, choice.ids
    if target is not None:
        arrays["target"] = target
    summary["name"] = name or choice.parameters["where"] or collection
    summary["feature_name"] = _feature_name(workspace, space)
    parameters = {**asked, **data, "aligned_to": before.id if before else ""}
    inputs = [*_sources(space, choice), *filter(None, [parent, parameters["aligned_to"]])]
    return workspace.ledger.record(
        STAGE, collection, parameters, inputs, arrays, summary, time.perf_counter() - started
    )


def _feature_name(workspace: Workspace, space: Space) -> str:
    """What features of images are asked for by; empty for spectra, which have one kind."""
    if space.kind != "image":
        return ""
    return str(workspace.ledger.get(space.inputs[-1]).parameters.get("features") or "")


def _sources(space: Space, choice: Choice) -> list[str]:
    """What a map is made from: features of images; the spectra it shows, and their basis."""
    if space.kind == "image":
        return list(space.inputs)
    shown = set(choice.owners.tolist())
    return [space.method, *(one for one in space.inputs if one.encode() in shown)]


def children(workspace: Workspace, made: Derivation) -> list[Derivation]:
    """Maps made of a part of this one, oldest first."""
    return workspace.ledger.all(STAGE, made.collection, parent=made.id)


def lineage(workspace: Workspace, made: Derivation) -> list[Derivation]:
    """The way back: this map, its parent, and so on to the first."""
    way = [made]
    while way[-1].parameters["parent"]:
        way.append(workspace.ledger.get(way[-1].parameters["parent"]))
    return way


def redo(workspace: Workspace, made: Derivation) -> dict[str, Any]:
    """Make a map again from what the ledger says it was made of, and compare.

    Returns:
        ``identical`` (to the last bit) and ``largest`` (difference of a coordinate).

    Raises:
        NotFoundError: the features it was made from are gone.
    """
    parameters, arrays = made.parameters, workspace.ledger.arrays(made)
    space = space_of_map(workspace, made)
    ids = point_ids(arrays)
    rows = space.rows(ids)
    if len(rows) != len(ids):
        raise NotFoundError(
            f"{len(ids) - len(rows)} of the {len(ids)} measurements of this map have no features "
            f"any more; run motif embed {made.collection}."
        )
    vectors = weighted(space.vectors[rows], space, parameters["weights"])
    settings = Settings(parameters["n_neighbors"], parameters["min_dist"], parameters["epochs"])
    before = None
    if parameters["aligned_to"]:
        former = workspace.ledger.get(parameters["aligned_to"])
        before = _predecessor(workspace, former, ids, space.method)
    again, _ = _fit(
        Choice(ids, arrays["ids"], vectors, {}), settings, parameters["seed"],
        parameters["dims"], before, arrays.get("target"),
    )  # fmt: skip
    xy = arrays["xy"]
    return {
        "identical": bool(np.array_equal(again["xy"], xy)),
        "largest": float(np.abs(again["xy"] - xy).max(initial=0.0)),
    }


def place(workspace: Workspace, made: Derivation, vectors: Points) -> Placement:
    """Place feature vectors (m, d) of the map's own space on it, without changing it.

    100 vectors take less than a tenth of a second once the map is at hand in this process.

    Raises:
        UnsuitableDataError: the vectors are of other features than the map's.
    """
    space = space_of_map(workspace, made)
    placer = _placers.get(
        (str(workspace.root), made.id),
        lambda: Placer.of(workspace.ledger.arrays(made), made.parameters["n_neighbors"]),
    )
    return placer.place(weighted(np.atleast_2d(vectors), space, made.parameters["weights"]))


def place_new(workspace: Workspace, made: Derivation) -> tuple[Ids, Placement]:
    """Place what belongs on the map and came after it, whatever else did; kept in the ledger.

    Measurements, or tiles on a map of tiles, are compared in the features the map was made from,
    also where newer ones exist. A map of a selection or of a part of another map has no others
    that belong on it. What was placed before is not placed again.
    """
    space = space_of_map(workspace, made)
    admitted = members(workspace, made.collection, space.kind, made.parameters["where"])
    if made.parameters["parent"] or made.parameters["selection"]:
        admitted = admitted[:0]
    rows = space.belonging(np.setdiff1d(admitted, workspace.ledger.arrays(made)["ids"]))
    rows = rows[np.argsort(space.ids[rows], kind="stable")]
    known = _placed(workspace, made)
    fresh = rows[[one not in known for one in space.ids[rows].tolist()]] if known else rows
    if len(fresh):
        started = time.perf_counter()
        placed = place(workspace, made, space.vectors[fresh])
        arrays = {"ids": space.ids[fresh], "xy": placed.xy, "trust": placed.trust}
        inputs = [made.id, *texts(np.unique(space.owners[fresh]))]
        workspace.ledger.record(
            PLACED, made.collection, {"version": VERSION, "map": made.id}, inputs, arrays,
            {"count": len(fresh)}, time.perf_counter() - started,
        )  # fmt: skip
        known = _placed(workspace, made)
    found = [known[one] for one in space.ids[rows].tolist()]
    xy = np.array([one for one, _ in found], np.float32).reshape(len(rows), made.parameters["dims"])
    return space.ids[rows], Placement(xy, np.array([trust for _, trust in found], np.float32))


def _placed(workspace: Workspace, made: Derivation) -> dict[bytes, tuple[Points, float]]:
    """Coordinates and trust by id of what was placed on a map."""
    found: dict[bytes, tuple[Points, float]] = {}
    for one in workspace.ledger.all(PLACED, made.collection, map=made.id, version=VERSION):
        arrays = workspace.ledger.arrays(one)
        pairs = zip(arrays["xy"], arrays["trust"].tolist(), strict=True)
        found |= zip(arrays["ids"].tolist(), pairs, strict=True)
    return found


def _settings(preset: str, n_neighbors: int | None, min_dist: float | None) -> Settings:
    if preset not in PRESETS:
        raise ConfigError(f'There is no preset "{preset}"; there are {", ".join(PRESETS)}.')
    base = PRESETS[preset]
    settings = replace(
        base,
        n_neighbors=base.n_neighbors if n_neighbors is None else n_neighbors,
        min_dist=base.min_dist if min_dist is None else min_dist,
    )
    if not 2 <= settings.n_neighbors <= 200:
        raise ConfigError(f"A map takes 2 to 200 neighbours, not {settings.n_neighbors}.")
    if not 0 <= settings.min_dist <= 1:
        raise ConfigError(f"The minimum distance lies from 0 to 1, not at {settings.min_dist}.")
    return settings


def _before(
    workspace: Workspace, collection: str, asked: dict[str, Any], choice: Choice, method: str
) -> Predecessor | None:
    tainted = {one.id for one in workspace.ledger.tainted()}
    made = [
        one for one in workspace.ledger.all(STAGE, collection, **asked) if one.id not in tainted
    ]
    return _predecessor(workspace, made[-1], choice.ids, method) if made else None


def _predecessor(
    workspace: Workspace, made: Derivation, ids: Ids, method: str
) -> Predecessor | None:
    arrays = workspace.ledger.arrays(made)
    _, rows, old = np.intersect1d(ids, point_ids(arrays), return_indices=True)
    if len(rows) < ALIGN_FROM:
        return None
    same = made.parameters["method"] == method
    return Predecessor(made.id, rows, arrays["xy"][old], same)


def _fit(
    choice: Choice,
    settings: Settings,
    seed: int,
    dims: int,
    before: Predecessor | None,
    target: NDArray[np.int32] | None = None,
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and summary of a map."""
    reduction = reduce(choice.vectors)
    k = min(settings.n_neighbors, len(choice.ids) - 1)
    nearest = neighbours(reduction.points, min(len(choice.ids), WIDER * k + 1))
    start = None if before is None else before.start(nearest[0], seed)
    xy = lay_out(
        reduction.points, nearest, settings, seed=seed, dims=dims, start=start, target=target
    )
    arrays: dict[str, NDArray[Any]] = {}
    summary: dict[str, Any] = {"count": len(xy)}
    if before is not None:
        xy, arrays["moved"] = before.aligned(xy)
        if before.same_features:
            xy, arrays["moved"] = before.settled(xy, nearest[0][:, 1 : k + 1])
        moved = arrays["moved"][before.rows]
        summary["shared"] = len(before.rows)
        summary["moved_median"] = round(float(np.median(moved)), 4)
    arrays |= {
        "ids": choice.ids, "xy": xy, "trust": trust(map_neighbours(xy, k), nearest[0]),
        "centre": reduction.centre, "axes": reduction.axes, "points": reduction.points,
        "scale": nearest[1][:, k],
    }  # fmt: skip
    summary |= quality(normalised(choice.vectors), xy, nearest[0], k, seed)
    return arrays, summary
