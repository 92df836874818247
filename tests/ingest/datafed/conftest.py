"""A sandbox on loopback, and a lab on it as its owner handles it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.datafed_source import DataFedSource
from motif.ingest.datafed.file_transfers import upload
from motif.ingest.datafed.record_documents import RecordDraft
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox

ENDPOINT = "motif#disk"


class DataFedLab:
    """A collection that the tests fill through the client."""

    def __init__(self, sandbox: Sandbox, connection: Connection, folder: Path) -> None:
        self.sandbox = sandbox
        self.connection = connection
        self.client = DataFed(connection)
        self.folder = folder
        self.folder.mkdir()
        self.collection = self.client.ensure_collection(["lab"])
        self._sources: list[DataFedSource] = []
        self._files = 0

    def source(self) -> DataFedSource:
        source = DataFedSource("lab", self.connection, self.collection)
        self._sources.append(source)
        return source

    def unreachable(self) -> DataFedSource:
        source = DataFedSource("lab", self.connection, "c/999999999")
        self._sources.append(source)
        return source

    def add(self, name: str, data: bytes, metadata: Mapping[str, Any], collection: str = "") -> str:
        record = self.client.create_record(
            RecordDraft(name.replace("/", " "), metadata), collection or self.collection
        )
        self.put(record["id"], name, data)
        return str(record["id"])

    def put(self, native_id: str, name: str, data: bytes) -> None:
        self._files += 1
        path = self.folder / str(self._files) / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        for _, _, failure in upload(self.client, [(native_id, path)]):
            assert failure is None

    def describe(self, native_id: str, metadata: Mapping[str, Any]) -> None:
        self.client.update_record(native_id, metadata=metadata, replace_metadata=True)

    def rewrite(self, native_id: str, data: bytes) -> None:
        self.put(native_id, "a.ibw", data)

    def swap(self, native_id: str, data: bytes) -> None:
        """Replace the raw data in the repository itself, without the server's knowledge."""
        (path,) = (
            path
            for path in (self.sandbox.folder / "repo").rglob(native_id.partition("/")[2])
            if path.is_file()
        )
        assert path.stat().st_size == len(data)
        path.write_bytes(data)

    def remove(self, native_id: str) -> None:
        self.client.delete_records([native_id])

    def close(self) -> None:
        for source in self._sources:
            source.close()
        self.client.close()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    folder = tmp_path / "sandbox"
    users = ["ann:secret", "bob:secret"]
    with Sandbox(folder, port=0, endpoints={ENDPOINT: tmp_path}, users=users) as running:
        yield running


@pytest.fixture
def connection(sandbox: Sandbox) -> Connection:
    options = sandbox.client_options("ann")
    return replace(Connection.from_client_options(options, "ann"), timeout=5.0)


@pytest.fixture
def lab(sandbox: Sandbox, connection: Connection, tmp_path: Path) -> Iterator[DataFedLab]:
    opened = DataFedLab(sandbox, connection, tmp_path / "files")
    yield opened
    opened.close()
