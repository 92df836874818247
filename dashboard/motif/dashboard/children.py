"""Processes that belong to a command: started with it, ended with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from motif.core.errors import MotifError

GRACE = 5.0
"""Seconds a child has to end by itself before it is killed."""


class ChildFailedError(MotifError, RuntimeError):
    """A child process ended when it should not have."""


class Children:
    """Child processes of one command; ends all of them on exit."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Children:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + GRACE
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(
        self, name: str, argv: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a process whose output goes to ``logs/NAME.log``, in a session of its own.

        Its own session keeps a terminal's Ctrl-C from reaching it before its parent does.
        """
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(environment or {})}, start_new_session=True,
            )  # fmt: skip

    def wait_for(self, name: str, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until `condition()` is true; `ChildFailedError` when the process ends first."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise ChildFailedError(
                    f"The {name} did not get ready in {seconds:.0f} s; see {self._logs}/{name}.log."
                )
            time.sleep(0.05)

    def check(self) -> None:
        """Refuse to go on when a child has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ChildFailedError(
                    f"The {name} ended with code {process.returncode}; see {self._logs}/{name}.log."
                )


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C, so that children are ended either way."""

    def leave(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def say(line: str) -> None:
    """Tell the user what is going on, on stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
