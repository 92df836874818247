"""Finds or makes the space of a collection, and keeps the last ones of the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motif.analysis.search.images import Which, embeddings, image_space
from motif.analysis.search.members import members
from motif.analysis.search.recent import Recent
from motif.analysis.search.space import Space
from motif.core.errors import ConfigError, NotFoundError
from motif.core.records import content_id

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

_spaces: Recent[Space] = Recent(4)


def space_of(
    workspace: Workspace,
    collection: str,
    kind: str | None = None,
    method: str | None = None,
    *,
    features: str | None = None,
    tiles: int | None = None,
) -> Space:
    """The space of a collection's images or, where it has none or `kind` says so, spectra.

    Args:
        workspace: where they are.
        collection: which ones.
        kind: ``image`` or ``spectrum``.
        method: how their features are made, e.g. those of a map; by default those that count now.
        features: name of other features of images, such as ``symmetry@10nm``.
        tiles: None for whole images, n for their n by n tiles, 0 for tiles of any size.

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
        return _image_space(workspace, collection, Which(method, features, tiles))
    if features is not None or tiles is not None:
        raise ConfigError("Spectra have one kind of features and no tiles; leave both out.")
    return _spectral_space(workspace, collection, method)


def _image_space(workspace: Workspace, collection: str, which: Which) -> Space:
    made = embeddings(workspace, collection, which)
    key = (str(workspace.root), which.tiles, *(one.id for one in made))
    return _spaces.get(key, lambda: image_space(workspace, made, which))


def _spectral_space(workspace: Workspace, collection: str, basis: str | None) -> Space:
    from motif.analysis.search.spectra import spectral_space

    ids = members(workspace, collection, "spectrum")
    marked = members(workspace, collection, "spectrum", "has tainted")
    key = (str(workspace.root), basis, content_id(ids.tobytes(), marked.tobytes()))
    return _spaces.get(key, lambda: spectral_space(workspace, collection, basis))
