"""Whose the points of a map are: measurements, or tiles of images; and those of other results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from motif.analysis.search.members import Ids, texts
from motif.core.errors import UnsuitableDataError

if TYPE_CHECKING:
    from motif.core.workspace import Workspace


def point_ids(arrays: Mapping[str, NDArray[Any]]) -> Ids:
    """Ids of a map's points (n,), each once, ascending: of tiles where it shows tiles."""
    found: Ids = arrays["tiles" if "tiles" in arrays else "ids"]
    return found


def measurements_of(workspace: Workspace, result: str) -> list[str]:
    """Measurements a result of any stage tells of, such as gradients, clusters or another map.

    Raises:
        NotFoundError: there is no such result.
        UnsuitableDataError: it tells of no measurements.
    """
    made = workspace.ledger.get(result)
    arrays = workspace.ledger.arrays(made)
    if "ids" not in arrays:
        raise UnsuitableDataError(
            f"The result {made.id} is of the stage {made.stage}, which tells of no single "
            "measurements; choose another."
        )
    return list(dict.fromkeys(texts(arrays["ids"])))
