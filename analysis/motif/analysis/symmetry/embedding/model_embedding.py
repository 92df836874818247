"""Features of one model for images or their tiles: in chunks over Dask, each chunk a result."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.embedding.embedding_results import (
    EmbeddingTask,
    embedded_ids,
    parameters_of,
)
from motif.analysis.symmetry.embedding.tiles import TILE_ID, Tile, boxes_nm, tiles_of
from motif.analysis.symmetry.extractors.feature_fusion import Describer, describer
from motif.core.catalog.database import MeasurementRow
from motif.core.errors import MotifError, UnsuitableDataError
from motif.core.jobs.compute import client_for, task_resources
from motif.core.jobs.progress import Progress
from motif.core.workspace import Workspace

if TYPE_CHECKING:
    from distributed import Client

Scan: TypeAlias = tuple[MeasurementRow, NDArray[np.float32]]

WORTH_A_CLUSTER = 512
"""Images below which starting worker processes costs more than it saves."""


@dataclass(frozen=True)
class ChunkFeatures:
    """Features of the images of one chunk, and the images the extractor failed on."""

    ids: list[str]
    arrays: dict[str, NDArray[Any]]
    seconds: float
    """Processor time."""
    failures: Mapping[str, str]
    """Id -> reason."""


def embed_one(
    workspace: Workspace,
    collection: str,
    task: EmbeddingTask,
    where: str | None = None,
    client: Client | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compute the features of one model that images do not have yet; see `embed.embed`."""
    started = time.monotonic()
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
    failures: dict[str, str] = {}
    for chunk in _computed(workspace, missing, task, client):
        failures |= chunk.failures
        if chunk.ids:
            summary = {
                "count": len(chunk.arrays["ids"]), "dimension": made_by.dimension,
                "parts": dict(made_by.parts), "kinds": list(made_by.kinds),
            }  # fmt: skip
            workspace.ledger.record(
                task.stage, collection, parameters, chunk.ids, chunk.arrays, summary, chunk.seconds
            )
        if progress:
            progress.advance(len(chunk.ids) + len(chunk.failures))
    if len(failures) == len(rows):
        raise UnsuitableDataError(
            f'No image of "{collection}" has features: {next(iter(failures.values()))}.'
        )
    return {
        "count": len(rows) - len(failures), "new": len(missing) - len(failures),
        "left_out": {**left_out, **Counter(failures.values())},
        "dimension": made_by.dimension, "parts": dict(made_by.parts),
        "extractor": task.extractor, "features": parameters["features"], "tiles": task.grid,
        "seconds": round(time.monotonic() - started, 2),
    }  # fmt: skip


def _computed(
    workspace: Workspace, rows: Sequence[MeasurementRow], task: EmbeddingTask, client: Client | None
) -> Iterator[ChunkFeatures]:
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
    client: Client, root: Path, chunks: Sequence[list[str]], task: EmbeddingTask
) -> Iterator[ChunkFeatures]:
    from distributed import as_completed

    resources = task_resources(client)
    futures = [
        client.submit(_compute, str(root), chunk, task, pure=False, resources=resources)
        for chunk in chunks
    ]
    for future in as_completed(futures):  # type: ignore[no-untyped-call]
        yield future.result()
        future.release()


def _compute(root: str, ids: list[str], task: EmbeddingTask) -> ChunkFeatures:
    """Features of one chunk: the task of a worker, which keeps workspace and model open."""
    started = time.process_time()
    workspace = _worker(root, os.getpid())
    make = describer(workspace, task.extractor, task.recipe)
    rows = workspace.select(ids=ids)
    if task.grid == 1:
        return _whole_images(make, list(workspace.frames(rows)), task.extractor, started)
    tiles: list[Tile] = []
    parts, described, failures = [], [], {}
    for row, frame in workspace.frames(rows):
        own = tiles_of(row, task.grid)
        cut = [(row, np.ascontiguousarray(tile.cut(frame))) for tile in own]
        try:
            parts.append(make(cut))
        except Exception as error:
            failures[row.id] = _failure(task.extractor, error)
            continue
        tiles += own
        described.append(row)
    if not described:
        return ChunkFeatures([], {}, _since(started), failures)
    arrays = {
        "ids": np.array([tile.measurement for tile in tiles], "S32"),
        "tiles": np.array([tile.id for tile in tiles], f"S{TILE_ID}"),
        "boxes": boxes_nm(described, tiles), "vectors": np.concatenate(parts),
    }  # fmt: skip
    return ChunkFeatures([row.id for row in described], arrays, _since(started), failures)


def _whole_images(
    make: Describer, scans: Sequence[Scan], extractor: str, started: float
) -> ChunkFeatures:
    """Features of a chunk at once; image by image where the extractor fails on the chunk."""
    ids, failures = [row.id for row, _ in scans], {}
    try:
        vectors = make(scans)
    except Exception:
        kept, ids = [], []
        for row, frame in scans:
            try:
                kept.append(make([(row, frame)]))
                ids.append(row.id)
            except Exception as error:
                failures[row.id] = _failure(extractor, error)
        if not ids:
            return ChunkFeatures([], {}, _since(started), failures)
        vectors = np.concatenate(kept)
    arrays = {"ids": np.array(ids, "S32"), "vectors": vectors}
    return ChunkFeatures(ids, arrays, _since(started), failures)


def _failure(extractor: str, error: Exception) -> str:
    """Why an image has no features: its own fault, or one for the extractor's author."""
    if isinstance(error, MotifError):
        return str(error).rstrip(".")
    return f"extractor {extractor} failed: {type(error).__name__}: {error}; report it to its author"


def _since(started: float) -> float:
    return time.process_time() - started


@lru_cache(maxsize=4)
def _worker(root: str, process: int) -> Workspace:
    return Workspace.open(root)
