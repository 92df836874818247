"""Ingest of real-size scans against the bare work: read with igor2, append to the same store."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from igor2 import binarywave

from motif.core.store import Store
from motif.core.workspace import Workspace
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync import sync

pytestmark = pytest.mark.benchmark

FILES = 300
BATCH = 64
NOTE = [(f"Setting{n}", f"{n * 0.37:g}") for n in range(600)]


def write_scans(folder: Path) -> list[Path]:
    rng = np.random.default_rng(1)
    names = ("HeightRetrace", "AmplitudeRetrace", "DeflectionRetrace", "PhaseRetrace")
    paths = []
    for number in range(FILES):
        planes = {name: rng.normal(size=(256, 256)).astype(np.float32) for name in names}
        paths.append(folder / f"scan{number:03}.ibw")
        write_ibw(paths[-1], planes, size=(2e-6, 2e-6), note=NOTE)
    return paths


def bare(paths: list[Path], folder: Path) -> None:
    store = Store.create(None, folder)
    for start in range(0, len(paths), BATCH):
        frames = [
            np.ascontiguousarray(binarywave.load(path)["wave"]["wData"].T, "<f4")
            for path in paths[start : start + BATCH]
        ]
        transaction = store.transaction()
        transaction.append("frames", np.stack(frames), start)
        transaction.commit({"what": "bench"})


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def test_ingest_against_bare_read_and_append(tmp_path: Path, report: Callable[..., None]) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    paths = write_scans(scans)
    for trial in range(3):
        root = tmp_path / f"lab{trial}"
        Workspace.init(root).close()
        (root / "motif.toml").write_text(
            f'[sources.pfm]\nkind = "folder"\npath = "{scans}"\ninto = "pfm"\n'
        )
        plain = seconds(lambda n=trial: bare(paths, tmp_path / f"bare{n}"))
        with Workspace.open(root) as workspace:
            ours = seconds(lambda w=workspace: sync(w, "pfm"))
            assert len(workspace.select("pfm")) == FILES
            again = seconds(lambda w=workspace: sync(w, "pfm"))
        report(
            "ingest of 256x256x4 .ibw", trial=trial, files_per_s=round(FILES / ours),
            bare_files_per_s=round(FILES / plain), share_of_bare=round(plain / ours, 2),
            unchanged_s=round(again, 3),
        )  # fmt: skip
