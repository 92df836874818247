"""The commands ``motif jobs``: list, run, runs and retry."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit

jobs = typer.Typer(no_args_is_help=True, help="Jobs of motif.toml, and their runs.")


@jobs.command("list")
def jobs_list(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the jobs of motif.toml and when each runs next."""
    from motif.core.jobs.job_runs import next_times
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        times = next_times(opened)
        document: dict[str, dict[str, Any]] = {
            name: {"run": job.run, "schedule": job.schedule, "next": times[name]}
            for name, job in opened.config.jobs.items()
        }
    lines = [f"{name}: {', '.join(job['run'])}  (next: {job['next'] or 'on demand only'})"
             for name, job in document.items()]  # fmt: skip
    emit({"jobs": document}, as_json, "\n".join(lines) or "motif.toml declares no jobs.")


@jobs.command("run")
def jobs_run(name: str, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Run a job now and wait until it has finished."""
    from motif.core.jobs.job_runs import run_job
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        run = run_job(opened, name)
    emit(asdict(run), as_json, f"{run.job}: {run.state} ({run.id})")


@jobs.command("runs")
def jobs_runs(
    job: Annotated[str | None, typer.Option(help="Only runs of this job.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List runs of jobs, newest first."""
    from motif.core.jobs.job_runs import mark_lost
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        mark_lost(opened)
        runs = opened.catalog.runs(limit, job)
    lines = [
        f"{run.id}  {run.started_at[:19]}Z  {run.state:9}  {run.job}  {run.error}".rstrip()
        for run in runs
    ]
    document = {"runs": [asdict(run) for run in runs]}
    emit(document, as_json, "\n".join(lines) or "No runs yet.")


@jobs.command("retry")
def jobs_retry(run_id: str, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Run the job of an earlier run again."""
    from motif.core.jobs.job_runs import retry
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        run = retry(opened, run_id)
    emit(asdict(run), as_json, f"{run.job}: {run.state} ({run.id})")
