"""Jobs and quarantine from the page: real commands, really ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from motif.core.jobs.job_runs import run_job
from motif.core.workspace import Workspace
from motif.dashboard.background.background_commands import BackgroundCommands, cancel

SLOW = """
[sources.files]
kind = "folder"
path = "{folder}"
into = "files"

[jobs.slow]
run = ["jobs run inner"]

[jobs.inner]
run = ["ingest files"]

[jobs.quick]
run = ["status"]
"""


@pytest.fixture
def lab_with_jobs(tmp_path: Path) -> Path:
    root = tmp_path / "lab"
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "broken.ibw").write_bytes(b"\x05\x00")
    Workspace.init(root).close()
    (root / "motif.toml").write_text(SLOW.format(folder=tmp_path / "files"))
    return root


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_job_is_started_and_its_run_is_seen(lab_with_jobs: Path) -> None:
    commands = BackgroundCommands(lab_with_jobs)
    commands.start("jobs", "run", "quick")
    assert [command.ended for command in commands.recent()] == [None]
    commands.finish()
    assert commands.recent()[0].error == ""
    with Workspace.open(lab_with_jobs) as workspace:
        assert [(run.job, run.state) for run in workspace.catalog.runs(5)] == [("quick", "done")]


def test_a_command_that_fails_says_why(lab_with_jobs: Path) -> None:
    commands = BackgroundCommands(lab_with_jobs)
    commands.start("jobs", "run", "nothing")
    commands.finish()
    assert 'There is no job "nothing"' in commands.recent()[0].error


def test_a_run_is_cancelled_by_ending_its_command(lab_with_jobs: Path) -> None:
    commands = BackgroundCommands(lab_with_jobs)
    commands.start("jobs", "run", "slow")
    with Workspace.open(lab_with_jobs) as workspace:
        until(lambda: bool(workspace.catalog.runs(5, "slow")))
        run = workspace.catalog.runs(1, "slow")[0]
        until(lambda: cancel(run) > 0)
        commands.finish()
        ended = workspace.catalog.runs(1, "slow")[0]
        assert ended.state == "cancelled"
        assert cancel(ended) == 0


def test_a_run_whose_process_is_gone_cannot_be_cancelled(lab_with_jobs: Path) -> None:
    with Workspace.open(lab_with_jobs) as workspace:
        run_job(workspace, "quick")
        run = workspace.catalog.runs(1)[0]
        # This very process ran it, and has no child that works on it.
        assert cancel(run) == 0
