"""Ingest of real-size scans against the bare work: read with igor2, append to the same store."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from igor2 import binarywave

from motif.core.config.settings import StoreConfig
from motif.core.store.repository import Store
from motif.core.workspace import Workspace
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.file_transfers import upload
from motif.ingest.datafed.record_documents import RecordDraft
from motif.ingest.sandbox.request_server.sandbox_server import client_options
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync.source_sync import sync

pytestmark = pytest.mark.benchmark

FILES = 500
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
    store = Store.create(StoreConfig(), folder)
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


ENDPOINT = "motif#disk"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Path]:
    """Folder of a sandbox that is a process of its own."""
    folder = tmp_path / "sandbox"
    arguments = ["sandbox", "serve", str(folder), "--port", "0", "--user", "ann:secret"]
    arguments += ["--endpoint", f"{ENDPOINT}={tmp_path}"]
    with subprocess.Popen(
        [sys.executable, "-m", "motif.core.cli.command_line", *arguments],
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.readline().startswith("Motif sandbox serves")
        yield folder
        process.terminate()


def small_scans(folder: Path, first: int, last: int) -> list[Path]:
    """Scans of 64 KiB."""
    paths = []
    for number in range(first, last):
        plane = np.random.default_rng(number).normal(size=(126, 128)).astype(np.float32)
        paths.append(folder / f"{number}.ibw")
        write_ibw(paths[-1], {"HeightRetrace": plane}, size=(2e-6, 2e-6), note=NOTE[:10])
    return paths


def datafed_workspace(root: Path, sandbox: Path, collection: str) -> Workspace:
    port = json.loads((sandbox / "sandbox.json").read_text())["port"]
    Workspace.init(root).close()
    (root / "motif.toml").write_text(
        f'[sources.lab]\nkind = "datafed"\ncollection = "{collection}"\ninto = "pfm"\n'
        f'host = "127.0.0.1"\nport = {port}\nendpoint = "{ENDPOINT}"\n'
        f'server_key = "{sandbox}/datafed-core-key.pub"\n'
        f'public_key = "{sandbox}/ann.pub"\nprivate_key = "{sandbox}/ann.priv"\n'
    )
    return Workspace.open(root)


def test_new_datafed_records_end_to_end(
    sandbox: Path, tmp_path: Path, report: Callable[..., None]
) -> None:
    """1,000 new scans of 64 KiB: listed, exported, fetched, hashed, read and stored."""
    state = json.loads((sandbox / "sandbox.json").read_text())
    options = client_options(sandbox, "ann", state["host"], state["port"], ENDPOINT)
    files = tmp_path / "files"
    files.mkdir()
    with DataFed(Connection.from_client_options(options, "ann")) as client:
        collection = client.ensure_collection(["lab"])

        def add(first: int, last: int) -> None:
            drafts = [RecordDraft(f"{n}", {"material": "PbTiO3"}) for n in range(first, last)]
            ids = [record["id"] for record in client.create_records(drafts, collection)]
            pairs = list(zip(ids, small_scans(files, first, last), strict=True))
            assert all(failure is None for _, _, failure in upload(client, pairs))

        add(0, 20)
        labs = [datafed_workspace(tmp_path / f"w{n}", sandbox, collection) for n in range(3)]
        for workspace in labs:  # libraries are loaded, the collection is known
            sync(workspace, "lab")
        add(20, 1020)
    scans = sorted(files.glob("*.ibw"))
    for trial, workspace in enumerate(labs):
        plain = seconds(lambda n=trial: bare(scans[20:], tmp_path / f"bare{n}"))
        work = time.process_time()
        ours = seconds(lambda w=workspace: sync(w, "lab"))
        work = time.process_time() - work
        assert len(workspace.select("pfm")) == 1020
        again = seconds(lambda w=workspace: sync(w, "lab"))
        workspace.close()
        report(
            "1,000 new DataFed records of 64 KiB", trial=trial, seconds=round(ours, 2),
            cpu_s=round(work, 2), times_bare_local=round(ours / plain, 1),
            unchanged_s=round(again, 2),
        )  # fmt: skip
        assert min(ours, work) <= 3.0, "of the processor where others use the machine too"
