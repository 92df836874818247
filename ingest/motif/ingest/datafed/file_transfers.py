"""Downloads and uploads of raw data: several transfers at a time, each file checked by size."""

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
from motif.ingest.datafed.datafed_errors import LostReplyError, RefusedError, TransferError

BATCH = 100
"""Records in one transfer, which succeeds or fails as a whole."""
GETS_IN_FLIGHT = 4
PUTS_IN_FLIGHT = 16
FIRST_DELAY, LAST_DELAY, DELAY_GROWTH = 0.005, 5.0, 1.6
LOST_STARTS = 3
"""Attempts to start a transfer whose acknowledgement is lost; each has its own folder."""
SUCCEEDED, FAILED = 3, 4
RECORD_ID = re.compile(r"d/[0-9]{1,30}")
SAFE_EXTENSION = re.compile(r"\.[A-Za-z0-9_]{1,16}")


@dataclass(frozen=True)
class RawFile:
    """The raw data of one record, to be downloaded."""

    record_id: str
    size: int
    file_name: str
    """Original file name; only a harmless extension of it is used."""

    @property
    def digits(self) -> str:
        return self.record_id.partition("/")[2]

    @property
    def safe_name(self) -> str:
        return self.digits + safe_extension(self.file_name)


@dataclass
class _TransferBatch:
    files: Sequence[RawFile]
    folder: Path
    lost: int = 0
    deadline: float = 0.0


def safe_extension(name: str) -> str:
    """The last extension of an untrusted name; empty unless it is short and alphanumeric."""
    match = SAFE_EXTENSION.fullmatch(os.path.splitext(name.replace("\\", "/"))[1])
    return match.group().lower() if match else ""


def download(
    client: DataFed, files: Sequence[RawFile], into: Path
) -> Iterator[tuple[RawFile, Path | TransferError]]:
    """Download files as ``into/<digits><extension>``; yields each file or its error.

    A batch that fails is repeated record by record.

    Raises:
        DataFedError: the server or the connection fails.
    """
    for file in files:
        if not RECORD_ID.fullmatch(file.record_id):
            yield file, TransferError(f"Record id {file.record_id!r} is not d/<number>.")
    files = [file for file in files if RECORD_ID.fullmatch(file.record_id)]
    into.mkdir(parents=True, exist_ok=True)
    with _staging(client.connection, into) as stage:
        waiting = deque(
            _TransferBatch(files[start : start + BATCH], stage / uuid.uuid4().hex)
            for start in range(0, len(files), BATCH)
        )
        active: dict[str, _TransferBatch] = {}
        while waiting or active:
            while waiting and len(active) < GETS_IN_FLIGHT:
                yield from _start(client, waiting.popleft(), waiting, active)
            for task, failure in _finished(client, active):
                yield from _collect(active.pop(task), failure, task, waiting, into)


def _start(
    client: DataFed,
    batch: _TransferBatch,
    waiting: deque[_TransferBatch],
    active: dict[str, _TransferBatch],
) -> Iterator[tuple[RawFile, TransferError]]:
    batch.folder.mkdir()
    batch.deadline = time.monotonic() + client.connection.transfer_timeout
    try:
        active[client.start_get([file.record_id for file in batch.files], batch.folder)] = batch
    except LostReplyError:
        if batch.lost + 1 >= LOST_STARTS:
            raise
        folder = batch.folder.with_name(uuid.uuid4().hex)
        waiting.append(_TransferBatch(batch.files, folder, batch.lost + 1))
    except RefusedError as error:
        if len(batch.files) > 1:
            waiting.extend(_one_by_one(batch))
        else:
            yield batch.files[0], TransferError(str(error))


def _one_by_one(batch: _TransferBatch) -> Iterator[_TransferBatch]:
    for file in batch.files:
        yield _TransferBatch([file], batch.folder.with_name(uuid.uuid4().hex))


