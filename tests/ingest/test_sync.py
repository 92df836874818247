"""Sync of a folder into a workspace: incremental, transactional and robust to bad input."""

import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from motif.core.catalog import tables
from motif.core.errors import ConfigError, NotFoundError
from motif.core.workspace import Workspace
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync.source_sync import sync

NOTE = [("ScanSize", "2e-06"), ("ImagingMode", "PFM Mode"), ("MicroscopeModel", "Cypher")]
KILLS = 20


def write_scan(path: Path, seed: int, size: int = 16) -> None:
    rng = np.random.default_rng(seed)
    names = ("HeightRetrace", "AmplitudeRetrace", "PhaseRetrace")
    planes = {name: rng.normal(size=(size, size)).astype(np.float32) for name in names}
    write_ibw(path, planes, size=(2e-6, 2e-6), note=NOTE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(6):
        write_scan(scans / f"scan{number}.ibw", number)
    return scans


@pytest.fixture
def workspace(tmp_path: Path, folder: Path) -> Iterator[Workspace]:
    Workspace.init(tmp_path / "lab").close()
    (tmp_path / "lab" / "motif.toml").write_text(
        f'[sources.pfm]\nkind = "folder"\npath = "{folder}"\ninto = "pfm"\n'
    )
    with Workspace.open(tmp_path / "lab") as opened:
        yield opened


def counts(workspace: Workspace, **options: bool) -> tuple[int, ...]:
    """(seen, new, updated, unchanged, deleted, quarantined) of one sync."""
    return astuple(sync(workspace, "pfm", **options))[:6]


def touch_later(path: Path) -> None:
    """Give a file a later modification time than any earlier write."""
    later = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(later, later))


def test_the_second_run_finds_nothing_to_do(workspace: Workspace) -> None:
    assert counts(workspace) == (6, 6, 0, 0, 0, 0)
    snapshot = workspace.store.snapshot().id
    assert counts(workspace) == (6, 0, 0, 6, 0, 0)
    assert workspace.store.snapshot().id == snapshot
    (row, *_) = workspace.select("pfm")
    assert row.channels == ("HeightRetrace", "AmplitudeRetrace", "PhaseRetrace")
    assert row.scan_size == pytest.approx(2e-6)


def test_changed_new_and_deleted_files_are_noticed(workspace: Workspace, folder: Path) -> None:
    sync(workspace, "pfm")
    before = {row.record_id: row.id for row in workspace.select("pfm")}
    write_scan(folder / "scan0.ibw", 100, size=20)
    write_scan(folder / "new.ibw", 101)
    (folder / "scan5.ibw").unlink()
    assert counts(workspace) == (6, 1, 1, 4, 1, 0)
    after = {row.record_id: row.id for row in workspace.select("pfm")}
    assert after["pfm:scan0.ibw"] != before["pfm:scan0.ibw"]
    assert "pfm:scan5.ibw" not in after
    assert workspace.record("pfm:scan0.ibw").revision == 2


def test_a_deleted_file_that_returns_is_the_same_measurement(
    workspace: Workspace, folder: Path
) -> None:
    sync(workspace, "pfm")
    before = {row.id for row in workspace.select("pfm")}
    content = (folder / "scan3.ibw").read_bytes()
    (folder / "scan3.ibw").unlink()
    sync(workspace, "pfm")
    (folder / "scan3.ibw").write_bytes(content)
    assert counts(workspace) == (6, 1, 0, 5, 0, 0)
    assert {row.id for row in workspace.select("pfm")} == before


