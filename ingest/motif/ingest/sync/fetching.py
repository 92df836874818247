"""Fetches raw data one batch ahead of the batch that is being read.

A single thread lists and fetches, so a source never gets two calls at once; while one batch is
read and committed, the next one is fetched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from motif.core.contracts import Source
from motif.core.errors import SourceError
from motif.core.records import Asset
from motif.ingest.sync.scratch import check_free_space, scratch_folder

BATCH = 128
"""Assets in one transaction."""
PURPOSE = "fetch"

T = TypeVar("T")


@dataclass(frozen=True)
class FetchedBatch:
    """One batch of a source's assets, with the raw data that were fetched."""

    fetched: Sequence[tuple[Asset, Path | Exception]]
    others: Sequence[Asset]
    """Assets of which nothing was fetched: they have no raw data, or these are stored already."""


def fetch_batches(
    source: Source, changed: Iterable[Asset], wants: Callable[[Asset], bool], cache: Path
) -> Generator[FetchedBatch, None, None]:
    """All changed assets in order, in batches; the files of a batch last until the next is taken.

    Args:
        source: fetches the files.
        changed: assets as the source describes them.
        wants: whether the raw data of an asset are needed.
        cache: folder for temporary files.

    Raises:
        SourceError: the source failed; all batches before were yielded.
        DiskFullError: there is no room for a batch.
    """
    with (
        scratch_folder(cache, PURPOSE) as folder,
        _one_ahead(_fetch(source, changed, wants, folder)) as fetched,
    ):
        for batch_folder, batch in fetched:
            yield batch
            shutil.rmtree(batch_folder, ignore_errors=True)


def _fetch(
    source: Source, changed: Iterable[Asset], wants: Callable[[Asset], bool], folder: Path
) -> Iterator[tuple[Path, FetchedBatch]]:
    for number, assets in enumerate(_batches(changed, BATCH)):
        batch_folder = folder / str(number)
        batch_folder.mkdir()
        wanted: list[Asset] = []
        others: list[Asset] = []
        for asset in assets:
            (wanted if wants(asset) else others).append(asset)
        check_free_space(wanted, batch_folder)
        yield batch_folder, FetchedBatch(list(source.fetch(wanted, batch_folder)), others)


@contextmanager
def _one_ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """The same items, each computed by one thread while the item before it is in use.

    When left early, it does not wait for the item being computed: closing the source ends that.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="motif-fetch")
    end: list[T] = []

    def computed() -> Iterator[T]:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]

    try:
        yield computed()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _batches(assets: Iterable[Asset], size: int) -> Iterator[list[Asset]]:
    """Lists of at most `size`; the assets before an error of the source are yielded first."""
    remaining = iter(assets)
    batch: list[Asset] = []
    while True:
        try:
            batch.append(next(remaining))
        except StopIteration:
            break
        except SourceError:
            if batch:
                yield batch
            raise
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
