"""Files that cannot be fetched, over many unattended runs; and a disk that is full."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from motif.core.catalog.database import Quarantined
from motif.core.errors import SourceError
from motif.core.jobs.progress import Progress
from motif.core.store.integrity import check_workspace
from motif.core.workspace import Workspace
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync import scratch, sync_state
from motif.ingest.sync.scratch import DiskFullError
from motif.ingest.sync.source_sync import SyncIncompleteError, sync

if TYPE_CHECKING:
    from conftest import DataFedLab  # type: ignore[import-not-found]

Usage = namedtuple("Usage", "total used free")


def scan(path: Path, seed: int, size: int = 8) -> bytes:
    rng = np.random.default_rng(seed)
    planes = {"HeightRetrace": rng.normal(size=(size, size)).astype(np.float32)}
    write_ibw(path, planes, size=(2e-6, 2e-6), note=[("ScanSize", "2e-06")])
    return path.read_bytes()


@pytest.fixture
def workspace(lab: DataFedLab, tmp_path: Path) -> Iterator[Workspace]:
    folder = lab.sandbox.folder
    Workspace.init(tmp_path / "w").close()
    (tmp_path / "w" / "motif.toml").write_text(f"""
[sources.lab]
kind = "datafed"
collection = "{lab.collection}"
into = "pfm"
host = "127.0.0.1"
port = {lab.sandbox.port}
server_key = "{folder}/datafed-core-key.pub"
public_key = "{folder}/ann.pub"
private_key = "{folder}/ann.priv"
endpoint = "motif#disk"
timeout = 5.0
""")
    with Workspace.open(tmp_path / "w") as opened:
        yield opened


def raw(lab: DataFedLab, native_id: str) -> Path:
    return next((lab.sandbox.folder / "repo").rglob(native_id.partition("/")[2]))


def test_one_lost_file_does_not_delay_the_others(
    lab: DataFedLab, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [lab.add(f"{n}.ibw", scan(tmp_path / "s.ibw", n), {}) for n in range(3)]
    lost = raw(lab, ids[1])
    content = lost.read_bytes()
    lost.unlink()
    for _ in range(sync_state.LIMIT - 1):
        with pytest.raises(SourceError, match=r"1 files of .* could not be fetched"):
            sync(workspace, "lab")
        assert workspace.catalog.cursor("lab") == ""
        assert workspace.catalog.quarantined() == []
    summary = sync(workspace, "lab")
    assert (summary.seen, summary.quarantined, summary.unchanged) == (3, 1, 2)
    assert workspace.catalog.cursor("lab") != ""
    (entry,) = workspace.catalog.quarantined()
    assert entry.native_id == ids[1]
    assert entry.reason.startswith("It could not be fetched in 3 runs: Raw data of")
    assert sync(workspace, "lab").quarantined == 1
    assert workspace.catalog.quarantined()[0].attempts == 1, "tried again too early"
    lost.write_bytes(content)
    monkeypatch.setattr(sync_state, "FIRST_WAIT", timedelta(0))
    assert (sync(workspace, "lab").new, workspace.catalog.quarantined()) == (1, [])
    assert len(workspace.select("pfm")) == 3


def test_a_lost_file_can_be_retried_at_once(
    lab: DataFedLab, workspace: Workspace, tmp_path: Path
) -> None:
    record = lab.add("a.ibw", scan(tmp_path / "s.ibw", 1), {})
    content = raw(lab, record).read_bytes()
    raw(lab, record).unlink()
    for _ in range(sync_state.LIMIT - 1):
        with pytest.raises(SourceError):
            sync(workspace, "lab")
    sync(workspace, "lab")
    assert sync(workspace, "lab", retry=True).quarantined == 1
    assert workspace.catalog.quarantined()[0].attempts == 2
    path = next((lab.sandbox.folder / "repo").rglob("ann")) / record.partition("/")[2]
    path.write_bytes(content)
    assert sync(workspace, "lab", retry=[record]).new == 1


def test_failures_that_end_are_forgotten(
    lab: DataFedLab, workspace: Workspace, tmp_path: Path
) -> None:
    """Two bad runs, a good one, then two bad ones of the next version: no quarantine."""
    record = lab.add("a.ibw", scan(tmp_path / "s.ibw", 1), {})
    for size in (8, 9):
        for _ in range(sync_state.LIMIT - 1):
            lab.sandbox.faults.fail_transfer()
            with pytest.raises(SourceError, match="unknown reasons"):
                sync(workspace, "lab")
        sync(workspace, "lab")
        assert workspace.catalog.quarantined() == []
        lab.rewrite(record, scan(tmp_path / "s.ibw", 1, size + 1))


def test_a_full_sync_removes_nothing_it_cannot_fetch(
    lab: DataFedLab, workspace: Workspace, tmp_path: Path
) -> None:
    record = lab.add("a.ibw", scan(tmp_path / "s.ibw", 1), {})
    sync(workspace, "lab")
    raw(lab, record).unlink()
    for _ in range(sync_state.LIMIT + 1):
        with pytest.raises(SourceError):
            sync(workspace, "lab", full=True)
    assert len(workspace.select("pfm")) == 1
    assert sync(workspace, "lab").unchanged == 1


def test_waits_double_up_to_a_week() -> None:
    def due(attempts: int, ago: timedelta) -> bool:
        seen = (datetime.now(UTC) - ago).isoformat()
        return sync_state.is_due(
            Quarantined(
                "s", "d/1", "", "", "", "", "", {}, {}, "", "", "fetch", seen, seen, attempts
            )
        )  # fmt: skip

    assert due(1, timedelta(minutes=61))
    assert not due(1, timedelta(minutes=59))
    assert not due(4, timedelta(hours=7))
    assert due(500, timedelta(days=7, minutes=1))


def test_a_disk_too_small_is_noticed_before_anything_is_fetched(
    lab: DataFedLab, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.add("a.ibw", scan(tmp_path / "s.ibw", 1), {})
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, scratch.RESERVE))
        with pytest.raises(DiskFullError, match="free some space and run the same command again"):
            sync(workspace, "lab")
    assert sync(workspace, "lab").new == 1


def test_a_disk_that_fills_up_loses_nothing(tmp_path: Path) -> None:
    """The limit on file sizes lets the store's larger chunks fail as a full disk does."""
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(3):
        scan(scans / f"{number}.ibw", number, 16)
    root = tmp_path / "w"
    Workspace.init(root).close()
    (root / "motif.toml").write_text(
        f'[sources.f]\nkind = "folder"\npath = "{scans}"\ninto = "pfm"\n'
    )
    with Workspace.open(root) as workspace:
        assert sync(workspace, "f").new == 3
    scan(scans / "large.ibw", 9, 700)
    limited = subprocess.run(
        [sys.executable, "-m", "motif.core.cli.command_line", "ingest", "f", "-w", str(root)],
        capture_output=True, text=True, check=False, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20)),
    )  # fmt: skip
    assert limited.returncode == 1
    assert (
        limited.stderr.strip()
        .splitlines()[-1]
        .startswith(f"motif: The disk of workspace {root} is full")
    )
    with Workspace.open(root) as workspace:
        assert len(workspace.select("pfm")) == 3
        assert sync(workspace, "f").new == 1
        assert check_workspace(workspace, Progress("check", quiet=True)) == []


def test_an_emptied_collection_deletes_nothing_until_it_is_allowed(
    lab: DataFedLab, workspace: Workspace, tmp_path: Path
) -> None:
    ids = [lab.add(f"{n}.ibw", scan(tmp_path / "s.ibw", n), {}) for n in range(6)]
    assert sync(workspace, "lab").new == 6
    cursor = workspace.catalog.cursor("lab")
    lab.client.delete_records(ids[:5])
    with pytest.raises(SyncIncompleteError, match="5 of 6 records") as caught:
        sync(workspace, "lab")
    assert (caught.value.summary.deleted, caught.value.summary.deletions_withheld) == (0, 5)
    assert workspace.catalog.cursor("lab") == cursor, "the changes are listed again"
    lab.client.delete_records(ids[5:])
    with pytest.raises(SyncIncompleteError, match="6 of 6 records"):
        sync(workspace, "lab", full=True)
    assert len(workspace.select("pfm")) == 6
    assert sync(workspace, "lab", allow_deletions=True).deleted == 6
    assert sync(workspace, "lab").deletions_withheld == 0
