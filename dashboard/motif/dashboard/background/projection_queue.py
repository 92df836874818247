"""Projections requested from pages, and their progress."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Literal, TypeAlias

from motif.analysis.projection.projection_request import ProjectionRequest
from motif.dashboard.auth.permissions import require_change

State: TypeAlias = Literal["waiting", "working", "done", "failed", "cancelled"]

FINISHED: frozenset[State] = frozenset({"done", "failed", "cancelled"})

WORKER_MODULE = "motif.dashboard.background.projection_worker"


@dataclass(frozen=True)
class ProjectionTask:
    """One requested projection."""

    id: str
    count: int
    """Points the map will have."""
    started: float
    """Of the clock ``time.monotonic``."""
    state: State = "waiting"
    map: str = ""
    error: str = ""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


class ProjectionQueue:
    """One worker process that computes projections in turn; it ends when this process does."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._tasks: dict[str, ProjectionTask] = {}
        self._lock = Lock()
        self._worker: subprocess.Popen[str] | None = None
        self._follower: Thread | None = None
        self.warm = False

    def open(self) -> None:
        """Start the worker unless it runs."""
        with self._lock:
            self._open()

    def close(self) -> None:
        """End the worker; its current projection is cancelled."""
        with self._lock:
            worker, self._worker = self._worker, None
            follower, self._follower = self._follower, None
            self._end_tasks("cancelled", "")
        if worker is not None:
            worker.kill()
            worker.wait()
        if follower is not None:
            follower.join()

    def submit(self, request: ProjectionRequest) -> str:
        """Request a map of chosen points; returns the id of its task."""
        require_change()
        task = ProjectionTask(uuid.uuid4().hex, len(request.ids or ()), time.monotonic())
        line = json.dumps({"task": task.id, "request": request.document()})
        with self._lock:
            pipe = self._open()
            self._tasks[task.id] = task
            try:
                pipe.write(line + "\n")
                pipe.flush()
            except OSError:
                self._change(
                    task.id,
                    state="failed",
                    error="The projection process ended; request the map again.",
                )
        return task.id

    def task(self, identity: str) -> ProjectionTask | None:
        """The state of a task."""
        return self._tasks.get(identity)

    def cancel(self, identity: str) -> None:
        """Cancel a task; the other tasks and the worker continue."""
        require_change()
        with self._lock:
            task = self._tasks.get(identity)
            if task is None or task.state in FINISHED:
                return
            self._change(identity, state="cancelled")
            worker = self._worker
            if worker is not None and worker.stdin is not None:
                with contextlib.suppress(OSError):  # the worker ended, and with it the current task
                    worker.stdin.write(json.dumps({"cancel": identity}) + "\n")
                    worker.stdin.flush()

    def _open(self) -> IO[str]:
        worker = self._worker
        if worker is None or worker.poll() is not None:
            self.warm = False
            worker = subprocess.Popen(
                [sys.executable, "-m", WORKER_MODULE, str(self._root)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
            )  # fmt: skip
            self._worker = worker
            self._follower = Thread(target=self._follow, args=(worker,), daemon=True)
            self._follower.start()
        assert worker.stdin is not None
        return worker.stdin

    def _follow(self, worker: subprocess.Popen[str]) -> None:
        assert worker.stdin is not None
        assert worker.stdout is not None
        for line in worker.stdout:
            event = json.loads(line)
            task = event.pop("task", None)
            with self._lock:
                if task is not None and self._worker is worker:
                    self._change(task, **event)
                elif event["state"] == "ready":
                    self.warm = True
        with self._lock:
            if self._worker is worker:
                self._worker = None
                self._end_tasks(
                    "failed",
                    "The projection process ended before the map was finished; request it again.",
                )
        worker.stdin.close()
        worker.stdout.close()
        worker.wait()

    def _end_tasks(self, state: State, error: str) -> None:
        for task in self._tasks.values():
            if task.state not in FINISHED:
                self._change(task.id, state=state, error=error)

    def _change(self, identity: str, **fields: str) -> None:
        task = self._tasks.get(identity)
        if task is not None and task.state not in FINISHED:
            changed: dict[str, object] = dict(fields)
            self._tasks[identity] = replace(task, **changed)  # type: ignore[arg-type]
