"""Acting on what could not be read."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import NotFoundError
from motif.core.records import Reading
from motif.core.testing.filling import image
from motif.core.workspace import Workspace
from motif.ingest import quarantine
from motif.ingest.quarantine_text import entry_text, list_text
from motif.ingest.readers.asylum_ibw import AsylumIbw
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync import sync


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
        [sys.executable, "-m", "motif.core.cli", "quarantine", *arguments, "--json"],
        cwd=workspace.root, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_list_and_show(workspace: Workspace) -> None:
    listed = json.loads(motif(workspace, "list").stdout)["quarantined"]
    assert {one["native_id"] for one in listed} == {"bad.ibw", "worse.ibw"}
    shown = json.loads(motif(workspace, "show", "pfm", "bad.ibw").stdout)
    assert shown["first_text"] == ".bad"
    assert shown["attempts"] == 1
    assert shown["metadata"]["operator"] == "xu"
    refused = motif(workspace, "show", "pfm", "good.ibw")
    assert refused.returncode == 1
    assert "not in quarantine" in refused.stderr


def test_the_words_fit_a_terminal_and_tell_what_to_do(workspace: Workspace) -> None:
    entries = workspace.catalog.quarantined()
    listed = list_text(entries)
    assert "2 files; see one whole" in listed
    shown = entry_text(quarantine.held(workspace, "pfm", "bad.ibw"))
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
    whole = (tmp_path / "scans" / "good.ibw").read_bytes()
    (tmp_path / "scans" / "cut off.ibw").write_bytes(whole[:600])
    assert sync(workspace, "pfm").quarantined == 3
    entry = quarantine.held(workspace, "pfm", "cut off.ibw")
    flat = " ".join(entry_text(entry).split())
    assert f"asylum-ibw version {AsylumIbw.version} took it and failed" in flat
    assert "retry pfm 'cut off.ibw'" in flat
    quarantine.retry(workspace, "pfm", "cut off.ibw")
    (tmp_path / "scans" / "cut off.ibw").write_bytes(whole)
    again = quarantine.held(workspace, "pfm", "cut off.ibw")
    assert "tried 2 times, last" in entry_text(again)
    assert sync(workspace, "pfm").new == 1
    with pytest.raises(NotFoundError):
        quarantine.held(workspace, "pfm", "cut off.ibw")


def test_what_a_new_reader_version_can_read_leaves_quarantine(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learnt(self: AsylumIbw, path: Path) -> Reading:
        return Reading([image(np.arange(192.0).reshape(3, 8, 8))])

    monkeypatch.setattr(AsylumIbw, "recognises", lambda self, head, name: head == b"\x05bad")
    monkeypatch.setattr(AsylumIbw, "__call__", learnt)
    assert sync(workspace, "pfm").new == 0, "its version says that nothing was learnt"
    monkeypatch.setattr(AsylumIbw, "version", AsylumIbw.version + 1)
    done = sync(workspace, "pfm")
    assert (done.new, done.quarantined) == (1, 1)
    (row,) = workspace.select("pfm", 'operator = "xu"')
    assert row.record_id == "pfm:bad.ibw"


def test_retry_of_one_leaves_the_others(workspace: Workspace) -> None:
    quarantine.retry(workspace, "pfm", "bad.ibw")
    attempts = {one.native_id: one.attempts for one in workspace.catalog.quarantined()}
    assert attempts == {"bad.ibw": 2, "worse.ibw": 1}


def test_a_released_record_keeps_its_metadata(workspace: Workspace) -> None:
    record_id = quarantine.release(workspace, "pfm", "bad.ibw")
    record = workspace.record(record_id)
    assert record.metadata["operator"] == "xu"
    assert record.notes[0].startswith("released from quarantine: ")
    assert [one.native_id for one in workspace.catalog.quarantined()] == ["worse.ibw"]
    assert sync(workspace, "pfm").unchanged == 2
    with pytest.raises(NotFoundError, match="not in quarantine"):
        quarantine.release(workspace, "pfm", "bad.ibw")


def test_a_new_reader_version_tries_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AsylumIbw, "version", AsylumIbw.version + 1)
    sync(workspace, "pfm")
    assert {one.attempts for one in workspace.catalog.quarantined()} == {2}
