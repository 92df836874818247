"""Several servers, repositories and folders as one source."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motif.core.contracts import Source
from motif.core.errors import ConfigError, SourceError
from motif.core.testing.source_tests import Memory, SourceTests
from motif.core.workspace import Workspace
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.datafed_source import DataFedSource
from motif.ingest.datafed.file_transfers import upload
from motif.ingest.datafed.record_documents import RecordDraft
from motif.ingest.federation.federation_source import FederationSource, from_options
from motif.ingest.folder.folder_source import FolderSource
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync.source_sync import sync

ENDPOINT = "motif#disk"


class ServerLab:
    """One collection of one server."""

    def __init__(self, sandbox: Sandbox, files: Path) -> None:
        self.sandbox = sandbox
        options = sandbox.client_options("ann")
        self.connection = replace(Connection.from_client_options(options, "ann"), timeout=5.0)
        self.client = DataFed(self.connection)
        self.collection = self.client.ensure_collection(["lab"])
        self._files = files
        self._count = 0

    def source(self) -> Source:
        return DataFedSource("x", self.connection, self.collection)

    def add(self, name: str, data: bytes, metadata: Mapping[str, Any]) -> str:
        record = self.client.create_record(
            RecordDraft(name.replace("/", " "), metadata), self.collection
        )["id"]
        self.put(record, name, data)
        return str(record)

    def put(self, native_id: str, name: str, data: bytes) -> None:
        self._count += 1
        path = self._files / str(self._count) / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        assert [failure for _, _, failure in upload(self.client, [(native_id, path)])] == [None]

    def describe(self, native_id: str, metadata: Mapping[str, Any]) -> None:
        self.client.update_record(native_id, metadata=metadata, replace_metadata=True)

    def rewrite(self, native_id: str, data: bytes) -> None:
        self.put(native_id, "a.ibw", data)

    def swap(self, native_id: str, data: bytes) -> None:
        paths = (self.sandbox.folder / "repo").rglob(native_id.partition("/")[2])
        next(path for path in paths if path.is_file()).write_bytes(data)

    def remove(self, native_id: str) -> None:
        self.client.delete_records([native_id])


class FolderLab:
    """A folder as a member next to the servers."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def source(self) -> Source:
        return FolderSource("x", self.root)

    def add(self, name: str, data: bytes, metadata: Mapping[str, Any]) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if metadata:
            self.describe(name, metadata)
        return name

    def describe(self, native_id: str, metadata: Mapping[str, Any]) -> None:
        sidecar = self.root / f"{native_id}.json"
        before = sidecar.stat().st_mtime_ns if sidecar.exists() else 0
        sidecar.write_text(json.dumps(metadata))
        os.utime(sidecar, ns=(before + 10**9, before + 10**9))

    def rewrite(self, native_id: str, data: bytes) -> None:
        (self.root / native_id).write_bytes(data)

    def swap(self, native_id: str, data: bytes) -> None:
        stat = (self.root / native_id).stat()
        (self.root / native_id).write_bytes(data)
        os.utime(self.root / native_id, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def remove(self, native_id: str) -> None:
        (self.root / native_id).unlink()
        (self.root / f"{native_id}.json").unlink(missing_ok=True)


class FederationLab:
    """Two servers and a folder, filled in turn."""

    def __init__(self, labs: dict[str, Any]) -> None:
        self.labs = labs
        self._turn = 0
        self._sources: list[Source] = []

    def source(self) -> FederationSource:
        made = FederationSource("all", {name: lab.source() for name, lab in self.labs.items()})
        self._sources.append(made)
        return made

    def unreachable(self) -> FederationSource:
        return FederationSource("all", {"gone": FolderSource("gone", Path("/nowhere/at/all"))})

    def add(self, name: str, data: bytes, metadata: Mapping[str, Any]) -> str:
        member = list(self.labs)[self._turn % len(self.labs)]
        self._turn += 1
        return f"{member}/{self.labs[member].add(name, data, metadata)}"

    def __getattr__(self, what: str) -> Callable[..., None]:
        if what not in ("describe", "rewrite", "swap", "remove"):
            raise AttributeError(what)

        def act(native_id: str, *arguments: Any) -> None:
            member, _, inner = native_id.partition("/")
            getattr(self.labs[member], what)(inner, *arguments)

        return act

    def close(self) -> None:
        for source in self._sources:
            source.close()
        for lab in self.labs.values():
            if isinstance(lab, ServerLab):
                lab.client.close()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, Sandbox]]:
    running = {}
    try:
        for name in ("a", "b"):
            users = ["ann:secret", "boss:secret:admin"]
            endpoints = {ENDPOINT: tmp_path}
            running[name] = Sandbox(tmp_path / f"server {name}", endpoints=endpoints, users=users)
            running[name].start()
        yield running
    finally:
        for server in running.values():
            server.stop()


