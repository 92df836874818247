"""Raw data brought one batch ahead of the batch that is being read.

One thread describes and fetches, so a source is never asked by two at once; while a batch is read
and committed, the next one is on its way.
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
from motif.ingest.disk import room_for
from motif.ingest.passing import passing_folder

BATCH = 128
"""Assets in one transaction."""
WHAT = "fetch"

T = TypeVar("T")


@dataclass(frozen=True)
class Fetched:
    """One batch of a source, with what was fetched of it."""

    arrived: Sequence[tuple[Asset, Path | Exception]]
    others: Sequence[Asset]
    """Assets of which nothing was fetched: there are no raw data, or they are held already."""


def batches(
    source: Source, changed: Iterable[Asset], wants: Callable[[Asset], bool], cache: Path
) -> Generator[Fetched, None, None]:
    """All changed assets in order, batch by batch; files of a batch last until the next is asked.

    Args:
        source: who brings the files.
        changed: assets as the source describes them.
        wants: whether the raw data of an asset are needed.
        cache: folder for passing files.

    Raises:
        SourceError: after the batches before it were given.
        DiskFullError: a batch finds no room.
    """
    with (
        passing_folder(cache, WHAT) as folder,
        _one_ahead(_fetch(source, changed, wants, folder)) as made,
    ):
        for into, batch in made:
            yield batch
            shutil.rmtree(into, ignore_errors=True)


def _fetch(
    source: Source, changed: Iterable[Asset], wants: Callable[[Asset], bool], folder: Path
) -> Iterator[tuple[Path, Fetched]]:
    for number, assets in enumerate(_parts(changed, BATCH)):
        into = folder / str(number)
        into.mkdir()
        wanted: list[Asset] = []
        others: list[Asset] = []
        for asset in assets:
            (wanted if wants(asset) else others).append(asset)
        room_for(wanted, into)
        yield into, Fetched(list(source.fetch(wanted, into)), others)


@contextmanager
def _one_ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """The same items, each made by one thread while the item before it is in use.

    Left early, it does not wait for the item in hand: who closes the source ends it.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="motif-fetch")
    end: list[T] = []

    def given() -> Iterator[T]:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]

    try:
        yield given()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _parts(assets: Iterable[Asset], size: int) -> Iterator[list[Asset]]:
    """Lists of at most `size`; what came before an error of the source is handed on first."""
    stream = iter(assets)
    part: list[Asset] = []
    while True:
        try:
            part.append(next(stream))
        except StopIteration:
            break
        except SourceError:
            if part:
                yield part
            raise
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
