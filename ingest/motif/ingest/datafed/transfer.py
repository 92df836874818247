"""Raw data there and back: many transfers in flight, each file checked by its size."""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from motif.core.errors import ConfigError
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.errors import LostReplyError, RefusedError, TransferError

BATCH = 100
"""Records in one transfer: its status is all or nothing."""
GETS_IN_FLIGHT = 4
PUTS_IN_FLIGHT = 16
FIRST_DELAY, LAST_DELAY, DELAY_GROWTH = 0.005, 5.0, 1.6
LOST_STARTS = 3
"""Attempts to start a transfer whose acknowledgement is lost; each has a folder of its own."""
SUCCEEDED, FAILED = 3, 4
RECORD_ID = re.compile(r"d/[0-9]{1,30}")
SAFE_EXTENSION = re.compile(r"\.[A-Za-z0-9_]{1,16}")


@dataclass(frozen=True)
class Wanted:
    """Raw data to bring."""

    record_id: str
    size: int
    file_name: str
    """Name as its owner knew it; only a harmless extension of it is used."""

    @property
    def digits(self) -> str:
        return self.record_id.partition("/")[2]

    @property
    def safe_name(self) -> str:
        return self.digits + safe_extension(self.file_name)


@dataclass
class _Batch:
    wanted: Sequence[Wanted]
    folder: Path
    lost: int = 0
    deadline: float = 0.0


def safe_extension(name: str) -> str:
    """The last extension of a name from outside, empty unless it is plainly one."""
    match = SAFE_EXTENSION.fullmatch(os.path.splitext(name.replace("\\", "/"))[1])
    return match.group().lower() if match else ""


def download(
    client: DataFed, wanted: Sequence[Wanted], into: Path
) -> Iterator[tuple[Wanted, Path | TransferError]]:
    """Bring files into `into` as ``<digits><extension>``; each as it arrives, or why it did not.

    A batch that fails is repeated record by record. Errors of the server or the connection are
    raised.
    """
    for item in wanted:
        if not RECORD_ID.fullmatch(item.record_id):
            yield item, TransferError(f"Record id {item.record_id!r} is no d/<number>.")
    wanted = [item for item in wanted if RECORD_ID.fullmatch(item.record_id)]
    into.mkdir(parents=True, exist_ok=True)
    with _staging(client.connection, into) as stage:
        waiting = deque(
            _Batch(wanted[start : start + BATCH], stage / uuid.uuid4().hex)
            for start in range(0, len(wanted), BATCH)
        )
        active: dict[str, _Batch] = {}
        while waiting or active:
            while waiting and len(active) < GETS_IN_FLIGHT:
                yield from _start(client, waiting.popleft(), waiting, active)
            for task, failure in _finished(client, active):
                yield from _collect(active.pop(task), failure, task, waiting, into)


def _start(
    client: DataFed, batch: _Batch, waiting: deque[_Batch], active: dict[str, _Batch]
) -> Iterator[tuple[Wanted, TransferError]]:
    batch.folder.mkdir()
    batch.deadline = time.monotonic() + client.connection.transfer_timeout
    try:
        active[client.start_get([item.record_id for item in batch.wanted], batch.folder)] = batch
    except LostReplyError:
        if batch.lost + 1 >= LOST_STARTS:
            raise
        folder = batch.folder.with_name(uuid.uuid4().hex)
        waiting.append(_Batch(batch.wanted, folder, batch.lost + 1))
    except RefusedError as error:
        if len(batch.wanted) > 1:
            waiting.extend(_one_by_one(batch))
        else:
            yield batch.wanted[0], TransferError(str(error))


def _one_by_one(batch: _Batch) -> Iterator[_Batch]:
    for item in batch.wanted:
        yield _Batch([item], batch.folder.with_name(uuid.uuid4().hex))


def _collect(
    batch: _Batch, failure: str, task: str, waiting: deque[_Batch], into: Path
) -> Iterator[tuple[Wanted, Path | TransferError]]:
    if failure and len(batch.wanted) > 1:
        waiting.extend(_one_by_one(batch))
        return
    arrived = _arrived(batch.folder)
    for item in batch.wanted:
        size = arrived[item.digits].stat().st_size if item.digits in arrived else None
        if not failure and size == item.size:
            yield item, _place(arrived[item.digits], into / item.safe_name)
        elif len(batch.wanted) > 1:
            waiting.append(_Batch([item], batch.folder.with_name(uuid.uuid4().hex)))
        else:
            reason = failure or (
                f"no file arrived in {batch.folder.parent}; if the endpoint serves another folder "
                "only, set local_root to it"
                if size is None
                else f"{size} of {item.size} bytes arrived"
            )
            yield item, TransferError(f"Raw data of {item.record_id}: {reason}.", task)
    shutil.rmtree(batch.folder, ignore_errors=True)


