"""A source that suddenly offers nothing, or far less than before, must not empty a workspace."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from motif.core.contracts import Changes
from motif.core.workspace import Workspace
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync.deletion_guard import MIN_DELETIONS, DeletionGuard
from motif.ingest.sync.source_sync import SyncIncompleteError, sync

COUNT = 16


def write_scan(path: Path, seed: int) -> None:
    planes = {"HeightRetrace": np.random.default_rng(seed).random((8, 8), np.float32)}
    write_ibw(path, planes, size=(1e-6, 1e-6), note=[("ScanSize", "1e-06")])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(COUNT):
        write_scan(scans / f"scan{number:02}.ibw", number)
    return scans


def configure(lab: Path, folder: Path, extra: str = "") -> None:
    (lab / "motif.toml").write_text(
        f'[sources.pfm]\nkind = "folder"\npath = "{folder}"\ninto = "pfm"\n{extra}'
    )


@pytest.fixture
def workspace(tmp_path: Path, folder: Path) -> Iterator[Workspace]:
    Workspace.init(tmp_path / "lab").close()
    configure(tmp_path / "lab", folder)
    with Workspace.open(tmp_path / "lab") as opened:
        sync(opened, "pfm")
        yield opened


def ingest(workspace: Workspace, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "motif.core.cli.command_line", "ingest", "pfm", *options],
        cwd=workspace.root, capture_output=True, text=True, check=False,
    )  # fmt: skip


def live(workspace: Workspace) -> int:
    return len(workspace.select())


def test_an_empty_mount_point_deletes_nothing(workspace: Workspace, folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    done = ingest(workspace, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["deleted"] == 0
    assert document["deletions_withheld"] == COUNT
    assert document["seen"] == 0
    assert done.stderr.strip().count("\n") == 0
    assert '16 of 16 records of source "pfm" are missing there' in done.stderr
    assert "motif ingest pfm --allow-deletions" in done.stderr
    assert live(workspace) == COUNT
    allowed = ingest(workspace, "--allow-deletions", "--json")
    assert allowed.returncode == 0
    assert json.loads(allowed.stdout)["deleted"] == COUNT
    assert live(workspace) == 0


def test_people_read_of_withheld_deletions(workspace: Workspace, folder: Path) -> None:
    for number in range(10):
        (folder / f"scan{number:02}.ibw").unlink()
    assert "0 deleted, 0 quarantined, 10 deletions withheld" in ingest(workspace).stdout
    assert "withheld" not in ingest(workspace, "--allow-deletions").stdout


def test_new_files_are_stored_all_the_same(workspace: Workspace, folder: Path) -> None:
    for number in range(10):
        (folder / f"scan{number:02}.ibw").unlink()
    write_scan(folder / "new.ibw", 99)
    with pytest.raises(SyncIncompleteError, match="10 of 16 records") as caught:
        sync(workspace, "pfm")
    assert (caught.value.summary.new, caught.value.summary.deleted) == (1, 0)
    assert live(workspace) == COUNT + 1
    with pytest.raises(SyncIncompleteError):
        sync(workspace, "pfm", full=True)
    assert sync(workspace, "pfm", allow_deletions=True).deleted == 10
    assert live(workspace) == 7
    assert sync(workspace, "pfm").deletions_withheld == 0


def test_files_that_return_are_the_same_records(
    workspace: Workspace, folder: Path, tmp_path: Path
) -> None:
    shutil.move(folder, tmp_path / "unmounted")
    folder.mkdir()
    with pytest.raises(SyncIncompleteError):
        sync(workspace, "pfm")
    folder.rmdir()
    shutil.move(tmp_path / "unmounted", folder)
    assert sync(workspace, "pfm").unchanged == COUNT


def test_ordinary_deletions_are_carried_out(workspace: Workspace, folder: Path) -> None:
    for number in range(4):
        (folder / f"scan{number:02}.ibw").unlink()
    assert sync(workspace, "pfm").deleted == 4
    assert live(workspace) == COUNT - 4


def test_a_file_of_three_may_be_deleted_but_not_the_last(
    workspace: Workspace, folder: Path
) -> None:
    for number in range(3, COUNT):
        (folder / f"scan{number:02}.ibw").unlink()
    sync(workspace, "pfm", allow_deletions=True)
    for number in range(2):
        (folder / f"scan{number:02}.ibw").unlink()
        assert sync(workspace, "pfm").deleted == 1
    (folder / "scan02.ibw").unlink()
    with pytest.raises(SyncIncompleteError, match="1 of 1 records"):
        sync(workspace, "pfm")
    assert live(workspace) == 1


@pytest.mark.parametrize(
    ("setting", "deleted"),
    [("allow_deletions = true\n", 10), ("max_deleted_share = 0.7\n", 10), ("", 0)],
)
def test_the_settings_of_a_source(
    workspace: Workspace, folder: Path, setting: str, deleted: int
) -> None:
    configure(workspace.root, folder, setting)
    for number in range(10):
        (folder / f"scan{number:02}.ibw").unlink()
    with Workspace.open(workspace.root) as reopened:
        if deleted:
            assert sync(reopened, "pfm").deleted == deleted
        else:
            with pytest.raises(SyncIncompleteError):
                sync(reopened, "pfm")
        assert live(reopened) == COUNT - deleted


@pytest.mark.parametrize("share", ["-0.1", "1.5", '"all"'])
def test_a_share_is_between_0_and_1(workspace: Workspace, folder: Path, share: str) -> None:
    configure(workspace.root, folder, f"max_deleted_share = {share}\n")
    done = ingest(workspace)
    assert done.returncode == 1
    assert "max_deleted_share" in done.stderr


def test_a_member_of_a_federation_is_judged_alone(tmp_path: Path, folder: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for number in range(COUNT):
        write_scan(other / f"scan{number:02}.ibw", 100 + number)
    Workspace.init(tmp_path / "both").close()
    (tmp_path / "both" / "motif.toml").write_text(
        '[sources.pfm]\nkind = "federation"\ninto = "pfm"\nmembers = [\n'
        f'  {{name = "a", kind = "folder", path = "{folder}"}},\n'
        f'  {{name = "b", kind = "folder", path = "{other}"}},\n]\n'
    )
    with Workspace.open(tmp_path / "both") as both:
        assert sync(both, "pfm").new == 2 * COUNT
        shutil.rmtree(folder)
        folder.mkdir()
        (other / "scan00.ibw").unlink()
        with pytest.raises(SyncIncompleteError, match="16 of 32 records") as caught:
            sync(both, "pfm")
        assert caught.value.summary.deleted == 1
        assert caught.value.summary.deletions_withheld == COUNT
        assert live(both) == 2 * COUNT - 1
        assert sync(both, "pfm", allow_deletions=True).deleted == COUNT


def split(known: int, deleted: int, seen: int, guard: DeletionGuard | None = None) -> int:
    """How many deletions are withheld."""
    ids = [f"d/{number}" for number in range(known)]
    changes = Changes(seen, [], ids[:deleted], "")
    accepted, withheld = (guard or DeletionGuard()).split(ids, changes)
    assert len(accepted) + len(withheld) == deleted
    return len(withheld)


def test_the_rule() -> None:
    assert split(3, 1, 2) == 0
    assert split(4, 4, 4) == 0, "few files of other names in place of the old ones"
    assert split(1, 1, 0) == 1
    assert split(10, MIN_DELETIONS, 5) == MIN_DELETIONS
    assert split(10, MIN_DELETIONS - 1, 6) == 0
    assert split(100, 30, 70) == 0
    assert split(100, 31, 69) == 31
    assert split(100, 100, 0, DeletionGuard(allowed=True)) == 0
    assert split(100, 99, 1, DeletionGuard(max_share=1)) == 0
    assert split(100, 100, 0, DeletionGuard(max_share=1)) == 100
    assert split(100, 5, 95, DeletionGuard(max_share=0)) == 5
    assert split(0, 0, 0) == 0
