"""Transfers: threads that copy raw data between endpoints and the repository."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motif.ingest.sandbox.request_server.faults import Faults
from motif.ingest.sandbox.request_server.protocol import pb
from motif.ingest.sandbox.sandbox_database import connect, transaction
from motif.ingest.sandbox.schedule import Claim, Schedule

log = logging.getLogger(__name__)

_RETRY_SECONDS = 0.2


class SandboxTransferError(Exception):
    """A transfer cannot be done; the text becomes the message of the failed task."""


def split_path(place: str) -> tuple[str, str]:
    """Split ``<endpoint>/<path>``; the path keeps its leading slash."""
    endpoint, slash, path = place.partition("/")
    return endpoint, slash + path


def local_path(endpoints: Mapping[str, Path], place: str) -> Path:
    """Give the local file that `place` names.

    A path that begins with the endpoint's own folder is taken as it is, any other one as lying
    below that folder. Links are followed before the check, so none leads out of the folder.

    Raises:
        TransferError: unknown endpoint, or the path leads out of its folder.
    """
    endpoint, path = split_path(place)
    root = endpoints.get(endpoint)
    if root is None:
        raise SandboxTransferError(f"Endpoint '{endpoint}' not found")
    if "\0" in path:
        raise SandboxTransferError("Permission denied")
    given = Path(path)
    base = root.resolve()
    inside = given.is_relative_to(root) or given.is_relative_to(base)
    found = (given if inside else base / path.lstrip("/")).resolve()
    if not found.is_relative_to(base):
        raise SandboxTransferError("Permission denied")
    return found


class Transfers:
    """Carries out tasks, several at once, on a database connection of their own.

    Tasks live in the database; after a restart the unfinished ones are done again, which is safe
    because each replaces its files in one step.
    """

    def __init__(
        self, folder: Path, endpoints: Mapping[str, Path], faults: Faults, at_once: int
    ) -> None:
        self._folder = folder.resolve()
        self._repository = self._folder / "repo"
        self._endpoints = endpoints
        self._faults = faults
        self._schedule = Schedule()
        self._stop = threading.Event()
        self._writing = threading.Lock()
        self._db = connect(folder / "sandbox.sqlite")
        self._threads = [
            threading.Thread(target=self._supervise, name=f"sandbox-transfer-{number}")
            for number in range(at_once)
        ]

    def start(self) -> None:
        """Begin, with what an earlier process left unfinished."""
        for task, state in self._db.execute(
            "SELECT id, state FROM task WHERE status < 3 ORDER BY id"
        ):
            self.submit(task, Claim.of(json.loads(state)))
        for thread in self._threads:
            thread.start()

    def must_wait(self, claim: Claim) -> bool:
        """Whether a task of this claim would have to wait for another one."""
        return self._schedule.must_wait(claim)

    def submit(self, task: int, claim: Claim) -> None:
        """Carry out `task`, whose row is committed."""
        self._schedule.add(task, claim)

    def stop(self) -> None:
        """End after the files being copied; the rest continues at the next start."""
        self._stop.set()
        self._schedule.stop()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._db.close()

    def _supervise(self) -> None:
        while (task := self._schedule.take()) is not None:
            try:
                self._do(task)
            except Exception:  # whatever it is, the thread must not end of it
                log.exception("Task %d could not be written down and is tried again", task)
                self._stop.wait(_RETRY_SECONDS)
                self._schedule.offer([task])

    def _do(self, number: int) -> None:
        """Carry a task out and let go on what waited for it, unless the server stops first."""
        if not self._wait_for_start():
            return
        with self._writing:
            row = self._db.execute("SELECT * FROM task WHERE id = ?", (number,)).fetchone()
        if row is not None and row["status"] < pb.TS_SUCCEEDED and not self._attempt(row):
            return
        freed = self._schedule.end(number)
        try:
            for task in freed:
                self._report(task, pb.TS_READY, 0, "Pending")
        finally:
            self._schedule.offer(freed)

    def _attempt(self, row: sqlite3.Row) -> bool:
        """Do the task and write down how it ended; false where the server stops first."""
        number = row["id"]
        self._report(number, pb.TS_RUNNING, 0, "Running")
        state = json.loads(row["state"])
        try:
            failure = self._faults.next_transfer_failure()
            if failure is not None:
                raise SandboxTransferError(failure)
            return self._carry_out(row, state)
        except SandboxTransferError as error:
            self._report(number, pb.TS_FAILED, row["step"], str(error))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._report(number, pb.TS_FAILED, row["step"], reason)
        except sqlite3.Error:
            raise
        except Exception:
            log.exception("Task %d failed unexpectedly", number)
            self._report(number, pb.TS_FAILED, row["step"], "Internal server fault")
        return True

    def _wait_for_start(self) -> bool:
        while not self._faults.transfers_may_start(0.05):
            if self._stop.is_set():
                return False
        return not self._stop.wait(self._faults.transfer_delay)

    def _carry_out(self, row: sqlite3.Row, state: dict[str, Any]) -> bool:
        """Do the task; false where the server stops first."""
        if row["type"] == pb.TT_DATA_GET:
            if not self._get(row["id"], state):
                return False
        elif row["type"] == pb.TT_DATA_PUT:
            self._put(row["id"], state)
            self._finish_put(row, state)
            return True
        else:
            for name in state["remove"]:
                (self._repository / name).unlink(missing_ok=True)
        self._report(row["id"], pb.TS_SUCCEEDED, row["steps"], "Finished")
        return True

    def _get(self, task: int, state: dict[str, Any]) -> bool:
        target = local_path(self._endpoints, state["path"])
        self._require_public(target)
        target.mkdir(parents=True, exist_ok=True)
        for entry in state["files"]:
            if self._stop.is_set():
                return False
            if entry.get("external"):
                source = local_path(self._endpoints, entry["external"])
                self._require_public(source.parent)
            else:
                source = self._repository / entry["file"]
            name = entry["name"]
            destination = target / name
            if destination.parent != target or name in ("", ".", ".."):
                raise SandboxTransferError("Permission denied")
            replace_copy(source, destination, task)
        return True

    def _require_public(self, folder: Path) -> None:
        """Keep keys, database and raw data of others from an endpoint that holds the server's own
        folder.
        """
        if folder == self._folder or folder.is_relative_to(self._repository):
            raise SandboxTransferError("Permission denied")

    def _put(self, task: int, state: dict[str, Any]) -> None:
        source = local_path(self._endpoints, state["path"])
        self._require_public(source.parent)
        if not source.is_file():
            raise SandboxTransferError(f"No such file or directory: {state['path']}")
        destination = self._repository / state["file"]
        destination.parent.mkdir(parents=True, exist_ok=True)
        replace_copy(source, destination, task)

    def _finish_put(self, row: sqlite3.Row, state: dict[str, Any]) -> None:
        """Write size and origin of the new raw data into the record, with the end of the task."""
        try:
            size = (self._repository / state["file"]).stat().st_size
        except FileNotFoundError as error:
            raise SandboxTransferError("Uploaded file not found") from error
        now = time.time() + self._faults.clock_offset
        with self._writing, transaction(self._db, write=True):
            self._record_upload(state, size, now)
            self._write_report(row["id"], pb.TS_SUCCEEDED, row["steps"], "Finished", now)

    def _record_upload(self, state: dict[str, Any], size: int, now: float) -> None:
        record = self._db.execute(
            "SELECT size, repository, owner FROM item WHERE id = ?", (state["record"],)
        ).fetchone()
        if record is None:
            (self._repository / state["file"]).unlink(missing_ok=True)
            raise SandboxTransferError(f"Data record '{state['record']}' does not exist.")
        self._db.execute(
            "UPDATE item SET source = ?, ext = ?, ext_auto = ? WHERE id = ?",
            (state["path"], state["ext"], state["ext_auto"], state["record"]),
        )
        if size == record["size"] and not self._faults.same_size_upload_is_change:
            return
        self._db.execute(
            "UPDATE item SET size = ?, dt = ?, ut = ?, changed = ? WHERE id = ?",
            (size, int(now), int(now), time.time(), state["record"]),
        )
        self._db.execute(
            "UPDATE allocation SET data_size = data_size + ? WHERE owner = ? AND repository = ?",
            (size - record["size"], record["owner"], record["repository"]),
        )

    def _report(self, number: int, status: int, step: int, message: str) -> None:
        with self._writing, transaction(self._db, write=True):
            now = time.time() + self._faults.clock_offset
            self._write_report(number, status, step, message, now)

    def _write_report(self, number: int, status: int, step: int, message: str, now: float) -> None:
        self._db.execute(
            "UPDATE task SET status = ?, step = ?, message = ?, ut = ? WHERE id = ?",
            (status, step, message, int(now), number),
        )


def replace_copy(source: Path, destination: Path, task: int) -> None:
    """Copy a file so that `destination` is always the old or the new one, never half of it."""
    part = destination.with_name(f".{destination.name[:200]}.{task}.part")
    part.unlink(missing_ok=True)
    try:
        shutil.copyfile(source, part)
        part.replace(destination)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
