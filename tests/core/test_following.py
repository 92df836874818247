"""motif.toml may change while a process goes on."""

from pathlib import Path

import pytest

from motif.core.errors import ConfigError
from motif.core.following import Follower
from motif.core.jobs import schedule, scheduler
from motif.core.workspace import Workspace

JOB = '[jobs.{name}]\nrun = ["status"]\nschedule = "{line}"\n'


def write(root: Path, text: str) -> None:
    (root / "motif.toml").write_text(text)


def test_nothing_is_read_again_without_a_change(workspace: Workspace) -> None:
    file = Follower(workspace)
    before = workspace.config
    assert not file.look()
    assert workspace.config is before


def test_jobs_of_a_changed_file_are_scheduled_and_others_no_longer(workspace: Workspace) -> None:
    write(workspace.root, JOB.format(name="early", line="0 2 * * *"))
    file = Follower(workspace)
    clock = scheduler(workspace)
    write(workspace.root, JOB.format(name="late", line="0 22 * * *"))
    assert file.look()
    assert not file.look()
    schedule(clock, workspace)
    assert [job.id for job in clock.get_jobs()] == ["late"]
    write(workspace.root, JOB.format(name="never", line="99 2 * * *"))
    assert file.look()
    with pytest.raises(ConfigError, match=r"jobs\.never\.schedule"):
        schedule(clock, workspace)
    assert [job.id for job in clock.get_jobs()] == ["late"]


def test_a_mistake_leaves_the_settings_and_is_told_until_it_is_mended(workspace: Workspace) -> None:
    file = Follower(workspace)
    before = workspace.config
    write(workspace.root, "[jbos.a]")
    assert not file.look()
    assert workspace.config is before
    assert 'did you mean "jobs"?' in file.problem
    write(workspace.root, JOB.format(name="a", line="0 2 * * *"))
    assert file.look()
    assert file.problem == ""


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
def test_what_is_only_read_at_the_start_is_told(
    workspace: Workspace, text: str, table: str
) -> None:
    file = Follower(workspace)
    write(workspace.root, text)
    assert file.look()
    assert f"changed {table};" in file.problem
    write(workspace.root, "")
    file.look()
    assert file.problem == ""