def test_new_metadata_do_not_read_the_file_again(workspace: Workspace, folder: Path) -> None:
    sync(workspace, "pfm")
    length = workspace.store.snapshot().array(workspace.select("pfm")[0].array).shape[0]
    sidecar = folder / "scan1.ibw.json"
    sidecar.write_text(json.dumps({"operator": "xu", "material": "PbTiO3"}))
    assert counts(workspace) == (6, 0, 1, 5, 0, 0)
    (row,) = workspace.select("pfm", 'operator = "xu"')
    assert row.record_id == "pfm:scan1.ibw"
    assert workspace.facets([row.id])[row.id]["mode"]
    assert workspace.store.snapshot().array(row.array).shape[0] == length
    sidecar.write_text(json.dumps({"operator": "agar"}))
    touch_later(sidecar)
    assert counts(workspace) == (6, 0, 1, 5, 0, 0)
    assert workspace.select("pfm", 'operator = "xu" or has material') == []


def test_full_notices_bytes_that_changed_behind_every_fingerprint(
    workspace: Workspace, folder: Path
) -> None:
    sync(workspace, "pfm")
    path = folder / "scan2.ibw"
    stat = path.stat()
    write_scan(path, 102)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert counts(workspace) == (6, 0, 0, 6, 0, 0)
    assert counts(workspace, full=True) == (6, 0, 1, 5, 0, 0)


