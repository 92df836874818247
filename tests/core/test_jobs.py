import threading
import time
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from motif.core import jobs
from motif.core.errors import ConfigError, NotFoundError
from motif.core.workspace import Workspace


@pytest.fixture
def scheduled(workspace: Workspace):
    (workspace.root / "motif.toml").write_text(
        '[jobs.look]\nrun = ["status", "records"]\nschedule = "0 2 * * *"\n'
        '[jobs.broken]\nrun = ["ingest nothing"]\n'
        '[jobs.misspelt]\nrun = ["statuss"]\n'
    )
    with Workspace.open(workspace.root) as opened:
        yield opened


def test_a_run_keeps_counts_duration_and_log(scheduled: Workspace) -> None:
    run = jobs.run_job(scheduled, "look")
    assert run.state == "done"
    assert run.counts["status"]["records"] == 0
    assert run.counts["records"] == {"total": 0, "measurements": []}
    assert datetime.fromisoformat(run.finished_at or "") >= datetime.fromisoformat(run.started_at)
    log = (scheduled.root / run.log).read_text()
    assert "$ motif status" in log
    assert "$ motif records" in log


def test_a_command_that_does_not_exist_is_named(scheduled: Workspace) -> None:
    with pytest.raises(jobs.JobFailedError, match="No such command 'statuss'"):
        jobs.run_job(scheduled, "misspelt")


def test_a_failure_is_kept_with_its_reason(scheduled: Workspace) -> None:
    with pytest.raises(jobs.JobFailedError, match='no source "nothing"'):
        jobs.run_job(scheduled, "broken")
    (run,) = scheduled.catalog.runs()
    assert run.state == "failed"
    assert 'There is no source "nothing"' in run.error


def test_a_run_that_is_ended_is_cancelled(scheduled: Workspace, tmp_path: Path) -> None:
    """Commands that wait for the lock of the workspace are ended: of a run, of one within one."""
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
                with pytest.raises(jobs.JobCancelledError, match="ended before it was done"):
                    jobs.run_job(opened, name)
                ender.join()
        runs = {run.job: run for run in opened.catalog.runs()}
        assert {run.state for run in opened.catalog.runs()} == {"cancelled"}
        assert all(run.finished_at for run in runs.values())
        assert "status" in runs["inner"].counts, "what was done before stays told"
        assert "motif jobs retry" in runs["outer"].error


def end_child(command: str, workspace: Workspace) -> None:
    """End the child of this process that runs a command, once its last run has begun its last."""
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
    with pytest.raises(KeyboardInterrupt), jobs.recording(scheduled, "look", []):
        raise KeyboardInterrupt
    (run,) = scheduled.catalog.runs()
    assert (run.state, run.error) == ("cancelled", "Ended by hand.")


def test_a_job_never_overlaps_itself(scheduled: Workspace) -> None:
    started, release = threading.Event(), threading.Event()

    def hold() -> None:
        with jobs.recording(scheduled, "look", []):
            started.set()
            release.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert started.wait(20)
        with pytest.raises(jobs.JobBusyError, match="running already"):
            jobs.run_job(scheduled, "look")
    finally:
        release.set()
        thread.join()
    assert [run.state for run in scheduled.catalog.runs()] == ["done"]


def test_a_run_whose_process_is_gone_is_called_lost(
    scheduled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with jobs.recording(scheduled, "look", []):
        monkeypatch.setattr(jobs.psutil, "pid_exists", lambda _: False)
        jobs.mark_lost(scheduled)
        assert scheduled.catalog.runs()[0].state == "lost"


def test_unknown_jobs_and_runs(scheduled: Workspace) -> None:
    with pytest.raises(NotFoundError, match="known jobs are look, broken"):
        jobs.run_job(scheduled, "nightly")
    with pytest.raises(NotFoundError, match="no run"):
        jobs.retry(scheduled, "abc")


def test_scheduled_times(scheduled: Workspace) -> None:
    times = jobs.next_times(scheduled)
    assert datetime.fromisoformat(times["look"] or "").hour == 2
    assert times["broken"] is None
    assert [job.id for job in jobs.scheduler(scheduled).get_jobs()] == ["look"]


def test_a_wrong_cron_line_is_named(workspace: Workspace) -> None:
    path: Path = workspace.root / "motif.toml"
    path.write_text('[jobs.a]\nrun = ["status"]\nschedule = "61 * * * *"\n')
    with Workspace.open(workspace.root) as opened, pytest.raises(ConfigError, match="cron"):
        jobs.next_times(opened)
