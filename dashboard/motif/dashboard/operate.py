"""Scheduler and dashboard together: what a facility leaves running."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from motif.core.errors import ConfigError
from motif.core.following import Follower
from motif.core.jobs import mark_lost, schedule, scheduler
from motif.core.workspace import Workspace
from motif.dashboard.children import Children, say
from motif.dashboard.serve import command

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

LOOK = 1.0
"""Seconds between two looks at the child processes."""


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
    settings_file = Follower(workspace)
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


def follow(file: Follower, clock: BackgroundScheduler, workspace: Workspace) -> None:
    """Schedule anew when motif.toml has changed; what is wrong in it is said once."""
    told = file.problem
    try:
        if file.look():
            schedule(clock, workspace)
            say("motif.toml changed; its jobs are scheduled anew.")
    except ConfigError as error:
        say(f"{error} The jobs scheduled before stay.")
    if file.problem and file.problem != told:
        say(file.problem)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