def test_bad_files_are_quarantined_and_the_rest_is_stored(
    workspace: Workspace, folder: Path
) -> None:
    (folder / "one_byte.ibw").write_bytes(b"\x05")
    (folder / "empty.ibw").write_bytes(b"")
    (folder / "notes.txt").write_text("call the technician\n")
    good = (folder / "scan0.ibw").read_bytes()
    (folder / "truncated.ibw").write_bytes(good[: len(good) // 2])
    (folder / "huge.ibw").write_bytes(with_claimed_size(good, 1_000_000))
    assert counts(workspace) == (11, 6, 0, 0, 0, 5)
    entries = {entry.native_id: entry for entry in workspace.catalog.quarantined("pfm")}
    assert set(entries) == {"one_byte.ibw", "empty.ibw", "notes.txt", "truncated.ibw", "huge.ibw"}
    assert all(entry.reason and "\n" not in entry.reason for entry in entries.values())
    assert entries["one_byte.ibw"].first_bytes == "05"
    assert counts(workspace) == (11, 0, 0, 6, 0, 5)
    assert {entry.attempts for entry in workspace.catalog.quarantined()} == {1}
    assert counts(workspace, retry=True) == (11, 0, 0, 6, 0, 5)
    assert {entry.attempts for entry in workspace.catalog.quarantined()} == {2}
    write_scan(folder / "truncated.ibw", 103)
    (folder / "notes.txt").unlink()
    assert counts(workspace) == (10, 1, 0, 6, 1, 3)


def with_claimed_size(good: bytes, side: int) -> bytes:
    """The same wave with a header that claims `side` × `side` points a plane."""
    head = bytearray(good)
    struct.pack_into("<2i", head, 64 + 68, side, side)
    struct.pack_into("<h", head, 2, 0)
    words = struct.unpack("<192h", bytes(head[:384]))
    struct.pack_into("<H", head, 2, -sum(words) & 0xFFFF)
    return bytes(head)


def test_a_good_record_stays_when_its_file_is_damaged(workspace: Workspace, folder: Path) -> None:
    sync(workspace, "pfm")
    (folder / "scan0.ibw").write_bytes(b"\x05")
    assert counts(workspace) == (6, 0, 0, 5, 0, 1)
    assert counts(workspace) == (6, 0, 0, 5, 0, 1)


def test_identical_files_are_both_kept(workspace: Workspace, folder: Path) -> None:
    (folder / "copy.ibw").write_bytes((folder / "scan0.ibw").read_bytes())
    sync(workspace, "pfm")
    same = [workspace.record(f"pfm:{name}.ibw").raw_sha256 for name in ("scan0", "copy")]
    assert same[0] == same[1]
    assert len(workspace.select("pfm")) == 7


def test_hostile_metadata_is_kept_as_text(workspace: Workspace, folder: Path) -> None:
    (folder / "scan0.ibw.json").write_text(
        '{"operator": "<script>alert(1)</script>", "material": "a\'; drop table records; --",'
        ' "bias": NaN, "gain": -Infinity, "nested": {"deep": [1e999]}}'
    )
    assert counts(workspace) == (6, 6, 0, 0, 0, 0)
    (row,) = workspace.select("pfm", 'operator like "%script%"')
    assert workspace.facets([row.id])[row.id]["material"] == "a'; drop table records; --"
    assert "bias" in workspace.record(row.record_id).metadata
    workspace.reindex()
    assert len(workspace.select("pfm")) == 6


def test_unknown_sources_and_keys_are_named(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match='no source "pmf"; known sources are pfm'):
        sync(workspace, "pmf")
    (workspace.root / "motif.toml").write_text(
        '[sources.pfm]\nkind = "folder"\npth = "x"\ninto = "pfm"\n'
    )
    with Workspace.open(workspace.root) as opened, pytest.raises(ConfigError, match="path"):
        sync(opened, "pfm")


def test_two_ingests_at_once_end_like_one(workspace: Workspace, folder: Path) -> None:
    for number in range(6, 90):
        write_scan(folder / f"scan{number}.ibw", number, size=8)
    both = [start(workspace.root) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    rows = workspace.select("pfm")
    assert len(rows) == len({row.record_id for row in rows}) == 90
    assert len({(row.array, row.row) for row in rows}) == 90
    assert counts(workspace) == (90, 0, 0, 90, 0, 0)


def test_a_run_after_random_kills_ends_in_the_same_state(
    workspace: Workspace, folder: Path, tmp_path: Path
) -> None:
    (folder / "bad.ibw").write_bytes(b"\x05")
    generator = random.Random(7)
    cut_short = 0
    for kill in range(KILLS):
        offered = 6 + 150 * (kill + 1)
        for number in range(offered - 150, offered):
            write_scan(folder / f"scan{number}.ibw", number, size=8)
        process = start(workspace.root)
        _wait_for_work(workspace.root, process)
        time.sleep(generator.uniform(0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with Workspace.open(workspace.root) as opened:
            cut_short += len(opened.catalog.records()) < offered
    assert cut_short > 0, "no kill came before the end of the work"
    process = start(workspace.root)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    reference = tmp_path / "reference"
    Workspace.init(reference).close()
    (reference / "motif.toml").write_text((workspace.root / "motif.toml").read_text())
    with Workspace.open(reference) as undisturbed, Workspace.open(workspace.root) as opened:
        sync(undisturbed, "pfm")
        assert state(opened) == state(undisturbed)


def _wait_for_work(root: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until the process has begun to fetch, however long a busy machine takes."""
    earlier = set((root / "cache").glob("fetch-*"))
    while process.poll() is None and not set((root / "cache").glob("fetch-*")) - earlier:
        time.sleep(0.01)


def start(root: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "motif.core.cli.command_line", "ingest", "pfm", "--json",
         "-w", str(root)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def state(workspace: Workspace) -> dict[str, Any]:
    """Records, measurements, facets and quarantine with their hashes, without times and paths."""
    rows = workspace.select()
    values = {row.id: hash(frame.tobytes()) for row, frame in workspace.frames(rows)}
    with workspace.catalog.reading() as connection:
        ids = dict(
            connection.execute(select(tables.measurements.c.number, tables.measurements.c.id)).all()
        )
        facets = sorted(
            repr((ids[owner], *rest)) for owner, *rest in connection.execute(select(tables.facets))
        )
    return {
        "records": [
            (r.id, r.raw_sha256, r.raw_size, r.fingerprint, r.reader, r.title, r.live)
            for r in workspace.catalog.records()
        ],
        "measurements": [(row.id, row.record_id, row.key, values[row.id]) for row in rows],
        "facets": facets,
        "quarantine": [(q.native_id, q.reason) for q in workspace.catalog.quarantined()],
    }
