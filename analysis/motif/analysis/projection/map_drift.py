"""Which points moved between a map and the previous one it is aligned to, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.projection.map_points import point_ids
from motif.analysis.projection.umap_layout import neighbours
from motif.analysis.search.candidates import texts
from motif.core.errors import UnsuitableDataError

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

MIN_DRIFT = 0.05
"""Share of the width of the map from which a point counts as moved."""
MANY_NEW = 0.2
"""Share of new measurements among a point's neighbours that explains its drift."""
LOW_TRUST = 0.35
"""Trust below which the previous position was uncertain."""


@dataclass(frozen=True)
class MovedPoint:
    """One measurement, or tile, whose position differs from that on the previous map."""

    id: str
    moved: float
    """Share of the width of the map."""
    new_neighbours: float
    """Share of its nearest in the features that the previous map did not have."""
    neighbours_moved: float
    """Median drift of its neighbours."""
    trust_before: float
    trust: float
    why: str

    def document(self) -> dict[str, Any]:
        """All fields as JSON values, numbers rounded."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def moved_points(workspace: Workspace, result: Derivation, count: int = 20) -> list[MovedPoint]:
    """Points that moved more than `MIN_DRIFT`, the farthest first.

    Raises:
        UnsuitableDataError: the map is not aligned to a previous one.
    """
    if not result.parameters["aligned_to"]:
        raise UnsuitableDataError(
            f"The map {result.id} is the first of its kind; there is no previous map to compare "
            "it with."
        )
    previous = workspace.ledger.get(result.parameters["aligned_to"])
    old, new = workspace.ledger.arrays(previous), workspace.ledger.arrays(result)
    moved = new["moved"]
    k = min(int(result.parameters["n_neighbors"]), len(moved) - 1)
    near = neighbours(new["points"], k + 1)[0][:, 1:]
    new_share, around = np.isnan(moved)[near].mean(1), moved[near]
    known = np.sum(~np.isnan(around), axis=1)
    filled = np.sort(np.where(np.isnan(around), np.inf, around), axis=1)
    middle = filled[np.arange(len(filled)), np.maximum(known - 1, 0) // 2]
    neighbours_moved = np.where(known > 0, middle, 0.0)
    old_rows = np.searchsorted(point_ids(old), point_ids(new))
    old_rows[old_rows == len(old["xy"])] = 0
    trust_before = old["trust"][old_rows]
    far = np.flatnonzero(np.nan_to_num(moved) > MIN_DRIFT)
    order = far[np.argsort(-moved[far], kind="stable")][:count]
    trust, ids = new["trust"], texts(point_ids(new)[order])
    return [
        MovedPoint(
            identity, float(moved[row]), float(new_share[row]), float(neighbours_moved[row]),
            float(trust_before[row]), float(trust[row]),
            _why(moved[row], new_share[row], neighbours_moved[row], trust_before[row]),
        )
        for identity, row in zip(ids, order.tolist(), strict=True)
    ]  # fmt: skip


def _why(moved: float, new_share: float, neighbours_moved: float, trust_before: float) -> str:
    if new_share >= MANY_NEW:
        return f"{new_share:.0%} of its nearest are new and attracted it"
    if neighbours_moved >= moved / 2:
        return "its whole neighbourhood moved with it"
    if trust_before < LOW_TRUST:
        return f"its previous position was uncertain (trust {trust_before:.2f})"
    return "it is between groups that moved away from each other"
