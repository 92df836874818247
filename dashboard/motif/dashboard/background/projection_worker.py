"""Computes projections in a separate process, compiled before the first request arrives.

UMAP compiles for seconds and holds the interpreter while it works; a page must not wait for that.
Questions come as lines of JSON on stdin, what becomes of them goes out as lines on stdout. A
question can be given up: while it waits, or at work between two steps of the library; the process
goes on to the next one and stays warm.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import FrameType
from typing import Any, TextIO

from motif.core.errors import MotifError

NICE = 5
"""Niceness of the worker: the server that answers pages has priority."""


class _GivenUpError(BaseException):
    """The current projection was cancelled; a BaseException, so that libraries do not catch it."""


class _Desk:
    """Requests that wait, the current one, and the cancelled ones."""

    def __init__(self) -> None:
        self.waiting: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.given_up: set[str] = set()
        self.current = ""

    def listen(self) -> None:
        """Read requests until the parent process closes the pipe."""
        for line in sys.stdin:
            message = json.loads(line)
            if "cancel" in message:
                self.given_up.add(message["cancel"])
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            else:
                self.waiting.put(message)
        os._exit(0)  # the server ended, so nobody waits for the projection

    def interrupt(self, _signum: int, _frame: FrameType | None) -> None:
        """Abort the current request if it was cancelled; Python calls this between two steps."""
        if self.current in self.given_up:
            raise _GivenUpError

    def answer(self, root: Path, question: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to one request; None when it was cancelled."""
        try:
            self.current = question["task"]
            if self.current in self.given_up:
                return None
            return make(root, question)
        except _GivenUpError:
            return None
        finally:
            self.current = ""


def make(root: Path, question: dict[str, Any]) -> dict[str, Any]:
    """Answer one request: the id of the projection, or the error message."""
    from motif.analysis.projection import project
    from motif.analysis.projection.projection_request import ProjectionRequest
    from motif.core.workspace import Workspace

    try:
        with Workspace.open(root) as workspace:
            request = ProjectionRequest.from_document(question["request"])
            made = project(workspace, request)
    except MotifError as error:
        return {"task": question["task"], "state": "failed", "error": str(error)}
    return {"task": question["task"], "state": "done", "map": made.id}


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``python -m motif.dashboard.background.projection_worker ROOT``; ends with
    its stdin."""
    (root,) = sys.argv[1:] if arguments is None else arguments
    os.nice(NICE)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    desk = _Desk()
    signal.signal(signal.SIGUSR1, desk.interrupt)
    Thread(target=desk.listen, daemon=True).start()
    from motif.analysis.projection import warm

    _tell(out, {"state": "warming"})
    warm()
    _tell(out, {"state": "ready"})
    while True:
        question = desk.waiting.get()
        _tell(out, {"task": question["task"], "state": "working"})
        answer = desk.answer(root=Path(root), question=question)
        _tell(out, answer or {"task": question["task"], "state": "cancelled"})


def _tell(out: TextIO, event: dict[str, Any]) -> None:
    out.write(json.dumps(event) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
