"""An ingest that is killed in the middle of transfers ends, run again, where a calm one ends."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.core.workspace import Workspace
from motif.ingest.datafed.file_transfers import upload
from motif.ingest.datafed.record_documents import RecordDraft
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync.source_sync import sync

if TYPE_CHECKING:
    from conftest import DataFedLab  # type: ignore[import-not-found]

KILLS = 5
OFFERED = 160
"""New records before each kill: more than one batch."""


def workspace_at(root: Path, lab: DataFedLab) -> Workspace:
    keys = lab.sandbox.folder
    Workspace.init(root).close()
    (root / "motif.toml").write_text(
        f'[sources.lab]\nkind = "datafed"\ncollection = "{lab.collection}"\ninto = "pfm"\n'
        f'host = "127.0.0.1"\nport = {lab.sandbox.port}\nendpoint = "motif#disk"\n'
        f'server_key = "{keys}/datafed-core-key.pub"\n'
        f'public_key = "{keys}/ann.pub"\nprivate_key = "{keys}/ann.priv"\n'
    )
    return Workspace.open(root)


def offer(lab: DataFedLab, first: int) -> None:
    drafts = [RecordDraft(f"scan {n}", {"n": n}) for n in range(first, first + OFFERED)]
    made = lab.client.create_records(drafts, lab.collection)
    pairs = [(one["id"], lab.folder / f"{n}.ibw") for n, one in enumerate(made, first)]
    for number, (_, path) in enumerate(pairs, first):
        plane = np.full((8, 8), float(number), np.float32)
        write_ibw(path, {"HeightRetrace": plane}, size=(2e-6, 2e-6), note=[("ScanSize", "2e-06")])
    assert all(failure is None for _, _, failure in upload(lab.client, pairs))


def start(root: Path) -> subprocess.Popen[str]:
    words = ["-m", "motif.core.cli.command_line", "ingest", "lab", "--json", "-w", str(root)]
    return subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def state(workspace: Workspace) -> dict[str, Any]:
    rows = workspace.select()
    return {
        "records": [
            (r.id, r.fingerprint, r.raw_sha256, r.reader) for r in workspace.catalog.records()
        ],
        "values": {row.id: frame.tobytes() for row, frame in workspace.frames(rows)},
        "facets": workspace.facets([row.id for row in rows]),
    }


def test_killed_in_the_middle_of_transfers(lab: DataFedLab, tmp_path: Path) -> None:
    chance = random.Random(5)
    lab.sandbox.faults.transfer_delay = 0.05
    root = tmp_path / "w"
    workspace_at(root, lab).close()
    cut_short = 0
    for kill in range(KILLS):
        offer(lab, kill * OFFERED)
        left = set((root / "cache").glob("fetch-*"))
        with start(root) as process:
            try:
                until(lambda before=left: set((root / "cache").glob("fetch-*")) - before)
                time.sleep(chance.uniform(0, 0.5))
            finally:
                process.kill()
        with Workspace.open(root) as opened:
            cut_short += len(opened.catalog.records()) < (kill + 1) * OFFERED
    assert cut_short > 0, "no kill fell before the end of the work"
    with start(root) as process:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert list((root / "cache").glob("fetch-*")) == [], "nor is anything left of the killed ones"
    with workspace_at(tmp_path / "calm", lab) as calm, Workspace.open(root) as opened:
        assert sync(calm, "lab").new == KILLS * OFFERED
        assert state(opened) == state(calm)