@pytest.fixture
def lab(servers: dict[str, Sandbox], tmp_path: Path) -> Iterator[FederationLab]:
    labs: dict[str, Any] = {n: ServerLab(s, tmp_path / f"files {n}") for n, s in servers.items()}
    made = FederationLab({**labs, "files": FolderLab(tmp_path / "folder")})
    yield made
    made.close()


class TestFederationContract(SourceTests):
    @pytest.fixture
    def lab(self, lab: FederationLab) -> FederationLab:
        return lab


def second_repository(server: Sandbox, user: str) -> None:
    options = server.client_options("boss")
    with DataFed(Connection.from_client_options(options, "boss")) as boss:
        boss.session.api.repoCreate(
            "two", "Two", "", "", 10**9, "key", "address", "ep#two", "/data/two", "", ["u/boss"]
        )
        boss.session.api.repoAllocationCreate("two", user, 10**9, 100)


def test_each_record_states_its_origin(lab: FederationLab, servers: dict[str, Sandbox]) -> None:
    second_repository(servers["b"], "u/ann")
    first = lab.labs["a"].add("a.ibw", b"alpha", {})
    second = lab.labs["b"].add("b.ibw", b"beta", {})
    lab.labs["files"].add("c.ibw", b"gamma", {})
    elsewhere = lab.labs["b"].client.request(
        "RecordCreateRequest",
        title="far",
        parent_id=lab.labs["b"].collection,
        repo_id="repo/two",
    )["data"][0]["id"]
    assets = {asset.native_id: asset.origin for asset in lab.source().changes({}, "").changed}
    origins = {
        name: (origin["member"], origin.get("server"), origin.get("repository"))
        for name, origin in assets.items()
    }
    server = {name: lab.labs[name].connection.server for name in servers}
    assert origins == {
        f"a/{first}": ("a", server["a"], "repo/sandbox"),
        f"b/{second}": ("b", server["b"], "repo/sandbox"),
        f"b/{elsewhere}": ("b", server["b"], "repo/two"),
        "files/c.ibw": ("files", None, None),
    }
    assert assets[f"a/{first}"]["native_id"] == first


def test_equal_ids_on_two_servers_are_two_records(lab: FederationLab, tmp_path: Path) -> None:
    ids = {lab.labs[name].add("x.ibw", name.encode() * 3, {}) for name in ("a", "b")}
    assert len(ids) == 1
    source = lab.source()
    assets = list(source.changes({}, "").changed)
    got = {asset.native_id[:1]: path for asset, path in source.fetch(assets, tmp_path / "in")}
    assert {name: path.read_bytes() for name, path in got.items()} == {"a": b"aaa", "b": b"bbb"}


def test_a_server_that_is_away_does_not_affect_the_others(
    lab: FederationLab, servers: dict[str, Sandbox]
) -> None:
    stays = lab.labs["a"].add("a.ibw", b"alpha", {})
    lab.labs["b"].add("b.ibw", b"beta", {})
    memory = Memory(lab.source())
    memory.sync()
    port = servers["b"].port
    memory.source.close()
    lab.labs["b"].client.close()
    servers["b"].stop()
    new = lab.labs["files"].add("c.ibw", b"gamma", {})
    lab.labs["a"].remove(stays)
    memory.source = lab.source()
    changes, assets = memory.sync()
    assert [asset.native_id for asset in assets] == [f"files/{new}"]
    assert list(changes.deleted) == [f"a/{stays}"]
    assert changes.seen == 2
    (sentence,) = changes.failures
    assert sentence.startswith("Member b: ")
    assert str(port) in sentence


