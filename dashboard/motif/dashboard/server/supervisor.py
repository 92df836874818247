"""Scheduler and dashboard together, as a facility runs them."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from motif.core.config.config_watch import ConfigWatch
from motif.core.errors import ConfigError
from motif.core.jobs.job_runs import mark_lost, schedule, scheduler
from motif.core.workspace import Workspace
from motif.dashboard.server.server_process import command

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler


import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from motif.core.errors import MotifError

LOOK = 1.0
"""Seconds between two checks of the child processes."""


def operate(
    workspace: Workspace,
    children: Children,
    host: str | None = None,
    port: int | None = None,
    *,
    public: bool = False,
) -> None:
    """Serve the dashboard and run scheduled jobs until interrupted."""
    settings = workspace.config.dashboard
    host = host or settings.host
    port = settings.port if port is None else port
    line = command(workspace.root, host, port, public=public, sign_in=settings.sign_in is not None)
    children.start("dashboard", line)
    address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"
    children.wait_for("dashboard", lambda: _answers(address))
    mark_lost(workspace)
    clock = scheduler(workspace)
    clock.start()
    settings_file = ConfigWatch(workspace)
    say(f"The dashboard is at {address}; Ctrl-C ends it.")
    try:
        while True:
            children.check()
            follow(settings_file, clock, workspace)
            time.sleep(LOOK)
    except KeyboardInterrupt:
        say("Ending.")
    finally:
        clock.shutdown(wait=False)


def follow(file: ConfigWatch, clock: BackgroundScheduler, workspace: Workspace) -> None:
    """Reschedule when motif.toml has changed; a fault in it is reported once."""
    reported = file.problem
    try:
        if file.refresh():
            schedule(clock, workspace)
            say("motif.toml changed; its jobs are rescheduled.")
    except ConfigError as error:
        say(f"{error} The jobs scheduled before stay.")
    if file.problem and file.problem != reported:
        say(file.problem)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


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
                    f"The {name} was not ready within {seconds:.0f} s; see {self._logs}/{name}.log."
                )
            time.sleep(0.05)

    def check(self) -> None:
        """Raise `ChildFailedError` when a child has ended."""
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
    """Report progress to the user on stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
