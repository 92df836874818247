"""Many cycles of a busy collection over a bad network, ending in exactly the state expected.

The server is a process of its own that is killed and started again; late, lost and doubled
replies, failing and stuck transfers come over the real wire while its owner goes on working.
"""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motif.core.errors import SourceError
from motif.core.jobs.progress import Progress
from motif.core.store.integrity import check_workspace
from motif.core.workspace import Workspace
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.file_transfers import upload
from motif.ingest.datafed.record_documents import RecordDraft
from motif.ingest.sandbox.request_server.control import turn
from motif.ingest.sandbox.request_server.sandbox_server import client_options
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync.source_sync import sync

SANDBOX = [sys.executable, "-m", "motif.ingest.sandbox.commands"]
FAULTS = (
    "drop-reply", "repeat-reply", "delay-reply 1.4", "delay-reply 0.2", "fail-transfer",
    "hold-transfers", "search-lag 0.3",
)  # fmt: skip


class Server:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.process: subprocess.Popen[str]
        self.start()

    def start(self) -> None:
        words = ["serve", str(self.folder), "--port", str(self.port), "--user", "ann:secret"]
        self.process = subprocess.Popen(
            [*SANDBOX, *words, "--endpoint", f"motif#disk={self.folder.parent}"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout
        assert self.process.stdout.readline().startswith("Motif sandbox serves")

    def fault(self, line: str) -> None:
        knob, _, value = line.partition(" ")
        turn(self.folder, knob, value)

    def calm(self) -> None:
        """Forget the faults that nothing has met."""
        self.fault("clear")

    def restart(self) -> None:
        self.kill()
        self.start()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


class Owner:
    """Who works in the collection, between the faults."""

    def __init__(self, client: DataFed, folder: Path, chance: random.Random) -> None:
        self.client = client
        self.collection = client.ensure_collection(["lab"])
        self.other = client.ensure_collection(["sub"], self.collection)
        self._folder = folder
        self._chance = chance
        self._count = 0
        self._moved: set[str] = set()
        self.records: list[str] = []

    def work(self) -> None:
        acts = [self.add, self.add, self.describe, self.rewrite, self.remove, self.mark, self.move]
        for act in self._chance.choices(acts, k=4):
            if self.records or act == self.add:
                act()

    def add(self) -> None:
        self._count += 1
        drafts = [RecordDraft(f"scan {self._count}-{n}", {"n": n}) for n in range(3)]
        created = [record["id"] for record in self.client.create_records(drafts, self.collection)]
        self.send(created)
        self.records += created

    def send(self, records: list[str]) -> None:
        """Files of a size there was never before: equal sizes are invisible in DataFed."""
        pairs = []
        for record in records:
            self._count += 1
            path = self._folder / f"{self._count}.ibw"
            plane = np.full((8, 8), float(self._count), np.float32)
            note = [("ScanSize", "2e-06"), ("ImageNote", "x" * self._count)]
            write_ibw(path, {"HeightRetrace": plane}, size=(2e-6, 2e-6), note=note)
            if self._count % 7 == 0:
                path.write_bytes(b"\x05" * self._count)
            pairs.append((record, path))
        assert all(failure is None for _, _, failure in upload(self.client, pairs))

    def describe(self) -> None:
        self._count += 1
        metadata = {"n": self._count, "operator": f"person {self._count % 3}"}
        self.client.update_record(self._chance.choice(self.records), metadata=metadata)

    def rewrite(self) -> None:
        self.send([self._chance.choice(self.records)])

    def remove(self) -> None:
        gone = self.records.pop(self._chance.randrange(len(self.records)))
        self.client.delete_records([gone])

    def mark(self) -> None:
        tags = self._chance.choice([["error"], ["good"], []])
        self.client.update_record(self._chance.choice(self.records), tags=tags)

    def move(self) -> None:
        record = self._chance.choice(self.records)
        change = self.client.unlink if record in self._moved else self.client.link
        change(self.other, [record])
        self._moved ^= {record}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "sandbox")
    yield running
    running.kill()


def workspace_at(root: Path, server: Server, collection: str) -> Workspace:
    Workspace.init(root).close()
    (root / "motif.toml").write_text(f"""
[sources.lab]
kind = "datafed"
collection = "{collection}"
into = "pfm"
host = "127.0.0.1"
port = {server.port}
server_key = "{server.folder}/datafed-core-key.pub"
public_key = "{server.folder}/ann.pub"
private_key = "{server.folder}/ann.priv"
endpoint = "motif#disk"
timeout = 1.0
transfer_timeout = 3.0
""")
    return Workspace.open(root)


def lasting(origin: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in origin.items() if key != "updated"}


def state(workspace: Workspace) -> dict[str, Any]:
    """Everything a workspace says of its source, without times and places in arrays.

    An update that leaves a record as it was moves its time ``updated`` and nothing else.
    """
    rows = workspace.select()
    return {
        "records": [
            (r.id, r.title, r.fingerprint, r.raw_sha256, dict(r.metadata), lasting(r.origin))
            for r in workspace.catalog.records()
        ],
        "values": {row.id: frame.tobytes() for row, frame in workspace.frames(rows)},
        "facets": workspace.facets([row.id for row in rows]),
        "quarantine": [(q.native_id, q.reason) for q in workspace.catalog.quarantined()],
        "marked": workspace.marked_records().keys() & {r.id for r in workspace.catalog.records()},
    }


def disturb(server: Server, chance: random.Random) -> threading.Timer:
    """Faults for the next sync, and with one chance in three the death of the server in it."""
    for line in chance.choices(FAULTS, k=chance.randint(0, 3)):
        server.fault(line)
    if chance.random() < 0.34:
        return threading.Timer(chance.uniform(0, 0.5), server.restart)
    return threading.Timer(0.4, server.fault, ["release-transfers"])


def soak(
    server: Server, tmp_path: Path, cycles: int, seconds: float = inf, seed: int = 20211008
) -> tuple[int, int]:
    """Cycles done and syncs that failed; the state at the end is compared."""
    chance = random.Random(seed)
    options = client_options(server.folder, "ann", "127.0.0.1", server.port, "motif#disk")
    connection = replace(Connection.from_client_options(options, "ann"), timeout=10.0)
    with DataFed(connection) as client:
        owner = Owner(client, tmp_path, chance)
    failed = done = 0
    end = time.monotonic() + seconds
    with workspace_at(tmp_path / "w", server, owner.collection) as workspace:
        while done < cycles and time.monotonic() < end:
            with DataFed(connection) as owner.client:
                owner.work()
            fault = disturb(server, chance)
            fault.start()
            try:
                sync(workspace, "lab")
            except SourceError:
                failed += 1
            fault.join()
            if chance.random() < 0.3:  # faults left over meet the next sync, without news
                with suppress(SourceError):
                    sync(workspace, "lab")
            server.calm()
            done += 1
        sync(workspace, "lab", retry=True)
        with workspace_at(tmp_path / "calm", server, owner.collection) as calm:
            sync(calm, "lab")
            expected = state(calm)
        assert state(workspace) == expected
        assert len(expected["records"]) + len(expected["quarantine"]) == len(owner.records)
        assert check_workspace(workspace, Progress("check", quiet=True)) == []
        assert sync(workspace, "lab").new == 0
        assert list(workspace.cache.glob("fetch-*")) == []
    return done, failed


def test_an_hour_of_faults_in_seconds(server: Server, tmp_path: Path) -> None:
    done, failed = soak(server, tmp_path, cycles=40, seconds=7)
    assert done >= 3
    assert failed < done


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("cycles", "seed"), [(300, 20211008), (120, 11), (180, 12)])
def test_a_day_of_faults_in_minutes(
    server: Server,
    tmp_path: Path,
    cycles: int,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    start = time.monotonic()
    done, failed = soak(server, tmp_path, cycles, seed=seed)
    record_property("cycles", done)
    record_property("failed syncs", failed)
    record_property("seconds", round(time.monotonic() - start))
    assert done == cycles
