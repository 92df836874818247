"""What moved between a map and the one it was aligned to, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.projection.layout import neighbours
from motif.analysis.projection.points import point_ids
from motif.analysis.search.members import texts
from motif.core.errors import UnsuitableDataError

if TYPE_CHECKING:
    from motif.core.catalog import Derivation
    from motif.core.workspace import Workspace

FAR = 0.05
"""Share of the width of the map from which a point has moved."""
NEWCOMERS = 0.2
"""Share of new measurements among a point's neighbours that explains its move."""
UNCERTAIN = 0.35
"""Trust below which a place was never sure."""


@dataclass(frozen=True)
class Move:
    """One measurement, or tile, that lies elsewhere than on the map before."""

    id: str
    moved: float
    """Share of the width of the map."""
    newcomers: float
    """Share of its nearest in the features that the map before did not have."""
    together: float
    """How far its neighbours moved, in the median."""
    trust_before: float
    trust: float
    why: str

    def document(self) -> dict[str, Any]:
        """As the command line prints it."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def moves(workspace: Workspace, made: Derivation, count: int = 20) -> list[Move]:
    """Measurements that moved more than `FAR`, the farthest first.

    Raises:
        UnsuitableDataError: the map was not aligned to another.
    """
    if not made.parameters["aligned_to"]:
        raise UnsuitableDataError(
            f"The map {made.id} is the first of its kind: there is none before it to compare with."
        )
    before = workspace.ledger.get(made.parameters["aligned_to"])
    old, new = workspace.ledger.arrays(before), workspace.ledger.arrays(made)
    moved = new["moved"]
    k = min(int(made.parameters["n_neighbors"]), len(moved) - 1)
    near = neighbours(new["points"], k + 1)[0][:, 1:]
    fresh, around = np.isnan(moved)[near].mean(1), moved[near]
    known = np.sum(~np.isnan(around), axis=1)
    filled = np.sort(np.where(np.isnan(around), np.inf, around), axis=1)
    middle = filled[np.arange(len(filled)), np.maximum(known - 1, 0) // 2]
    together = np.where(known > 0, middle, 0.0)
    places = np.searchsorted(point_ids(old), point_ids(new))
    places[places == len(old["xy"])] = 0
    trust_before = old["trust"][places]
    far = np.flatnonzero(np.nan_to_num(moved) > FAR)
    order = far[np.argsort(-moved[far], kind="stable")][:count]
    trust, ids = new["trust"], texts(point_ids(new)[order])
    return [
        Move(
            one, float(moved[row]), float(fresh[row]), float(together[row]),
            float(trust_before[row]), float(trust[row]),
            _why(moved[row], fresh[row], together[row], trust_before[row]),
        )
        for one, row in zip(ids, order.tolist(), strict=True)
    ]  # fmt: skip


def _why(moved: float, newcomers: float, together: float, trust_before: float) -> str:
    if newcomers >= NEWCOMERS:
        return f"{newcomers:.0%} of its nearest are new and drew it to them"
    if together >= moved / 2:
        return "its whole neighbourhood moved with it"
    if trust_before < UNCERTAIN:
        return f"its place was uncertain before (trust {trust_before:.2f})"
    return "it lies between groups that moved apart"
