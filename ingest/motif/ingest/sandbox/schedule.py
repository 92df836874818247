"""Which tasks may run now: several at once, but on the same raw data one after another.

As in the real service, a task waits for those made before it that write what it reads, or read or
write what it writes.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call


@dataclass(frozen=True, slots=True)
class Claim:
    """Raw data a task touches, by their paths."""

    reads: frozenset[str]
    writes: frozenset[str]

    @classmethod
    def of(cls, state: dict[str, Any]) -> Claim:
        """The claim of a task with this state."""
        reads = (file.get("file") or file.get("external") for file in state.get("files", ()))
        writes = [*state.get("remove", ()), *([state["file"]] if "file" in state else [])]
        return cls(frozenset(reads), frozenset(writes))


class Schedule:
    """Open tasks, each with those it waits for; used by many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ready: deque[int] = deque()
        self._claims: dict[int, Claim] = {}
        self._holders: dict[str, dict[int, bool]] = {}
        self._waits_for: dict[int, set[int]] = {}
        self._stopped = False

    def must_wait(self, claim: Claim) -> bool:
        """Whether a new task of this claim would have to wait for another one."""
        with self._changed:
            return bool(self._before(claim))

    def add(self, task: int, claim: Claim) -> None:
        """A new task, behind all others."""
        with self._changed:
            before = self._before(claim)
            self._claims[task] = claim
            for path in claim.reads | claim.writes:
                self._holders.setdefault(path, {})[task] = path in claim.writes
            if before:
                self._waits_for[task] = before
            else:
                self._ready.append(task)
                self._changed.notify()

    def take(self) -> int | None:
        """The next task that may run, waited for; None once stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._stopped)
            return None if self._stopped else self._ready.popleft()

    def end(self, task: int) -> list[int]:
        """A task has ended; gives the tasks that have nothing to wait for any more."""
        with self._changed:
            claim = self._claims.pop(task)
            for path in claim.reads | claim.writes:
                self._holders[path].pop(task)
                if not self._holders[path]:
                    del self._holders[path]
            freed = []
            for other, before in list(self._waits_for.items()):
                before.discard(task)
                if not before:
                    del self._waits_for[other]
                    freed.append(other)
            return freed

    def offer(self, tasks: Iterable[int]) -> None:
        """Let tasks that wait for nothing be taken."""
        with self._changed:
            self._ready.extend(tasks)
            self._changed.notify_all()

    def stop(self) -> None:
        """Give no task any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _before(self, claim: Claim) -> set[int]:
        return {
            task
            for path in claim.reads | claim.writes
            for task, writes in self._holders.get(path, {}).items()
            if writes or path in claim.writes
        }


def new_task(
    call: Call, kind: int, state: dict[str, Any], *, source: str = "", destination: str = ""
) -> Row:
    """Add a task and hand it to the transfer threads once the transaction is committed.

    It is blocked where it has to wait for others that work on the same raw data.
    """
    claim = Claim.of(state)
    waits = call.service.transfers.must_wait(claim)
    row: Row = call.db.execute(
        "INSERT INTO task (type, status, client, step, steps, message, ct, ut, source, "
        "destination, state) VALUES (?, ?, ?, 0, 1, ?, ?, ?, ?, ?, ?) RETURNING *",
        (
            kind,
            pb.TS_BLOCKED if waits else pb.TS_READY,
            call.uid,
            "Queued" if waits else "Pending",
            int(call.now),
            int(call.now),
            source,
            destination,
            json.dumps(state),
        ),
    ).fetchone()
    number = row["id"]
    call.after.append(lambda: call.service.transfers.submit(number, claim))
    return row


def task_data(row: Row) -> Message:
    """Give a task as a message."""
    return pb.TaskData(
        id=f"task/{row['id']}",
        type=row["type"],
        status=row["status"],
        client=row["client"],
        step=row["step"],
        steps=row["steps"],
        msg=row["message"],
        ct=row["ct"],
        ut=row["ut"],
        source=row["source"],
        dest=row["destination"],
    )
