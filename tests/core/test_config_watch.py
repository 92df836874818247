"""motif.toml may change while a process runs."""

from pathlib import Path

import pytest

from motif.core.config.config_watch import ConfigWatch
from motif.core.errors import ConfigError
from motif.core.jobs.job_runs import schedule, scheduler
from motif.core.workspace import Workspace

JOB = '[jobs.{name}]\nrun = ["status"]\nschedule = "{line}"\n'


def write(root: Path, text: str) -> None:
    (root / "motif.toml").write_text(text)


def test_the_file_is_read_again_only_after_a_change(workspace: Workspace) -> None:
    watch = ConfigWatch(workspace)
    before = workspace.config
    assert not watch.refresh()
    assert workspace.config is before


def test_jobs_of_a_changed_file_are_scheduled_and_others_removed(workspace: Workspace) -> None:
    write(workspace.root, JOB.format(name="early", line="0 2 * * *"))
    watch = ConfigWatch(workspace)
    jobs = scheduler(workspace)
    write(workspace.root, JOB.format(name="late", line="0 22 * * *"))
    assert watch.refresh()
    assert not watch.refresh()
    schedule(jobs, workspace)
    assert [job.id for job in jobs.get_jobs()] == ["late"]
    write(workspace.root, JOB.format(name="never", line="99 2 * * *"))
    assert watch.refresh()
    with pytest.raises(ConfigError, match=r"jobs\.never\.schedule"):
        schedule(jobs, workspace)
    assert [job.id for job in jobs.get_jobs()] == ["late"]


def test_a_mistake_keeps_the_settings_and_is_reported(
    workspace: Workspace,
) -> None:
    watch = ConfigWatch(workspace)
    before = workspace.config
    write(workspace.root, "[jbos.a]")
    assert not watch.refresh()
    assert workspace.config is before
    assert 'did you mean "jobs"?' in watch.problem
    write(workspace.root, JOB.format(name="a", line="0 2 * * *"))
    assert watch.refresh()
    assert watch.problem == ""


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("[dashboard]\nport = 9000", "[dashboard]"),
        ('[catalog]\nurl = "sqlite:///elsewhere"', "[catalog]"),
        (
            '[dashboard.sign_in]\nissuer="https://a.org"\nclient_id="m"\nurl="https://b.org"\n'
            'editors=["*"]',
            "[dashboard.sign_in]",
        ),
    ],
)
def test_changes_that_need_a_restart_are_reported(
    workspace: Workspace, text: str, table: str
) -> None:
    watch = ConfigWatch(workspace)
    write(workspace.root, text)
    assert watch.refresh()
    assert f"changed {table};" in watch.problem
    write(workspace.root, "")
    watch.refresh()
    assert watch.problem == ""
