"""The server is a real process that dies and comes back."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from motif.core.testing.source_tests import Memory, fetched
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.datafed_errors import LostReplyError
from motif.ingest.datafed.datafed_source import DataFedSource
from motif.ingest.datafed.file_transfers import upload
from motif.ingest.datafed.record_documents import RecordDraft
from motif.ingest.sandbox.request_server.sandbox_server import client_options

ENDPOINT = "motif#disk"
SERVE = """
import sys, threading
from pathlib import Path
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox

folder, port = Path(sys.argv[1]), int(sys.argv[2])
endpoints = {"motif#disk": folder.parent}
with Sandbox(folder, port=port, endpoints=endpoints, users=["ann:secret"]):
    print("ready", flush=True)
    threading.Event().wait()
"""


class Server:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self.folder), str(self.port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            assert self.process.stdout
            self.process.stdout.close()
            self.process = None

    def connection(self) -> Connection:
        options = client_options(self.folder, "ann", "127.0.0.1", self.port, ENDPOINT)
        return replace(Connection.from_client_options(options, "ann"), timeout=20.0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "sandbox")
    running.start()
    yield running
    running.kill()


def test_listing_and_fetching_continue_after_a_kill(server: Server, tmp_path: Path) -> None:
    connection = server.connection()
    with DataFed(connection) as client:
        collection = client.ensure_collection(["lab"])
        created = client.create_records(
            [RecordDraft(f"{i}", {"n": i}) for i in range(300)], collection
        )
        pairs = []
        for i, record in enumerate(created[:30]):
            path = tmp_path / f"{i}.bin"
            path.write_bytes(bytes([i]) * 1000)
            pairs.append((record["id"], path))
        assert all(failure is None for _, _, failure in upload(client, pairs))
    source = DataFedSource("lab", connection, collection)
    memory = Memory(source)
    changes = source.changes({}, "")
    described = iter(changes.changed)
    assets = [next(described) for _ in range(10)]
    server.kill()
    restart = threading.Timer(0.3, server.start)
    restart.start()
    assets += described
    assert {asset.native_id for asset in assets} == {record["id"] for record in created}
    restart.join()
    server.kill()
    restart = threading.Timer(0.3, server.start)
    restart.start()
    with_raw = [asset for asset in assets if asset.raw_fingerprint]
    try:
        contents = fetched(source, with_raw, tmp_path / "in")
    except LostReplyError:
        restart.join()
        contents = fetched(source, with_raw, tmp_path / "in")
    assert contents == {record_id: path.read_bytes() for record_id, path in pairs}
    assert memory.sync()[0].seen == 300
    source.close()
    restart.join()


def test_a_server_that_stays_away_is_reported(server: Server) -> None:
    with DataFed(replace(server.connection(), timeout=0.5)) as client:
        client.collection("root")
        server.kill()
        start = time.monotonic()
        with pytest.raises(LostReplyError, match=f"127.0.0.1:{server.port}"):
            client.collection("root")
        assert time.monotonic() - start < 6
        server.start()
        assert client.collection("root")["id"] == "c/u_ann_root"


@pytest.mark.benchmark
def test_more_calls_than_context_numbers(server: Server) -> None:
    with DataFed(server.connection()) as client:
        for _ in range(70_001):
            client.session.request("GetAuthStatusRequest")
        assert client.collection("root")["id"] == "c/u_ann_root"
