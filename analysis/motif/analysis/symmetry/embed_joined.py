"""Features of several models joined, for every image of a collection or its tiles."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.describers import describer
from motif.analysis.symmetry.embedded import Task, by_id, embedded_ids, parameters_of
from motif.analysis.symmetry.joining import Basis, basis_of, fingerprint
from motif.analysis.symmetry.registry import JOIN, model
from motif.analysis.symmetry.tiles import TILE_ID, Tile, boxes_nm
from motif.core.records import ID_LENGTH
from motif.core.workspace import Workspace

if TYPE_CHECKING:
    from distributed import Client

    from motif.core.progress import Progress

IN_ROW = 4096
"""Joined vectors in one ledger row, and what completes the last image."""


def embed_joined(
    workspace: Workspace,
    collection: str,
    task: Task,
    where: str | None,
    client: Client | None,
    progress: Progress | None,
) -> dict[str, Any]:
    """Make the features of each model, then join them by the basis fitted to whole images.

    Returns:
        As `motif.analysis.symmetry.embed.embed` does.

    Raises:
        NotFoundError: there is no such model.
        UnsuitableDataError: the collection holds too few images.
    """
    from motif.analysis.symmetry.embed import embed

    started = time.monotonic()
    model(workspace, task.extractor)
    names = task.extractor.split(JOIN)
    for grid in dict.fromkeys((1, task.grid)):
        made = [
            embed(
                workspace, collection, extractor=name, recipe=task.recipe, tiles=grid,
                where=where, client=client, progress=progress,
            )
            for name in names
        ]  # fmt: skip
    prints = [describer(workspace, name, task.recipe).fingerprint for name in names]
    parts = [
        parameters_of(Task(name, task.recipe), each)
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
    task: Task,
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
