"""Makes maps in a process of its own, compiled before the first question comes.

UMAP compiles for seconds and holds the interpreter while it works; a page must not wait for that.
Questions come as lines of JSON on stdin, what becomes of them goes out as lines on stdout.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TextIO

from motif.core.errors import MotifError

NICE = 5
"""The server that answers people goes first."""


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
    questions: SimpleQueue[dict[str, Any]] = SimpleQueue()
    Thread(target=_listen, args=(questions,), daemon=True).start()
    from motif.analysis.projection import warm

    _tell(out, {"state": "warming"})
    warm()
    _tell(out, {"state": "ready"})
    while True:
        question = questions.get()
        _tell(out, {"task": question["task"], "state": "working"})
        _tell(out, make(Path(root), question))


def _listen(questions: SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        questions.put(json.loads(line))
    os._exit(0)  # the server is gone, so is whoever waited for the map


def _tell(out: TextIO, event: dict[str, Any]) -> None:
    out.write(json.dumps(event) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