def _collect(
    batch: _TransferBatch, failure: str, task: str, waiting: deque[_TransferBatch], into: Path
) -> Iterator[tuple[RawFile, Path | TransferError]]:
    if failure and len(batch.files) > 1:
        waiting.extend(_one_by_one(batch))
        return
    arrived = _arrived(batch.folder)
    for file in batch.files:
        size = arrived[file.digits].stat().st_size if file.digits in arrived else None
        if not failure and size == file.size:
            yield file, _move(arrived[file.digits], into / file.safe_name)
        elif len(batch.files) > 1:
            waiting.append(_TransferBatch([file], batch.folder.with_name(uuid.uuid4().hex)))
        else:
            reason = failure or (
                f"no file arrived in {batch.folder.parent}; if the endpoint serves another folder "
                "only, set local_root to it"
                if size is None
                else f"{size} of {file.size} bytes arrived"
            )
            yield file, TransferError(f"Raw data of {file.record_id}: {reason}.", task)
    shutil.rmtree(batch.folder, ignore_errors=True)


def _arrived(folder: Path) -> dict[str, Path]:
    """Regular files by the leading digits of their names."""
    with os.scandir(folder) as entries:
        return {
            entry.name.partition(".")[0]: Path(entry.path)
            for entry in entries
            if entry.is_file(follow_symlinks=False)
        }


def _move(arrived: Path, final: Path) -> Path:
    try:
        os.replace(arrived, final)
    except OSError:  # the staging folder may be on another file system
        part = final.with_name(f".{final.name}.part")
        shutil.copyfile(arrived, part)
        os.replace(part, final)
    return final


def _finished(client: DataFed, active: dict[str, _TransferBatch]) -> list[tuple[str, str]]:
    """Wait until a task ends: (task, empty or the reason of its failure)."""
    deadlines = {task: batch.deadline for task, batch in active.items()}
    return wait(client, deadlines) if deadlines else []


def wait(client: DataFed, deadlines: dict[str, float]) -> list[tuple[str, str]]:
    """Wait for tasks; returns those that have ended: (task, empty or the reason of failure).

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
    """Upload files, given as (record id, path); yields each with None or its error.

    Success means that the server reports as many bytes as the file has.
    """
    limit = client.connection.transfer_timeout
    queue = iter(files)
    active: dict[str, tuple[str, Path]] = {}
    deadlines: dict[str, float] = {}
    with _upload_paths(client.connection) as reachable:
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
            uploads = {task: active.pop(task) for task in ended}
            for task in ended:
                del deadlines[task]
            records = client.records([record_id for record_id, _ in uploads.values()])
            sizes = {record["id"]: record["size"] for record in records}
            for task, (record_id, path) in uploads.items():
                yield record_id, path, _upload_error(record_id, path, sizes, ended[task], task)


def _upload_error(
    record_id: str, path: Path, sizes: dict[str, int], failure: str, task: str
) -> TransferError | None:
    size = path.stat().st_size
    if failure:
        return TransferError(f"Upload of {path.name} to {record_id}: {failure}.", task)
    if sizes.get(record_id) != size:
        return TransferError(
            f"Upload of {path.name} to {record_id}: the server has {sizes.get(record_id, 0)} "
            f"of {size} bytes.",
            task,
        )
    return None


@contextmanager
def _staging(connection: Connection, into: Path) -> Iterator[Path]:
    """A folder the endpoint can write to, inside the destination where possible."""
    base = into if connection.reaches(into) else connection.local_root
    if base is None or not base.is_dir():
        raise ConfigError(f"local_root {base} is not a folder; create it or change local_root.")
    stage = base / f".motif-{uuid.uuid4().hex}"
    stage.mkdir()
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


class _EndpointCopy:
    """A path that the endpoint can read: the file itself, or a copy with the same name."""

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
def _upload_paths(connection: Connection) -> Iterator[_EndpointCopy]:
    if connection.local_root is None:
        yield _EndpointCopy(connection, None)
        return
    with _staging(connection, connection.local_root) as stage:
        yield _EndpointCopy(connection, stage)
