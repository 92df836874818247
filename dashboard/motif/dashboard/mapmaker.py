"""Makes maps in a process of its own, compiled before the first question comes.

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
"""The server that answers people goes first."""


class _GivenUpError(BaseException):
    """Nobody wants the map at work any more; no library may take it for a failure of its own."""


class _Desk:
    """Questions that wait, the one at work, and those given up."""

    def __init__(self) -> None:
        self.waiting: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.given_up: set[str] = set()
        self.current = ""

    def listen(self) -> None:
        """Take in questions until whoever asks is gone."""
        for line in sys.stdin:
            told = json.loads(line)
            if "cancel" in told:
                self.given_up.add(told["cancel"])
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            else:
                self.waiting.put(told)
        os._exit(0)  # the server is gone, so is whoever waited for the map

    def interrupt(self, _signum: int, _frame: FrameType | None) -> None:
        """Leave the question at work if it is one given up; Python calls it between two steps."""
        if self.current in self.given_up:
            raise _GivenUpError

    def answer(self, root: Path, question: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to one question; None when it was given up."""
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
    """Answer one question: the id of the map, or why there is none."""
    from motif.analysis.projection import project
    from motif.core.workspace import Workspace

    try:
        with Workspace.open(root) as workspace:
            made = project(
                workspace, question["collection"], parent=question["parent"],
                ids=question["ids"], name=question["name"],
            )  # fmt: skip
    except MotifError as error:
        return {"task": question["task"], "state": "failed", "error": str(error)}
    return {"task": question["task"], "state": "done", "map": made.id}


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``python -m motif.dashboard.mapmaker ROOT``; ends with its stdin."""
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
