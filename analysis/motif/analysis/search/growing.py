"""Indices of spaces that grow: what is indexed already is not indexed again."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from motif.analysis.search.codes_file import CodesFile
from motif.analysis.search.index import Index
from motif.analysis.search.recent import Recent
from motif.analysis.search.space import Space, Vectors
from motif.core.records import content_id

if TYPE_CHECKING:
    from motif.core.workspace import Workspace


class Growing:
    """The newest index of one method of features."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: tuple[Space, Index] | None = None

    def of(self, space: Space, scales: Vectors, path: Path) -> Index:
        """An index of the space's vectors, extended from the one before where it may be."""
        file = CodesFile(path, space.ids)
        with self._lock:
            if self._held is None or not _begins(space, self._held[0]):
                index = Index(space.vectors, scales, file)
            elif len(space.ids) == len(self._held[0].ids):
                index = self._held[1]
            else:
                index = self._held[1].extended(space.vectors, file)
            if self._held is None or self._held[0] is not space:
                self._held = (space, index)
            return index


_indices: Recent[Growing] = Recent(4)


def index_of(workspace: Workspace, collection: str, space: Space, scales: Vectors) -> Index:
    """The index of a collection's space under these scales (d,)."""
    key = (str(workspace.root), collection, space.method, content_id(scales.tobytes()))
    path = workspace.cache / "codes" / f"{content_id(*key[1:])}.npz"
    return _indices.get(key, Growing).of(space, scales, path)


def _begins(space: Space, before: Space) -> bool:
    """Whether the rows of `before` are the first of `space`."""
    if space is before:
        return True
    n = len(before.ids)
    return len(space.ids) >= n and bool(np.array_equal(space.ids[:n], before.ids))
