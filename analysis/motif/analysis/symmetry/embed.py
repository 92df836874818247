"""Features of every image of a collection: by chunks over Dask, each chunk a ledger row."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.features import Features
from motif.core.catalog import Derivation, MeasurementRow
from motif.core.compute import client_for, task_resources
from motif.core.errors import UnsuitableDataError
from motif.core.plugins import extractor as extractor_named
from motif.core.progress import Progress
from motif.core.workspace import Workspace

if TYPE_CHECKING:
    from distributed import Client

STAGE = "embedding"
DEFAULT = "symmetry"
VERSION = 1
CHUNK = 64
"""Images in one task and one ledger row."""
WORTH_A_CLUSTER = 512
"""Images below which starting worker processes costs more than it saves."""


def embed(
    workspace: Workspace,
    collection: str,
    *,
    extractor: str = DEFAULT,
    where: str | None = None,
    client: Client | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compute the features of images that have none yet; what was made before is kept.

    Args:
        workspace: where the images are.
        collection: which images.
        extractor: one of the installed extractors.
        where: only images that match this query.
        client: Dask client; by default a local cluster where there is enough to do.
        progress: told of every image.

    Returns:
        ``count`` (images with features), ``new``, ``dimension``, ``parts``, ``extractor`` and
        ``seconds``.

    Raises:
        UnsuitableDataError: the collection holds no images.
    """
    started = time.monotonic()
    rows = workspace.select(collection, where, "image")
    if not rows:
        raise UnsuitableDataError(
            f'"{collection}" holds no images to compute features of; see motif status.'
        )
    features = Features(extractor_named(extractor))
    parameters = {"extractor": extractor, "fingerprint": features.fingerprint, "version": VERSION}
    done = embedded_ids(workspace, collection, parameters)
    missing = [row for row in rows if row.id not in done]
    if progress:
        progress.expect(len(missing))
    for ids, vectors, seconds in _computed(workspace, missing, extractor, client):
        workspace.ledger.record(
            STAGE, collection, parameters, ids,
            {"ids": np.array(ids, "S32"), "vectors": vectors},
            {"count": len(ids), "dimension": features.dimension, "parts": features.parts},
            seconds,
        )  # fmt: skip
        if progress:
            progress.advance(len(ids))
    return {
        "count": len(rows),
        "new": len(missing),
        "dimension": features.dimension,
        "parts": features.parts,
        "extractor": extractor,
        "seconds": round(time.monotonic() - started, 2),
    }


def embedded_ids(
    workspace: Workspace, collection: str, parameters: Mapping[str, Any]
) -> frozenset[str]:
    """Measurements that have features by this extractor."""
    made = workspace.ledger.all(STAGE, collection, **parameters)
    return frozenset(identity for one in made for identity in one.inputs)


def current(workspace: Workspace, collection: str) -> list[Derivation]:
    """Ledger rows of the extractor used last in this collection, oldest first."""
    newest = workspace.ledger.latest(STAGE, collection)
    return workspace.ledger.all(STAGE, collection, **newest.parameters)


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
    workspace: Workspace, rows: Sequence[MeasurementRow], extractor: str, client: Client | None
) -> Iterator[tuple[list[str], NDArray[np.float32], float]]:
    """Features chunk by chunk, as they get ready."""
    chunks = [[row.id for row in rows[i : i + CHUNK]] for i in range(0, len(rows), CHUNK)]
    if client is None and len(rows) < WORTH_A_CLUSTER:
        for chunk in chunks:
            yield _compute(str(workspace.root), chunk, extractor)
        return
    if client is None:
        with client_for(workspace.config) as own:
            yield from _on_cluster(own, workspace.root, chunks, extractor)
        return
    yield from _on_cluster(client, workspace.root, chunks, extractor)


def _on_cluster(
    client: Client, root: Path, chunks: Sequence[list[str]], extractor: str
) -> Iterator[tuple[list[str], NDArray[np.float32], float]]:
    from distributed import as_completed

    resources = task_resources(client)
    futures = [
        client.submit(_compute, str(root), chunk, extractor, pure=False, resources=resources)
        for chunk in chunks
    ]
    for future in as_completed(futures):  # type: ignore[no-untyped-call]
        yield future.result()
        future.release()


def _compute(
    root: str, ids: list[str], extractor: str
) -> tuple[list[str], NDArray[np.float32], float]:
    """Features of one chunk: the task of a worker, which keeps workspace and model open."""
    started = time.process_time()
    workspace, features = _worker(root, extractor, os.getpid())
    rows = workspace.select(ids=ids)
    made = features(list(workspace.frames(rows)))
    return [row.id for row in rows], made, time.process_time() - started


@lru_cache(maxsize=4)
def _worker(root: str, extractor: str, process: int) -> tuple[Workspace, Features]:
    return Workspace.open(root), Features(extractor_named(extractor))
