"""Jobs of ``motif.toml``: command lines run one after another, by hand or on a cron line.

A job never overlaps itself: the process that runs it has a lock, which is released when it ends.
"""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import getpid
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import psutil
from filelock import FileLock, Timeout
from sqlalchemy import insert, select, update

from motif.core.catalog import tables
from motif.core.catalog.database import Run, now
from motif.core.config.settings import JobConfig
from motif.core.errors import ConfigError, MotifError, NotFoundError

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

    from motif.core.workspace import Workspace


CANCELLED = frozenset({-signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGINT})
"""Return codes of a command that was terminated."""


class JobBusyError(MotifError, BlockingIOError):
    """The job is running already."""


class JobFailedError(MotifError, RuntimeError):
    """A command of the job failed."""


class JobCancelledError(MotifError, RuntimeError):
    """A command of the job was terminated from outside."""


def job(workspace: Workspace, name: str) -> JobConfig:
    """The job of this name in ``motif.toml``."""
    jobs = workspace.config.jobs
    if name not in jobs:
        known = f"known jobs are {', '.join(jobs)}" if jobs else "motif.toml declares none"
        raise NotFoundError(f'There is no job "{name}"; {known}.')
    return jobs[name]


def run_job(workspace: Workspace, name: str) -> Run:
    """Run a job to its end.

    Raises:
        JobFailedError: a command failed; names it, with its reason.
        JobCancelledError: a command was ended from outside (SIGTERM, Ctrl-C).
        JobBusyError: the job is running already.
    """
    commands = job(workspace, name).run
    with recording(workspace, name, commands) as (counts, log):
        for command in commands:
            counts[command] = _run_command(workspace, command, log)
    return workspace.catalog.runs(1, name)[0]


def retry(workspace: Workspace, run_id: str) -> Run:
    """Run the job of an earlier run again."""
    with workspace.catalog.reading() as connection:
        name = connection.execute(
            select(tables.runs.c.job).where(tables.runs.c.id == run_id)
        ).scalar()
    if name is None:
        raise NotFoundError(f'There is no run "{run_id}"; list them with motif jobs runs.')
    return run_job(workspace, name)


@contextmanager
def recording(
    workspace: Workspace, name: str, commands: list[str]
) -> Iterator[tuple[dict[str, Any], TextIO]]:
    """Record a run's counts, duration, outcome and log; refuses to overlap a run of that job.

    Yields:
        A dictionary for counts, and the open log file.
    """
    run_id = uuid.uuid4().hex[:12]
    folder = workspace.root / "logs"
    folder.mkdir(exist_ok=True)
    path = folder / f"{run_id}.log"
    counts: dict[str, Any] = {}
    with _exclusive(workspace, name), path.open("w", encoding="utf-8") as log:
        mark_lost(workspace)
        with workspace.catalog.engine.begin() as connection:
            connection.execute(
                insert(tables.runs).values(
                    id=run_id, job=name, commands=commands, state="running", started_at=now(),
                    counts={}, error="", log=str(path.relative_to(workspace.root)), pid=getpid(),
                )
            )  # fmt: skip
        try:
            with _interruptible_by_sigterm():
                yield counts, log
        except (JobCancelledError, KeyboardInterrupt) as error:
            _finish(workspace, run_id, "cancelled", counts, str(error) or "Interrupted.")
            raise
        except BaseException as error:
            _finish(workspace, run_id, "failed", counts, str(error) or type(error).__name__)
            raise
        _finish(workspace, run_id, "done", counts, "")


def mark_lost(workspace: Workspace) -> None:
    """Mark running jobs whose process no longer exists as lost."""
    for run in workspace.catalog.runs(1000):
        if run.state == "running" and not psutil.pid_exists(run.pid):
            _finish(
                workspace, run.id, "lost", run.counts, f"Its process {run.pid} no longer exists."
            )


def scheduler(workspace: Workspace) -> BackgroundScheduler:
    """A scheduler, not yet started, with every job that has a cron line."""
    from apscheduler.schedulers.background import BackgroundScheduler

    jobs = BackgroundScheduler(
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}
    )
    schedule(jobs, workspace)
    return jobs


def schedule(scheduler: BackgroundScheduler, workspace: Workspace) -> None:
    """Replace the jobs of a scheduler by those of the present settings."""
    due = {
        name: _trigger(name, config.schedule)
        for name, config in workspace.config.jobs.items()
        if config.schedule is not None
    }
    scheduler.remove_all_jobs()
    for name, trigger in due.items():
        scheduler.add_job(_run_scheduled, trigger, [workspace, name], id=name)


def next_times(workspace: Workspace) -> Mapping[str, str | None]:
    """When each job runs next, in ISO 8601 with the local offset; None without a schedule."""
    from datetime import datetime

    times: dict[str, str | None] = {}
    for name, config in workspace.config.jobs.items():
        times[name] = None
        if config.schedule is not None:
            trigger = _trigger(name, config.schedule)
            at = trigger.get_next_fire_time(None, datetime.now().astimezone())
            times[name] = at.isoformat() if at else None
    return times


def _trigger(name: str, line: str) -> Any:
    from apscheduler.triggers.cron import CronTrigger

    try:
        return CronTrigger.from_crontab(line)
    except ValueError as error:
        raise ConfigError(
            f'jobs.{name}.schedule "{line}" is not a cron line: {error}; correct motif.toml.'
        ) from error


def _run_scheduled(workspace: Workspace, name: str) -> None:
    try:
        run_job(workspace, name)
    except MotifError as error:
        sys.stderr.write(f"motif: {error}\n")


def _run_command(workspace: Workspace, command: str, log: TextIO) -> Any:
    """Run one ``motif`` command line in a process of its own; returns its JSON document."""
    log.write(f"$ motif {command}\n")
    log.flush()
    argv = [
        sys.executable,
        "-m",
        "motif.core.cli.command_line",
        "-w",
        str(workspace.root),
        *shlex.split(command),
    ]
    process = subprocess.run(
        [*argv, "--json"], stdout=subprocess.PIPE, stderr=log, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    log.write(process.stdout)
    log.flush()
    if process.returncode in CANCELLED:
        raise JobCancelledError(
            f'"motif {command}" was terminated; motif jobs retry runs the job again.'
        )
    if process.returncode != 0:
        reason = _reason(Path(log.name).read_text(encoding="utf-8"))
        raise JobFailedError(
            f'"motif {command}" failed with exit code {process.returncode}: {reason}'
        )
    return json.loads(process.stdout) if process.stdout.strip() else {}


def _reason(log: str) -> str:
    """The last sentence of a log; the command line draws a box around errors of its usage."""
    lines = log.strip().splitlines()
    if lines[-1].startswith("╰"):
        return " ".join(line.strip("│ ") for line in lines if line.startswith("│"))
    return lines[-1].removeprefix("motif: ")


@contextmanager
def _interruptible_by_sigterm() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C, so that the run is recorded; possible in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _exclusive(workspace: Workspace, name: str) -> Iterator[None]:
    folder = workspace.cache / "jobs"
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / f"{name}.lock", blocking=False)
    try:
        with lock:
            yield
    except Timeout as error:
        raise JobBusyError(
            f'The job "{name}" is running already; wait until motif jobs runs lists it as done.'
        ) from error


def _finish(
    workspace: Workspace, run_id: str, state: str, counts: Mapping[str, Any], error: str
) -> None:
    table = tables.runs
    with workspace.catalog.engine.begin() as connection:
        connection.execute(
            update(table)
            .where(table.c.id == run_id)
            .values(state=state, finished_at=now(), counts=dict(counts), error=error)
        )
