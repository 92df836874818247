"""Commands for files that could not be read."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import NotFoundError
from motif.core.records import Reading
from motif.core.testing.fill_workspace import image
from motif.core.workspace import Workspace
from motif.ingest.quarantine.quarantine_entries import (
    entry_text,
    list_text,
    quarantine_entry,
    release,
    retry,
)
from motif.ingest.readers.asylum.reader import AsylumIbw
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync.source_sync import sync


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "bad.ibw").write_bytes(b"\x05bad")
    (folder / "bad.ibw.json").write_text('{"operator": "xu"}')
    (folder / "worse.ibw").write_bytes(b"")
    planes = {"HeightRetrace": np.ones((8, 8), np.float32)}
    write_ibw(folder / "good.ibw", planes, size=(1e-6, 1e-6), note=[("ScanSize", "1e-06")])
    Workspace.init(tmp_path / "lab").close()
    (tmp_path / "lab" / "motif.toml").write_text(
        f'[sources.pfm]\nkind = "folder"\npath = "{folder}"\ninto = "pfm"\n'
    )
    with Workspace.open(tmp_path / "lab") as opened:
        sync(opened, "pfm")
        yield opened


def motif(workspace: Workspace, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "motif.core.cli.command_line", "quarantine", *arguments, "--json"],
        cwd=workspace.root, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_list_and_show(workspace: Workspace) -> None:
    listed = json.loads(motif(workspace, "list").stdout)["quarantined"]
    assert {entry["native_id"] for entry in listed} == {"bad.ibw", "worse.ibw"}
    shown = json.loads(motif(workspace, "show", "pfm", "bad.ibw").stdout)
    assert shown["first_text"] == ".bad"
    assert shown["attempts"] == 1
    assert shown["metadata"]["operator"] == "xu"
    refused = motif(workspace, "show", "pfm", "good.ibw")
    assert refused.returncode == 1
    assert "not in quarantine" in refused.stderr


def test_texts_fit_a_terminal_and_name_the_next_step(workspace: Workspace) -> None:
    entries = workspace.catalog.quarantined()
    listed = list_text(entries)
    assert "2 files; see an entry in full" in listed
    shown = entry_text(quarantine_entry(workspace, "pfm", "bad.ibw"))
    flat = " ".join(shown.split())
    assert "05 62 61 64" in shown
    assert "as text .bad" in flat
    assert "UTC, tried once" in flat
    assert "none of" in flat
    assert "motif quarantine retry pfm bad.ibw" in flat
    assert "motif quarantine release pfm bad.ibw" in flat
    assert '"operator": "xu"' in flat
    assert max(map(len, listed.splitlines())) <= 80
    assert list_text([]) == "Nothing is in quarantine."


def test_the_reader_that_failed_is_named(workspace: Workspace, tmp_path: Path) -> None:
    content = (tmp_path / "scans" / "good.ibw").read_bytes()
    (tmp_path / "scans" / "cut off.ibw").write_bytes(content[:600])
    assert sync(workspace, "pfm").quarantined == 3
    entry = quarantine_entry(workspace, "pfm", "cut off.ibw")
    flat = " ".join(entry_text(entry).split())
    assert f"asylum-ibw version {AsylumIbw.version} recognised it and failed" in flat
    assert "retry pfm 'cut off.ibw'" in flat
    retry(workspace, "pfm", "cut off.ibw")
    (tmp_path / "scans" / "cut off.ibw").write_bytes(content)
    again = quarantine_entry(workspace, "pfm", "cut off.ibw")
    assert "tried 2 times, last" in entry_text(again)
    assert sync(workspace, "pfm").new == 1
    with pytest.raises(NotFoundError):
        quarantine_entry(workspace, "pfm", "cut off.ibw")


def test_files_that_a_new_reader_version_can_read_leave_quarantine(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def improved(self: AsylumIbw, path: Path, context: object = None) -> Reading:
        return Reading([image(np.arange(192.0).reshape(3, 8, 8))])

    monkeypatch.setattr(AsylumIbw, "recognises", lambda self, head, name: head == b"\x05bad")
    monkeypatch.setattr(AsylumIbw, "__call__", improved)
    assert sync(workspace, "pfm").new == 0, "the same version is not tried again"
    monkeypatch.setattr(AsylumIbw, "version", AsylumIbw.version + 1)
    summary = sync(workspace, "pfm")
    assert (summary.new, summary.quarantined) == (1, 1)
    (row,) = workspace.select("pfm", 'operator = "xu"')
    assert row.record_id == "pfm:bad.ibw"


def test_retry_of_one_file_leaves_the_others(workspace: Workspace) -> None:
    retry(workspace, "pfm", "bad.ibw")
    attempts = {entry.native_id: entry.attempts for entry in workspace.catalog.quarantined()}
    assert attempts == {"bad.ibw": 2, "worse.ibw": 1}


def test_a_released_record_keeps_its_metadata(workspace: Workspace) -> None:
    record_id = release(workspace, "pfm", "bad.ibw")
    record = workspace.record(record_id)
    assert record.metadata["operator"] == "xu"
    assert record.warnings[0].startswith("released from quarantine: ")
    assert [entry.native_id for entry in workspace.catalog.quarantined()] == ["worse.ibw"]
    assert sync(workspace, "pfm").unchanged == 2
    with pytest.raises(NotFoundError, match="not in quarantine"):
        release(workspace, "pfm", "bad.ibw")


def test_a_new_reader_version_tries_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AsylumIbw, "version", AsylumIbw.version + 1)
    sync(workspace, "pfm")
    assert {entry.attempts for entry in workspace.catalog.quarantined()} == {2}
