import threading
import time
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from motif.core.errors import ConfigError, NotFoundError
from motif.core.jobs import job_runs
from motif.core.workspace import Workspace


@pytest.fixture
def scheduled(workspace: Workspace):
    (workspace.root / "motif.toml").write_text(
        '[jobs.look]\nrun = ["status", "measurements"]\nschedule = "0 2 * * *"\n'
        '[jobs.broken]\nrun = ["ingest nothing"]\n'
        '[jobs.misspelt]\nrun = ["statuss"]\n'
    )
    with Workspace.open(workspace.root) as opened:
        yield opened


def test_a_run_records_counts_duration_and_log(scheduled: Workspace) -> None:
    run = job_runs.run_job(scheduled, "look")
    assert run.state == "done"
    assert run.counts["status"]["records"] == 0
    assert run.counts["measurements"] == {"total": 0, "measurements": []}
    assert datetime.fromisoformat(run.finished_at or "") >= datetime.fromisoformat(run.started_at)
    log = (scheduled.root / run.log).read_text()
    assert "$ motif status" in log
    assert "$ motif measurements" in log


def test_a_command_that_does_not_exist_is_named(scheduled: Workspace) -> None:
    with pytest.raises(job_runs.JobFailedError, match="No such command 'statuss'"):
        job_runs.run_job(scheduled, "misspelt")


def test_a_failure_is_recorded_with_its_reason(scheduled: Workspace) -> None:
    with pytest.raises(job_runs.JobFailedError, match='no source "nothing"'):
        job_runs.run_job(scheduled, "broken")
    (run,) = scheduled.catalog.runs()
    assert run.state == "failed"
    assert 'There is no source "nothing"' in run.error


def test_a_terminated_run_is_cancelled(scheduled: Workspace, tmp_path: Path) -> None:
    """Terminates commands that wait for the workspace lock: of a run, and of a nested run."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "odd").write_bytes(b"?")
    (scheduled.root / "motif.toml").write_text(
        f'[sources.s]\nkind = "folder"\npath = "{tmp_path}/files"\ninto = "x"\n'
        '[jobs.inner]\nrun = ["status", "ingest s"]\n[jobs.outer]\nrun = ["jobs run inner"]\n'
    )
    with Workspace.open(scheduled.root) as opened:
        for name, ended in (("inner", "ingest"), ("outer", "jobs")):
            with FileLock(opened.root / ".lock"):
                ender = threading.Thread(target=end_child, args=(ended, opened))
                ender.start()
                with pytest.raises(job_runs.JobCancelledError, match="was terminated"):
                    job_runs.run_job(opened, name)
                ender.join()
        runs = {run.job: run for run in opened.catalog.runs()}
        assert {run.state for run in opened.catalog.runs()} == {"cancelled"}
        assert all(run.finished_at for run in runs.values())
        assert "status" in runs["inner"].counts, "counts of finished commands are kept"
        assert "motif jobs retry" in runs["outer"].error


def end_child(command: str, workspace: Workspace) -> None:
    """Terminate the child process that runs `command` once its last command has started."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for child in psutil.Process().children(recursive=True):
            try:
                words = child.cmdline()
            except psutil.Error:  # it has ended since it was listed
                continue
            begun = [run for run in workspace.catalog.runs() if run.state == "running"]
            waits = begun and "ingest" in (workspace.root / begun[0].log).read_text()
            if command in words and (waits or command == "ingest"):
                time.sleep(0.5)
                child.terminate()
                return
        time.sleep(0.05)


def test_ctrl_c_cancels(scheduled: Workspace) -> None:
    with pytest.raises(KeyboardInterrupt), job_runs.recording(scheduled, "look", []):
        raise KeyboardInterrupt
    (run,) = scheduled.catalog.runs()
    assert (run.state, run.error) == ("cancelled", "Interrupted.")


def test_a_job_never_overlaps_itself(scheduled: Workspace) -> None:
    started, release = threading.Event(), threading.Event()

    def hold() -> None:
        with job_runs.recording(scheduled, "look", []):
            started.set()
            release.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert started.wait(20)
        with pytest.raises(job_runs.JobBusyError, match="running already"):
            job_runs.run_job(scheduled, "look")
    finally:
        release.set()
        thread.join()
    assert [run.state for run in scheduled.catalog.runs()] == ["done"]


def test_a_run_without_a_process_is_lost(
    scheduled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with job_runs.recording(scheduled, "look", []):
        monkeypatch.setattr(job_runs.psutil, "pid_exists", lambda _: False)
        job_runs.mark_lost(scheduled)
        assert scheduled.catalog.runs()[0].state == "lost"


def test_unknown_jobs_and_runs(scheduled: Workspace) -> None:
    with pytest.raises(NotFoundError, match="known jobs are look, broken"):
        job_runs.run_job(scheduled, "nightly")
    with pytest.raises(NotFoundError, match="no run"):
        job_runs.retry(scheduled, "abc")


def test_scheduled_times(scheduled: Workspace) -> None:
    times = job_runs.next_times(scheduled)
    assert datetime.fromisoformat(times["look"] or "").hour == 2
    assert times["broken"] is None
    assert [job.id for job in job_runs.scheduler(scheduled).get_jobs()] == ["look"]


def test_a_wrong_cron_line_is_named(workspace: Workspace) -> None:
    path: Path = workspace.root / "motif.toml"
    path.write_text('[jobs.a]\nrun = ["status"]\nschedule = "61 * * * *"\n')
    with Workspace.open(workspace.root) as opened, pytest.raises(ConfigError, match="cron"):
        job_runs.next_times(opened)
