"""Features of every image of a collection, or of its tiles: by chunks over Dask, each a result."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.describers import describer
from motif.analysis.symmetry.embedded import Task, embedded_ids, parameters_of
from motif.analysis.symmetry.recipe import Recipe
from motif.analysis.symmetry.registry import JOIN, selected
from motif.analysis.symmetry.tiles import TILE_ID, boxes_nm, checked, tiles_of
from motif.core.catalog import MeasurementRow
from motif.core.compute import client_for, task_resources
from motif.core.errors import UnsuitableDataError
from motif.core.progress import Progress
from motif.core.workspace import Workspace

if TYPE_CHECKING:
    from distributed import Client

WORTH_A_CLUSTER = 512
"""Images below which starting worker processes costs more than it saves."""

Made = tuple[list[str], dict[str, NDArray[Any]], float]
"""Ids of the images of a chunk, its arrays, processor seconds."""


def embed(
    workspace: Workspace,
    collection: str,
    *,
    extractor: str | None = None,
    recipe: Recipe | None = None,
    tiles: int = 1,
    where: str | None = None,
    client: Client | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compute the features of images that have none yet; what was made before is kept.

    Args:
        workspace: where the images are.
        collection: which images.
        extractor: name of a model; by default the selected one. ``symmetry+resnet18`` joins the
            features of both (see `joining`).
        recipe: what is done to an image before; by default the usual.
        tiles: 1 for whole images, n for n by n tiles of each.
        where: only images that match this query.
        client: Dask client; by default a local cluster where there is enough to do.
        progress: told of every image.

    Returns:
        ``count`` (images with features), ``new``, ``left_out`` (reason -> images), ``dimension``,
        ``parts``, ``extractor``, ``features`` (the name to search and map them by), ``tiles`` and
        ``seconds``.

    Raises:
        UnsuitableDataError: the collection holds no images, or none that can be described so.
    """
    started = time.monotonic()
    task = Task(
        extractor or selected(workspace), recipe or Recipe(), 1 if tiles == 1 else checked(tiles)
    )
    if JOIN in task.extractor:
        from motif.analysis.symmetry.embed_joined import embed_joined

        return embed_joined(workspace, collection, task, where, client, progress)
    rows = workspace.select(collection, where, "image")
    if not rows:
        raise UnsuitableDataError(
            f'"{collection}" holds no images to compute features of; see motif status.'
        )
    refused = {row.id: why for row in rows if (why := task.refusal(row))}
    rows = [row for row in rows if row.id not in refused]
    left_out = dict(Counter(refused.values()))
    if not rows:
        raise UnsuitableDataError(
            f'No image of "{collection}" can be described so: '
            + ", ".join(f"{count} have {why}" for why, count in left_out.items()) + "."
        )  # fmt: skip
    made_by = describer(workspace, task.extractor, task.recipe)
    parameters = parameters_of(task, made_by.fingerprint)
    done = embedded_ids(workspace, collection, parameters, task.stage)
    missing = [row for row in rows if row.id not in done]
    if progress:
        progress.expect(len(missing))
    for ids, arrays, seconds in _computed(workspace, missing, task, client):
        summary = {
            "count": len(arrays["ids"]), "dimension": made_by.dimension,
            "parts": dict(made_by.parts), "kinds": list(made_by.kinds),
        }  # fmt: skip
        workspace.ledger.record(task.stage, collection, parameters, ids, arrays, summary, seconds)
        if progress:
            progress.advance(len(ids))
    return {
        "count": len(rows), "new": len(missing), "left_out": left_out,
        "dimension": made_by.dimension, "parts": dict(made_by.parts),
        "extractor": task.extractor, "features": parameters["features"], "tiles": task.grid,
        "seconds": round(time.monotonic() - started, 2),
    }  # fmt: skip


def _computed(
    workspace: Workspace, rows: Sequence[MeasurementRow], task: Task, client: Client | None
) -> Iterator[Made]:
    """Features chunk by chunk, as they get ready."""
    chunks = [[row.id for row in rows[i : i + task.chunk]] for i in range(0, len(rows), task.chunk)]
    if client is None and len(rows) * task.grid**2 < WORTH_A_CLUSTER:
        for chunk in chunks:
            yield _compute(str(workspace.root), chunk, task)
        return
    if client is None:
        with client_for(workspace.config) as own:
            yield from _on_cluster(own, workspace.root, chunks, task)
        return
    yield from _on_cluster(client, workspace.root, chunks, task)


def _on_cluster(
    client: Client, root: Path, chunks: Sequence[list[str]], task: Task
) -> Iterator[Made]:
    from distributed import as_completed

    resources = task_resources(client)
    futures = [
        client.submit(_compute, str(root), chunk, task, pure=False, resources=resources)
        for chunk in chunks
    ]
    for future in as_completed(futures):  # type: ignore[no-untyped-call]
        yield future.result()
        future.release()


def _compute(root: str, ids: list[str], task: Task) -> Made:
    """Features of one chunk: the task of a worker, which keeps workspace and model open."""
    started = time.process_time()
    workspace = _worker(root, os.getpid())
    make = describer(workspace, task.extractor, task.recipe)
    rows = workspace.select(ids=ids)
    if task.grid == 1:
        names, made = [row.id for row in rows], make(list(workspace.frames(rows)))
        return names, {"ids": np.array(names, "S32"), "vectors": made}, _since(started)
    tiles, parts, made_of = [], [], []
    for row, frame in workspace.frames(rows):
        own = tiles_of(row, task.grid)
        tiles += own
        parts.append(make([(row, np.ascontiguousarray(tile.cut(frame))) for tile in own]))
        made_of.append(row.id)
    arrays = {
        "ids": np.array([tile.measurement for tile in tiles], "S32"),
        "tiles": np.array([tile.id for tile in tiles], f"S{TILE_ID}"),
        "boxes": boxes_nm(rows, tiles), "vectors": np.concatenate(parts),
    }  # fmt: skip
    return made_of, arrays, _since(started)


def _since(started: float) -> float:
    return time.process_time() - started


@lru_cache(maxsize=4)
def _worker(root: str, process: int) -> Workspace:
    return Workspace.open(root)
