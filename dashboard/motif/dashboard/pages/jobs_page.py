"""Jobs: past runs with their errors, schedules, and files that could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from motif.core.catalog.database import Quarantined, Run
from motif.core.jobs.job_runs import next_times
from motif.core.workspace import Workspace
from motif.dashboard.auth.permissions import may_change
from motif.dashboard.background.background_commands import cancel
from motif.dashboard.components import page_frame
from motif.dashboard.data.number_format import ago, count, duration, moment
from motif.dashboard.panels.quarantine_panel import show_background_commands, show_quarantine
from motif.dashboard.state.workspace_session import lab

REFRESH_SECONDS = 2
LIMIT = 100
LOG_BYTES = 8_000
TABLE = "runs"
STATES = {
    "running": "blue", "done": "green", "failed": "red", "lost": "orange", "cancelled": "gray",
}  # fmt: skip
AGAIN = frozenset({"failed", "lost", "cancelled"})
"""States from which a run can be run again."""


def show() -> None:
    """Draw the page."""
    page_frame.heading("Jobs", "runs, schedules, and files that could not be read")
    _runs_and_quarantine()


@st.fragment(run_every=REFRESH_SECONDS)
def _runs_and_quarantine() -> None:
    session = lab()
    workspace = session.workspace
    session.settings.refresh()
    if session.settings.problem:
        page_frame.refusal(session.settings.problem)
    runs = workspace.catalog.runs(LIMIT)
    held = workspace.catalog.quarantined()
    page_frame.figures(_figures(runs, held))
    left, right = st.columns([2.2, 1], gap="medium")
    with left:
        _show_runs(workspace, runs)
    with right:
        _show_schedules(workspace, frozenset(r.job for r in runs if r.state == "running"))
    show_background_commands(
        lab().background_commands.recent(), {run.error for run in runs if run.error}
    )
    show_quarantine(held)
    page_frame.status(f"jobs runs={len(runs)} quarantined={len(held)}")


def _figures(runs: list[Run], held: list[Quarantined]) -> list[tuple[str, str, str]]:
    running = [run for run in runs if run.state == "running"]
    failed = [run for run in runs if run.state in ("failed", "lost")]
    return [
        ("Running", f"{len(running)}", ", ".join(run.job for run in running[:3])),
        ("Last run", runs[0].state if runs else "none", ago(runs[0].started_at) if runs else ""),
        ("Failed", f"{len(failed)}", f"of the last {count(len(runs), 'run')}"),
        ("In quarantine", f"{len(held)}", "files that could not be read"),
    ]


def _show_runs(workspace: Workspace, runs: list[Run]) -> None:
    page_frame.subheading("Runs", f"refreshed every {REFRESH_SECONDS} s")
    if not runs:
        page_frame.empty(
            "No job has run yet",
            "Jobs are command lines with a schedule in motif.toml. Run one by hand, or let "
            "motif serve run them when they are due.",
            ["motif jobs list", "motif jobs run NAME"],
        )
        return
    table = _run_table(runs)
    chosen: Any = st.dataframe(
        table, key=TABLE, hide_index=True, on_select="rerun", selection_mode="single-row",
        height=min(330, 38 + 35 * len(runs)),
        column_config={
            "State": st.column_config.MultiselectColumn(
                options=list(STATES), color=list(STATES.values()), width=105
            ),
            "Started": st.column_config.DatetimeColumn(format="distance", width=130),
            "Took": st.column_config.TextColumn(width=90),
        },
    )  # fmt: skip
    rows = chosen["selection"]["rows"]
    shown = runs[rows[0]] if rows and rows[0] < len(runs) else _worst(runs)
    if shown is not None:
        _show_run(workspace, shown)


def _worst(runs: list[Run]) -> Run | None:
    """The run shown by default: the current one, else the latest failure."""
    wanted = ("running",), ("failed", "lost")
    return next((run for states in wanted for run in runs if run.state in states), None)


def _run_table(runs: list[Run]) -> dict[str, list[Any]]:
    return {
        "Job": [run.job for run in runs],
        "State": [[run.state] for run in runs],
        "Started": [datetime.fromisoformat(run.started_at) for run in runs],
        "Took": [_took(run) for run in runs],
        "Result": [run.error or counts_text(run.counts) for run in runs],
    }


def _took(run: Run) -> str:
    end = datetime.fromisoformat(run.finished_at) if run.finished_at else datetime.now(UTC)
    return duration((end - datetime.fromisoformat(run.started_at)).total_seconds())


def counts_text(counts: Mapping[str, Any]) -> str:
    """The numbers of a run in words: ``ingest pfm: 3 new, 20 unchanged``."""
    parts = []
    for command, found in counts.items():
        if isinstance(found, Mapping):
            numbers = [
                f"{value:,} {name}"
                for name, value in found.items()
                if isinstance(value, int) and not isinstance(value, bool) and value
            ]
            parts.append(f"{command}: {', '.join(numbers[:5]) or 'nothing to do'}")
        elif isinstance(found, int | float):
            parts.append(f"{found:,} {command}")
    return " · ".join(parts)


def _show_run(workspace: Workspace, run: Run) -> None:
    page_frame.subheading(run.job, f"{run.state}, {moment(run.started_at)} UTC")
    lines = log_tail(workspace.root, run.log)
    if run.state == "running":
        last = lines.splitlines()[-1] if lines else "starting"
        st.html(
            f'<div class="motif-working" role="status">{escape(_took(run))} · {escape(last)}</div>'
        )
    elif run.error:
        (page_frame.quiet if run.state == "cancelled" else page_frame.refusal)(run.error)
    if lines:
        tall = lines.count("\n") > 9
        st.code(lines, language=None, height=240 if tall else "content", wrap_lines=True)
    if not may_change():
        return
    if run.state in AGAIN and run.job in workspace.config.jobs:
        st.button(
            "Run again", key=f"again-{run.id}", icon=":material/replay:",
            on_click=lab().background_commands.start, args=("jobs", "retry", run.id),
        )  # fmt: skip
    elif run.state == "running":
        st.button(
            "Cancel", key=f"cancel-{run.id}", icon=":material/stop_circle:", on_click=_cancel,
            args=(run,), help="Ends the running command; the run then counts as cancelled.",
        )  # fmt: skip


def _cancel(run: Run) -> None:
    if not cancel(run):
        st.toast("The run is between two commands or has ended; try again in a moment.")


def log_tail(root: Path, log: str) -> str:
    """The last lines of a run's log; empty when it is missing or outside the workspace."""
    place = (root / log).resolve()
    if not log or not place.is_relative_to(root.resolve()) or not place.is_file():
        return ""
    with place.open("rb") as file:
        file.seek(max(0, place.stat().st_size - LOG_BYTES))
        return file.read().decode("utf-8", "replace").strip()


def _show_schedules(workspace: Workspace, running: frozenset[str]) -> None:
    page_frame.subheading("Schedules", "of motif.toml, times in UTC")
    jobs = workspace.config.jobs
    if not jobs:
        page_frame.quiet("motif.toml declares no job. A job is a table like this:")
        st.code(
            '[jobs.nightly]\nrun = ["ingest spm", "embed spm"]\nschedule = "0 2 * * *"',
            language="toml",
        )
        return
    due = next_times(workspace)
    for name, job in jobs.items():
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.html(
                f'<ul class="motif-jobs"><li><b>{escape(name)}</b>'
                f"<span>{escape(_when(job.schedule, due.get(name)))}</span>"
                f"<code>{escape(' ; '.join(job.run))}</code></li></ul>", width="stretch",
            )  # fmt: skip
            st.button(
                "Start", key=f"start-{name}", icon=":material/play_arrow:",
                disabled=name in running or not may_change(),
                on_click=lab().background_commands.start,
                args=("jobs", "run", name),
            )  # fmt: skip


def _when(schedule: str | None, due: str | None) -> str:
    if schedule is None:
        return "by hand"
    return f"{schedule} · next {moment(due)}" if due else schedule
