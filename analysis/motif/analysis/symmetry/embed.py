"""Features of every image of a collection, or of its tiles: by chunks over Dask, each a result."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.describers import describer
from motif.analysis.symmetry.recipe import Recipe
from motif.analysis.symmetry.registry import DEFAULT, selected, selection
from motif.analysis.symmetry.tiles import TILE_ID, boxes_nm, checked, tiles_of
from motif.core.catalog import Derivation, MeasurementRow
from motif.core.compute import client_for, task_resources
from motif.core.errors import NotFoundError, UnsuitableDataError
from motif.core.progress import Progress
from motif.core.workspace import Workspace

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["DEFAULT", "STAGE", "TILES", "current", "embed", "embedded_ids", "named", "vectors"]

STAGE = "embedding"
TILES = "tiles"
VERSION = 2
CHUNK = 64
"""Images in one task and one ledger row."""
TILES_IN_CHUNK = 512
WORTH_A_CLUSTER = 512
"""Images below which starting worker processes costs more than it saves."""

Made = tuple[list[str], dict[str, NDArray[Any]], float]
"""Ids of the images of a chunk, its arrays, processor seconds."""


@dataclass(frozen=True)
class Task:
    """What is to be made of images: which features, of the whole or of `grid` x `grid` tiles."""

    extractor: str
    recipe: Recipe
    grid: int = 1

    @property
    def stage(self) -> str:
        return STAGE if self.grid == 1 else TILES

    @property
    def chunk(self) -> int:
        """Images in one ledger row."""
        return min(CHUNK, max(1, TILES_IN_CHUNK // self.grid**2))

    def refusal(self, row: MeasurementRow) -> str:
        """Why an image is left out; empty where it is not."""
        if self.grid > 1 and not tiles_of(row, self.grid):
            return "tiles too small"
        return self.recipe.refusal(row, self.grid)


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
        extractor: name of a model; by default the selected one.
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
    rows = workspace.select(collection, where, "image")
    if not rows:
        raise UnsuitableDataError(
            f'"{collection}" holds no images to compute features of; see motif status.'
        )
    task = Task(
        extractor or selected(workspace), recipe or Recipe(), 1 if tiles == 1 else checked(tiles)
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
    parameters = _parameters(task, made_by.fingerprint)
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


def _parameters(task: Task, fingerprint: str) -> dict[str, Any]:
    parameters = {
        "extractor": task.extractor, "features": task.recipe.label(task.extractor),
        "recipe": task.recipe.document(), "fingerprint": fingerprint, "version": VERSION,
    }  # fmt: skip
    return parameters if task.grid == 1 else {**parameters, "grid": task.grid}


def embedded_ids(
    workspace: Workspace, collection: str, parameters: Mapping[str, Any], stage: str = STAGE
) -> frozenset[str]:
    """Measurements that have features made this way."""
    made = workspace.ledger.all(stage, collection, **parameters)
    return frozenset(identity for one in made for identity in one.inputs)


def current(workspace: Workspace, collection: str) -> list[Derivation]:
    """Embeddings that count where nobody says which, oldest first.

    They are the newest of the selected model, where somebody selected one that has any here;
    else the newest of all.
    """
    chosen = selection(workspace)
    if chosen is not None:
        own = workspace.ledger.all(STAGE, collection, extractor=chosen.parameters["model"])
        if own:
            return [one for one in own if one.parameters == own[-1].parameters]
    newest = workspace.ledger.latest(STAGE, collection)
    return workspace.ledger.all(STAGE, collection, **newest.parameters)


def named(workspace: Workspace, collection: str, features: str) -> list[Derivation]:
    """The newest embeddings of a name such as ``symmetry@10nm``, oldest first.

    Raises:
        NotFoundError: there are none; lists those there are.
    """
    everything = workspace.ledger.all(STAGE, collection)
    found = [one for one in everything if one.parameters["features"] == features]
    if not found:
        known = dict.fromkeys(str(one.parameters["features"]) for one in everything)
        holds = f"there are {', '.join(known)}" if known else "there are none yet"
        raise NotFoundError(
            f'"{collection}" has no features "{features}"; {holds}. '
            f"Make them with motif embed {collection}."
        )
    return [one for one in found if one.parameters == found[-1].parameters]


def vectors(
    workspace: Workspace, collection: str
) -> tuple[list[str], NDArray[np.float32], dict[str, tuple[int, int]]]:
    """Features of the live images of a collection, in order of id.

    Returns:
        ids (n), vectors (n, d), and the range of each named part.

    Raises:
        NotFoundError: none were computed yet; names the command.
    """
    live = {row.id for row in workspace.select(collection, kind="image")}
    found: dict[str, NDArray[np.float32]] = {}
    made = current(workspace, collection)
    for derivation in made:
        arrays = workspace.ledger.arrays(derivation)
        for identity, vector in zip(arrays["ids"], arrays["vectors"], strict=True):
            if identity.decode() in live:
                found[identity.decode()] = vector
    ids = sorted(found)
    dimension = made[-1].summary["dimension"]
    matrix = np.stack([found[one] for one in ids]) if ids else np.empty((0, dimension), np.float32)
    parts = {name: (start, stop) for name, (start, stop) in made[-1].summary["parts"].items()}
    return ids, matrix, parts


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
