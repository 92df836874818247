"""Which measurements of a collection a filter leaves, as a sorted array of ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.analysis.search.computed_cache import ComputedCache
from motif.core.catalog.catalog_queries import matching_ids
from motif.core.records import ID_LENGTH

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

Ids: TypeAlias = NDArray[np.bytes_]

_found: ComputedCache[Ids] = ComputedCache(16)


def members(workspace: Workspace, collection: str, kind: str, where: str | None = None) -> Ids:
    """Ids of the live measurements that match the query `where`, ascending."""
    asked = (where or "").strip()
    state = workspace.catalog.journal_length
    key = (str(workspace.root), state, collection, kind, asked)
    return _found.get(key, lambda: as_ids(matching_ids(workspace.catalog, collection, kind, asked)))


def as_ids(ids: Sequence[str]) -> Ids:
    """Ids of measurements or tiles as fixed bytes, the form in which results store them."""
    longest = max((len(one) for one in ids), default=0)
    return np.array([one.encode() for one in ids], dtype=f"S{max(longest, ID_LENGTH)}")


def texts(ids: Ids) -> list[str]:
    """Ids as text."""
    return [bytes(one).decode() for one in ids]
