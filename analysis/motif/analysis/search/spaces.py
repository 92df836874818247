"""Finds or makes the space of a collection, and keeps the last ones of the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motif.analysis.search.members import members
from motif.analysis.search.recent import Recent
from motif.analysis.search.space import Space
from motif.core.errors import NotFoundError
from motif.core.records import content_id

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

_spaces: Recent[Space] = Recent(4)


def space_of(
    workspace: Workspace, collection: str, kind: str | None = None, method: str | None = None
) -> Space:
    """The space of a collection's images or, where it has none or `kind` says so, spectra.

    Args:
        workspace: where they are.
        collection: which ones.
        kind: ``image`` or ``spectrum``.
        method: how their features are made, e.g. those of a map; by default the newest way.

    Raises:
        NotFoundError: the collection, or features of its images, do not exist.
    """
    workspace.require_collection(collection)
    kinds = workspace.catalog.collections()[collection]
    kind = kind or ("image" if "image" in kinds else "spectrum")
    if kind not in kinds:
        holds = " and ".join(f"{count} {name}s" for name, count in kinds.items())
        raise NotFoundError(f'"{collection}" holds no {kind} to compare with, only {holds}.')
    if kind == "image":
        return _image_space(workspace, collection, method)
    return _spectral_space(workspace, collection, method)


def _image_space(workspace: Workspace, collection: str, method: str | None) -> Space:
    from motif.analysis.search.images import embeddings, image_space

    made = embeddings(workspace, collection, method)
    key = (str(workspace.root), *(one.id for one in made))
    return _spaces.get(key, lambda: image_space(workspace, made))


def _spectral_space(workspace: Workspace, collection: str, basis: str | None) -> Space:
    from motif.analysis.search.spectra import spectral_space

    ids = members(workspace, collection, "spectrum")
    key = (str(workspace.root), basis, content_id(ids.tobytes()))
    return _spaces.get(key, lambda: spectral_space(workspace, collection, basis))
