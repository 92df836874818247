"""What a map shows: which measurements or tiles, compared by which features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.projection.layout import Points
from motif.analysis.projection.points import point_ids
from motif.analysis.search.members import Ids, as_ids, members
from motif.analysis.search.space import Rows, Space, Weights
from motif.analysis.search.spaces import space_of
from motif.core.errors import ConfigError, UnsuitableDataError

if TYPE_CHECKING:
    from motif.core.catalog import Derivation
    from motif.core.workspace import Workspace

STAGE = "projection"
FEWEST = 3
"""Points that make a map."""


@dataclass(frozen=True)
class Choice:
    """Which measurements a map shows, and how they were chosen."""

    ids: Ids
    """Of the points (n,): measurements, or tiles of them."""
    owners: Ids
    """Measurement of each point (n,)."""
    vectors: Points
    """Weighted features (n, d), parts without weight left out."""
    parameters: dict[str, Any]


def choose(
    workspace: Workspace,
    collection: str,
    space: Space,
    where: str | None,
    parent: str | None,
    ids: Sequence[str] | None,
    weights: Weights | None,
) -> Choice:
    """The points a query, a parent map and a selection leave, ascending by id.

    Raises:
        UnsuitableDataError: fewer than three are left.
    """
    where = str(workspace.catalog.query(where or ""))
    chosen = members(workspace, collection, space.kind, where)
    rows = space.belonging(chosen)
    if parent is not None:
        rows = rows[_among(space, rows, _shown(workspace, collection, parent, space))]
    if ids is not None:
        rows = rows[_among(space, rows, as_ids(ids))]
    rows = rows[np.argsort(space.ids[rows], kind="stable")]
    if len(rows) < FEWEST:
        raise UnsuitableDataError(
            f'{len(rows)} {"tiles" if space.tiled else "measurements"} of "{collection}" are '
            f"left to map; {FEWEST} make a map."
        )
    kept = {name: float(weight) for name, weight in sorted((weights or {}).items())}
    parameters = {
        "kind": space.kind, "where": where, "parent": parent or "",
        "selection": ids is not None, "weights": kept,
    }  # fmt: skip
    vectors = weighted(space.vectors[rows], space, kept)
    return Choice(space.ids[rows], space.owners[rows], vectors, parameters)


def _among(space: Space, rows: Rows, ids: Ids) -> NDArray[np.bool_]:
    """Which rows these ids name, by the measurement or by the tile."""
    return np.isin(space.ids[rows], ids) | np.isin(space.owners[rows], ids)


def _shown(workspace: Workspace, collection: str, parent: str, space: Space) -> Ids:
    made = workspace.ledger.get(parent)
    if made.stage != STAGE or made.collection != collection:
        raise ConfigError(
            f'"{parent}" is a {made.stage} of "{made.collection}", not a map of "{collection}".'
        )
    arrays = workspace.ledger.arrays(made)
    shown: Ids = point_ids(arrays) if space.tiled else np.unique(arrays["ids"])
    return shown


def space_of_map(workspace: Workspace, made: Derivation) -> Space:
    """The space a map was made in."""
    parameters = made.parameters
    return space_of(
        workspace, made.collection, parameters["kind"], parameters["method"],
        tiles=parameters.get("tiles"),
    )  # fmt: skip


def space_for(
    workspace: Workspace,
    collection: str,
    kind: str | None,
    parent: str | None,
    features: str | None,
    tiles: int | None,
) -> Space:
    """The space a new map is made in: what is asked for, else that of the parent."""
    grid = grid_of(workspace, parent, tiles)
    if parent is not None and features is None:
        above = workspace.ledger.get(parent).parameters
        if above.get("kind") == "image" and kind in (None, "image"):
            return space_of(workspace, collection, "image", above["method"], tiles=grid)
    return space_of(workspace, collection, kind, features=features, tiles=grid)


def grid_of(workspace: Workspace, parent: str | None, tiles: int | None) -> int | None:
    """Tiles along an edge of an image on a map, None where it shows whole images."""
    if tiles is None and parent is not None:
        grid = workspace.ledger.get(parent).parameters.get("tiles")
        return None if grid is None else int(grid)
    return None if tiles in (None, 1) else tiles


def weighted(vectors: Points, space: Space, weights: Weights) -> Points:
    """Features (n, d) times the roots of their weights, those that weigh nothing left out."""
    scales = space.scales(weights)
    if vectors.shape[-1] != len(scales):
        return vectors
    return np.asarray(vectors[:, scales > 0] * scales[scales > 0], np.float32)