def test_a_member_that_is_not_a_longer_declared_is_deleted(lab: FederationLab) -> None:
    lab.labs["a"].add("a.ibw", b"alpha", {})
    gone = lab.labs["files"].add("c.ibw", b"gamma", {})
    memory = Memory(lab.source())
    memory.sync()
    memory.source = FederationSource("all", {"a": lab.labs["a"].source()})
    assert list(memory.sync()[0].deleted) == [f"files/{gone}"]
    memory.source.close()


def scan(seed: int, path: Path) -> bytes:
    planes = {"HeightRetrace": np.full((8, 8), float(seed), np.float32)}
    write_ibw(path, planes, size=(2e-6, 2e-6), note=[("ScanSize", "2e-06")])
    return path.read_bytes()


def test_two_servers_and_a_folder_in_one_workspace(lab: FederationLab, tmp_path: Path) -> None:
    Workspace.init(tmp_path / "lab").close()
    tables = []
    for name in ("a", "b"):
        server = lab.labs[name]
        folder = server.sandbox.folder
        tables.append(f"""
[sources.{name}]
kind = "datafed"
into = "{name}"
collection = "{server.collection}"
host = "127.0.0.1"
port = {server.sandbox.port}
server_key = "{folder}/datafed-core-key.pub"
public_key = "{folder}/ann.pub"
private_key = "{folder}/ann.priv"
endpoint = "{ENDPOINT}"
""")
    (tmp_path / "lab" / "motif.toml").write_text(
        "".join(tables)
        + '[sources.all]\nkind = "federation"\ninto = "pfm"\n'
        + 'members = ["a", "b", {name = "files", kind = "folder", path = "../folder"}]\n'
    )
    for seed, name in enumerate(lab.labs):
        lab.labs[name].add("s.ibw", scan(seed, tmp_path / "s.ibw"), {})
    with Workspace.open(tmp_path / "lab") as workspace:
        source = from_options("all", workspace.config.sources["all"].options, workspace.root)
        members = {a.origin["member"] for a in source.changes({}, "").changed}
        assert members == {"a", "b", "files"}
        source.close()
        kinds = {"federation": from_options}
        with pytest.MonkeyPatch.context() as patched:
            original = __import__("motif.core.plugins", fromlist=["source"]).source
            patched.setattr(
                "motif.core.plugins.source",
                lambda kind, *rest: kinds.get(kind, lambda *r: original(kind, *r))(*rest),
            )
            done = sync(workspace, "all")
            assert (done.seen, done.new, done.quarantined) == (3, 3, 0)
            again = sync(workspace, "all")
            assert (again.unchanged, again.new) == (3, 0)
            lab.labs["a"].client.close()
            lab.labs["a"].sandbox.stop()
            lab.labs["b"].add("t.ibw", scan(7, tmp_path / "t.ibw"), {})
            with pytest.raises(SourceError, match=r"Member a: .* everything else is stored"):
                sync(workspace, "all")
        assert len(workspace.select("pfm")) == 4
        (row,) = [r for r in workspace.catalog.records("all") if r.origin["member"] == "files"]
        assert row.id == "all:files/s.ibw"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "members"),
        (["nobody"], "does not declare"),
        ([{"kind": "folder", "path": "x"}], "needs a `name`"),
        ([{"name": "a/b", "kind": "folder", "path": "x"}], "needs a `name`"),
        ([{"name": "x", "kind": "federation", "members": []}], "list its members instead"),
        ([{"name": "x", "kind": "folder", "path": "x"}] * 2, "two members"),
        ([{"name": "x", "kind": "folder", "path": "x", "pth": "x"}], "Unknown key `pth`"),
        ([{"name": "x", "kind": "tape"}], r"no source( kind)? \"tape\"; known"),
    ],
)
def test_wrong_members_are_named(tmp_path: Path, members: list[Any], message: str) -> None:
    (tmp_path / "motif.toml").write_text("")
    with pytest.raises(ConfigError, match=message):
        from_options("all", {"members": members}, tmp_path)