def _arrived(folder: Path) -> dict[str, Path]:
    """Regular files by the digits their names begin with."""
    with os.scandir(folder) as entries:
        return {
            entry.name.partition(".")[0]: Path(entry.path)
            for entry in entries
            if entry.is_file(follow_symlinks=False)
        }


def _place(arrived: Path, final: Path) -> Path:
    try:
        os.replace(arrived, final)
    except OSError:  # the staging folder may be on another file system
        part = final.with_name(f".{final.name}.part")
        shutil.copyfile(arrived, part)
        os.replace(part, final)
    return final


def _finished(client: DataFed, active: dict[str, _Batch]) -> list[tuple[str, str]]:
    """Wait until one of the tasks ends: (task, empty or the reason of its failure)."""
    deadlines = {task: batch.deadline for task, batch in active.items()}
    return wait(client, deadlines) if deadlines else []


def wait(client: DataFed, deadlines: dict[str, float]) -> list[tuple[str, str]]:
    """The tasks that have ended, at least one: (task, empty or why it failed).

    A task past its deadline (`time.monotonic`) counts as failed; the server may still run it.
    """
    delay = FIRST_DELAY
    while True:
        ended = []
        for task, deadline in deadlines.items():
            state = client.task(task)
            if state["status"] >= SUCCEEDED:
                failed = state["status"] != SUCCEEDED
                ended.append((task, (state["msg"] or "transfer failed") if failed else ""))
            elif time.monotonic() > deadline:
                ended.append((task, f"transfer {task} did not end in time"))
        if ended:
            return ended
        time.sleep(delay)
        delay = min(LAST_DELAY, delay * DELAY_GROWTH)


def upload(
    client: DataFed, files: Iterable[tuple[str, Path]]
) -> Iterator[tuple[str, Path, TransferError | None]]:
    """Bring files to records, given as (record id, path); each with None or why it failed.

    Success means that the server holds as many bytes as the file.
    """
    limit = client.connection.transfer_timeout
    queue = iter(files)
    active: dict[str, tuple[str, Path]] = {}
    deadlines: dict[str, float] = {}
    with _outgoing(client.connection) as reachable:
        while True:
            while len(active) < PUTS_IN_FLIGHT and (item := next(queue, None)):
                try:
                    task = client.start_put(item[0], reachable(item[1]))
                except RefusedError as error:
                    yield *item, TransferError(str(error))
                    continue
                active[task] = item
                deadlines[task] = time.monotonic() + limit
            if not active:
                return
            ended = dict(wait(client, deadlines))
            done = {task: active.pop(task) for task in ended}
            for task in ended:
                del deadlines[task]
            sizes = {r["id"]: r["size"] for r in client.records([d[0] for d in done.values()])}
            for task, (record_id, path) in done.items():
                yield record_id, path, _verdict(record_id, path, sizes, ended[task], task)


def _verdict(
    record_id: str, path: Path, sizes: dict[str, int], failure: str, task: str
) -> TransferError | None:
    size = path.stat().st_size
    if failure:
        return TransferError(f"Upload of {path.name} to {record_id}: {failure}.", task)
    if sizes.get(record_id) != size:
        return TransferError(
            f"Upload of {path.name} to {record_id}: the server holds {sizes.get(record_id, 0)} "
            f"of {size} bytes.",
            task,
        )
    return None


@contextmanager
def _staging(connection: Connection, into: Path) -> Iterator[Path]:
    """A folder the endpoint can write to, beside the final place where possible."""
    base = into if connection.reaches(into) else connection.local_root
    if base is None or not base.is_dir():
        raise ConfigError(f"local_root {base} is not a folder; create it or change local_root.")
    stage = base / f".motif-{uuid.uuid4().hex}"
    stage.mkdir()
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


class _Reachable:
    """Gives a path the endpoint can read: the file itself, or a copy of the same name."""

    def __init__(self, connection: Connection, stage: Path | None) -> None:
        self._connection = connection
        self._stage = stage

    def __call__(self, path: Path) -> Path:
        if self._stage is None or self._connection.reaches(path):
            return path
        folder = self._stage / uuid.uuid4().hex
        folder.mkdir()
        return Path(shutil.copyfile(path, folder / path.name))


@contextmanager
def _outgoing(connection: Connection) -> Iterator[_Reachable]:
    if connection.local_root is None:
        yield _Reachable(connection, None)
        return
    with _staging(connection, connection.local_root) as stage:
        yield _Reachable(connection, stage)
