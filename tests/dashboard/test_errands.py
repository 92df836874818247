"""Jobs and quarantine from the page: real commands, really ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from motif.core.jobs import run_job
from motif.core.workspace import Workspace
from motif.dashboard.errands import Errands, cancel

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
    errands = Errands(lab_with_jobs)
    errands.start("jobs", "run", "quick")
    assert [one.ended for one in errands.recent()] == [None]
    errands.finish()
    assert errands.recent()[0].error == ""
    with Workspace.open(lab_with_jobs) as workspace:
        assert [(run.job, run.state) for run in workspace.catalog.runs(5)] == [("quick", "done")]


def test_a_command_that_fails_says_why(lab_with_jobs: Path) -> None:
    errands = Errands(lab_with_jobs)
    errands.start("jobs", "run", "nothing")
    errands.finish()
    assert 'There is no job "nothing"' in errands.recent()[0].error


def test_a_run_is_cancelled_by_ending_its_command(lab_with_jobs: Path) -> None:
    errands = Errands(lab_with_jobs)
    errands.start("jobs", "run", "slow")
    with Workspace.open(lab_with_jobs) as workspace:
        until(lambda: bool(workspace.catalog.runs(5, "slow")))
        run = workspace.catalog.runs(1, "slow")[0]
        until(lambda: cancel(run) > 0)
        errands.finish()
        ended = workspace.catalog.runs(1, "slow")[0]
        assert ended.state == "cancelled"
        assert cancel(ended) == 0


def test_a_run_whose_process_is_gone_cannot_be_cancelled(lab_with_jobs: Path) -> None:
    with Workspace.open(lab_with_jobs) as workspace:
        run_job(workspace, "quick")
        run = workspace.catalog.runs(1)[0]
        # This very process ran it, and has no child that works on it.
        assert cancel(run) == 0
