"""Features of several models joined, for every image of a collection or its tiles."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.embedding.embedding_results import (
    EmbeddingTask,
    by_id,
    embedded_ids,
    parameters_of,
)
from motif.analysis.symmetry.embedding.model_embedding import embed_one
from motif.analysis.symmetry.embedding.tiles import TILE_ID, Tile, boxes_nm
from motif.analysis.symmetry.extractors.feature_fusion import (
    Basis,
    basis_of,
    describer,
    fingerprint,
)
from motif.analysis.symmetry.models.model_registry import JOIN, model
from motif.core.records import ID_LENGTH
from motif.core.workspace import Workspace

if TYPE_CHECKING:
    from distributed import Client

    from motif.core.jobs.progress import Progress


from typing import TYPE_CHECKING

from motif.analysis.symmetry.embedding.tiles import checked
from motif.analysis.symmetry.extractors.preparation_recipe import PreparationRecipe
from motif.analysis.symmetry.models.model_registry import selected

if TYPE_CHECKING:
    from distributed import Client

    from motif.core.jobs.progress import Progress
    from motif.core.workspace import Workspace

IN_ROW = 4096
"""Joined vectors in one ledger row, and what completes the last image."""


def embed_joined(
    workspace: Workspace,
    collection: str,
    task: EmbeddingTask,
    where: str | None,
    client: Client | None,
    progress: Progress | None,
) -> dict[str, Any]:
    """Make the features of each model, then join them by the basis fitted to whole images.

    Returns:
        As `motif.analysis.symmetry.embedding.fused_embedding.embed` does.

    Raises:
        NotFoundError: there is no such model.
        UnsuitableDataError: the collection holds too few images.
    """
    started = time.monotonic()
    model(workspace, task.extractor)
    names = task.extractor.split(JOIN)
    for grid in dict.fromkeys((1, task.grid)):
        made = [
            embed_one(
                workspace, collection, EmbeddingTask(name, task.recipe, grid), where, client,
                progress,
            )
            for name in names
        ]  # fmt: skip
    prints = [describer(workspace, name, task.recipe).fingerprint for name in names]
    parts = [
        parameters_of(EmbeddingTask(name, task.recipe), each)
        for name, each in zip(names, prints, strict=True)
    ]
    whole = [by_id(workspace, collection, part) for part in parts]
    basis = basis_of(workspace, collection, parts, whole)
    parameters = {**parameters_of(task, fingerprint(prints, basis.id)), "basis": basis.id}
    done = embedded_ids(workspace, collection, parameters, task.stage)
    chosen = {row.id for row in workspace.select(collection, where, "image")} - done
    vectors = [by_id(workspace, collection, part, task.grid) for part in parts]
    shared = sorted(set.intersection(*(set(each) for each in vectors)))
    missing = [one for one in shared if _owner(one) in chosen]
    for keys in _by_image(missing, IN_ROW):
        _record(workspace, collection, task, parameters, basis, keys, vectors)
    return {
        **made[0], "new": len({_owner(one) for one in missing}),
        "dimension": basis.axes.shape[1], "parts": {"joined": (0, basis.axes.shape[1])},
        "extractor": task.extractor, "features": parameters["features"],
        "seconds": round(time.monotonic() - started, 2),
    }  # fmt: skip


def _record(
    workspace: Workspace,
    collection: str,
    task: EmbeddingTask,
    parameters: Mapping[str, Any],
    basis: Basis,
    keys: Sequence[bytes],
    vectors: Sequence[Mapping[bytes, NDArray[np.float32]]],
) -> None:
    """Keep the joined features of images or tiles `keys`."""
    started = time.process_time()
    joined = basis.joined([np.stack([each[one] for one in keys]) for each in vectors])
    owners = [_owner(one) for one in keys]
    inputs = list(dict.fromkeys(owners))
    arrays: dict[str, NDArray[Any]] = {"ids": np.array(owners, "S32"), "vectors": joined}
    if task.grid > 1:
        tiles = [Tile.of(one.decode()) for one in keys]
        boxes = boxes_nm(workspace.select(ids=inputs), tiles)
        arrays |= {"tiles": np.array(keys, f"S{TILE_ID}"), "boxes": boxes}
    size = joined.shape[1]
    summary = {"count": len(keys), "dimension": size, "parts": {"joined": (0, size)}, "kinds": []}
    workspace.ledger.record(
        task.stage, collection, parameters, inputs, arrays, summary, time.process_time() - started
    )


def _by_image(keys: Sequence[bytes], size: int) -> Iterator[list[bytes]]:
    """Sorted `keys` in parts of `size` or a little more, an image never divided between two.

    A result counts as all there is of an image, so after an interruption nothing may be missing.
    """
    part: list[bytes] = []
    for _, own in groupby(keys, _owner):
        part += own
        if len(part) >= size:
            yield part
            part = []
    if part:
        yield part


def _owner(key: bytes) -> str:
    """Measurement of an image's or a tile's id."""
    return key[:ID_LENGTH].decode()


def embed(
    workspace: Workspace,
    collection: str,
    *,
    extractor: str | None = None,
    recipe: PreparationRecipe | None = None,
    tiles: int = 1,
    where: str | None = None,
    client: Client | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compute the features of images that have none yet; earlier results are kept.

    Args:
        workspace: where the images are.
        collection: which images.
        extractor: name of a model; by default the selected one. ``symmetry+resnet18`` joins the
            features of both (see `joining`).
        recipe: preparation of images; the default one where not given.
        tiles: 1 for whole images, n for n by n tiles of each.
        where: only images that match this query.
        client: Dask client; by default a local cluster where there is enough to do.
        progress: advanced by every image.

    Returns:
        ``count`` (images with features), ``new``, ``left_out`` (reason -> images), ``dimension``,
        ``parts``, ``extractor``, ``features`` (the name to search and map them by), ``tiles`` and
        ``seconds``.

    Raises:
        UnsuitableDataError: the collection holds no images, or none that can be described so.
    """
    task = EmbeddingTask(
        extractor or selected(workspace),
        recipe or PreparationRecipe(),
        1 if tiles == 1 else checked(tiles),
    )
    embed_with = embed_joined if JOIN in task.extractor else embed_one
    return embed_with(workspace, collection, task, where, client, progress)
