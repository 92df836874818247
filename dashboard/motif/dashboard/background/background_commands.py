"""Commands started from a page, each in its own process, and cancelling of runs."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import IO

import psutil

from motif.core.catalog.database import Run
from motif.dashboard.auth.permissions import require_change

KEPT = 20
"""Largest number of ended commands that are kept."""
SHOWN_SECONDS = 120.0
"""Seconds for which an ended command stays on the page."""
LINE_BYTES = 400
CLOCK_SLACK = 2.0
"""Seconds by which a process may seem younger than the run it works on."""


@dataclass
class BackgroundCommand:
    """One command line started from a page, and its outcome."""

    words: str
    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    error: str = ""

    stopped: bool = False

    @property
    def seconds(self) -> float:
        """Run time in seconds, so far or in total."""
        return (self.ended or time.monotonic()) - self.started

    @property
    def progress(self) -> str:
        """The last line of its output."""
        if self.ended is not None:
            return ""
        # Read without seeking: the file offset is shared with the writing process.
        try:
            size = os.fstat(self.errors.fileno()).st_size
            tail = os.pread(self.errors.fileno(), LINE_BYTES, max(0, size - LINE_BYTES))
        except (OSError, ValueError):  # closed meanwhile by another session
            return ""
        lines = tail.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def stop(self) -> None:
        """End the command and every process it started."""
        require_change()
        if self.process.poll() is None:
            self.stopped = True
            os.killpg(self.process.pid, signal.SIGTERM)

    def look(self) -> None:
        """Record the exit of the process."""
        if self.ended is None and self.process.poll() is not None:
            self.ended = time.monotonic()
            if self.process.returncode and not self.stopped:
                self.errors.seek(0)
                lines = self.errors.read().decode("utf-8", "replace").strip().splitlines()
                self.error = lines[-1].removeprefix("motif: ") if lines else "It ended early."
            self.errors.close()


class BackgroundCommands:
    """The background commands of one server; they continue when the server ends."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._all: list[BackgroundCommand] = []
        self._lock = Lock()

    def start(self, *words: str) -> None:
        """Run ``motif WORDS`` on the workspace without waiting for it."""
        require_change()
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the command has ended
        process = subprocess.Popen(
            [sys.executable, "-m", "motif.core.cli.command_line", "-w", str(self._root), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
        with self._lock:
            self._all.append(BackgroundCommand(shlex.join(words), process, errors))
            ended = [one for one in self._all if one.ended is not None]
            for old in ended[:-KEPT]:
                self._all.remove(old)

    def recent(self) -> Sequence[BackgroundCommand]:
        """Commands that are running and those that ended a moment ago."""
        with self._lock:
            for command in self._all:
                command.look()
            now = time.monotonic()
            return [
                one for one in self._all if one.ended is None or now - one.ended < SHOWN_SECONDS
            ]

    def finish(self) -> None:
        """Wait for all of them."""
        for command in list(self._all):
            command.process.wait()
            command.look()


def cancel(run: Run) -> int:
    """End the running commands of a run; the run itself then ends as cancelled.

    Only child processes whose command line is one of the run's are ended: the process a run
    belongs to may be the scheduler of all runs.

    Returns:
        How many processes were sent a signal to end.
    """
    require_change()
    try:
        owner = psutil.Process(run.pid)
        if owner.create_time() > datetime.fromisoformat(run.started_at).timestamp() + CLOCK_SLACK:
            return 0  # another process by now has this number
        found = [one for one in owner.children(recursive=True) if _works_on(one, run.commands)]
    except psutil.Error:
        return 0
    ended = 0
    for process in found:
        try:
            below = process.children(recursive=True)
            process.terminate()
            ended += 1
            for child in below:
                child.terminate()
        except psutil.NoSuchProcess:
            continue
    return ended


def _works_on(process: psutil.Process, commands: Sequence[str]) -> bool:
    try:
        line = process.cmdline()
    except psutil.Error:
        return False
    if "motif.core.cli.command_line" not in line:
        return False
    words = line[line.index("motif.core.cli.command_line") + 3 :]  # behind: -w, the workspace
    return any(words[: len(asked)] == asked for asked in map(shlex.split, commands))
