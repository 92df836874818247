"""The change feed of a DataFed collection."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from motif.core.contracts import SyncState
from motif.core.errors import SourceError
from motif.core.testing.source_tests import Memory, SourceTests, fetched
from motif.ingest.datafed import client as client_module
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.datafed_source import DataFedSource
from motif.ingest.datafed.metadata_json import from_json
from motif.ingest.datafed.record_documents import RecordDraft
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox

if TYPE_CHECKING:
    from conftest import DataFedLab  # type: ignore[import-not-found]


class TestDataFedContract(SourceTests):
    @pytest.fixture
    def lab(self, lab: DataFedLab) -> DataFedLab:
        return lab


@pytest.fixture
def memory(lab: DataFedLab) -> Memory:
    return Memory(lab.source())


def ids(memory: Memory) -> set[str]:
    return {asset.native_id for asset in memory.sync()[1]}


def test_a_record_states_its_origin(lab: DataFedLab, memory: Memory) -> None:
    base = lab.add("base.ibw", b"base", {})
    record = lab.client.create_record(
        RecordDraft("map", {"n": 1}, "mapped", ["pfm"], "my-map", [("der", base)]), lab.collection
    )
    lab.put(record["id"], "map.ibw", b"map")
    asset = next(a for a in memory.look()[1] if a.native_id == record["id"])
    assert asset.title == "map"
    assert asset.file_name == "map.ibw"
    assert asset.metadata == {"n": 1}
    assert asset.origin["server"] == lab.connection.server
    assert asset.origin["description"] == "mapped"
    assert asset.origin["tags"] == ["pfm"]
    assert asset.origin["alias"] == "my-map"
    assert asset.origin["owner"] == "u/ann"
    assert asset.origin["parents"] == [lab.collection]
    assert asset.origin["dependencies"] == [{"id": base, "type": "der"}]


def test_below_sub_collections_and_linked_twice(lab: DataFedLab, memory: Memory) -> None:
    deep = lab.client.ensure_collection(["one", "two"], lab.collection)
    other = lab.client.ensure_collection(["other"], lab.collection)
    record = lab.add("a.ibw", b"alpha", {}, deep)
    lab.client.link(other, [record])
    changes, (asset,) = memory.sync()
    assert changes.seen == 1
    assert asset.native_id == record
    assert asset.origin["parents"] == sorted([deep, other])
    flat = DataFedSource("flat", lab.connection, lab.collection, recursive=False)
    assert flat.changes({}, "").seen == 0
    flat.close()


def test_old_records_linked_and_unlinked(lab: DataFedLab, memory: Memory) -> None:
    elsewhere = lab.client.ensure_collection(["elsewhere"])
    lab.add("a.ibw", b"alpha", {})
    old = lab.add("old.ibw", b"old", {}, elsewhere)
    memory.sync()
    lab.client.link(lab.collection, [old])
    assert ids(memory) == {old}
    lab.client.unlink(lab.collection, [old])
    assert list(memory.sync()[0].deleted) == [old]


def test_moving_changes_the_metadata_only(lab: DataFedLab, memory: Memory) -> None:
    record = lab.add("a.ibw", b"alpha", {})
    memory.sync()
    raw = memory.known[record].raw_fingerprint
    sub = lab.client.ensure_collection(["sub"], lab.collection)
    lab.client.link(sub, [record])
    lab.client.unlink(lab.collection, [record])
    (asset,) = memory.sync()[1]
    assert asset.origin["parents"] == [sub]
    assert asset.raw_fingerprint == raw
    assert memory.sync()[1] == []


def test_dependencies_and_tags_are_changes(lab: DataFedLab, memory: Memory) -> None:
    first = lab.add("a.ibw", b"alpha", {})
    second = lab.add("b.ibw", b"beta", {})
    memory.sync()
    lab.client.update_record(second, add_dependencies=[("ver", first)])
    assert ids(memory) == {second}
    lab.client.update_record(second, tags=["broken"])
    assert ids(memory) == {second}
    lab.client.update_record(first, title="other")
    assert ids(memory) == {first}


def test_a_search_that_lags_misses_nothing(
    sandbox: Sandbox, lab: DataFedLab, memory: Memory
) -> None:
    record = lab.add("a.ibw", b"alpha", {"n": 1})
    sandbox.faults.search_lag = 0.4
    ids(memory)
    lab.describe(record, {"n": 2})
    ids(memory)
    time.sleep(0.5)
    ids(memory)
    sandbox.faults.search_lag = 0.0
    (asset,) = memory.look(full=True)[1]
    assert memory.known[record].fingerprint == asset.fingerprint


@pytest.mark.parametrize("offset", [-3 * 3600, 3 * 3600])
def test_the_clock_of_this_machine_does_not_matter(
    sandbox: Sandbox, lab: DataFedLab, memory: Memory, offset: float
) -> None:
    sandbox.faults.clock_offset = offset
    record = lab.add("a.ibw", b"alpha", {"n": 1})
    memory.sync()
    lab.describe(record, {"n": 2})
    assert ids(memory) == {record}


def test_records_without_raw_data(lab: DataFedLab, memory: Memory, tmp_path: Path) -> None:
    record = lab.client.create_record(RecordDraft("notes", {"n": 1}), lab.collection)["id"]
    (asset,) = memory.sync()[1]
    assert (asset.raw_fingerprint, asset.size, asset.metadata) == ("", 0, {"n": 1})
    ((_, failure),) = memory.source.fetch([asset], tmp_path / "in")
    assert isinstance(failure, SourceError)
    lab.put(record, "late.ibw", b"late")
    (asset,) = memory.sync()[1]
    assert asset.raw_fingerprint
    assert fetched(memory.source, [asset], tmp_path / "in") == {record: b"late"}


def test_external_data_are_described_not_fetched(lab: DataFedLab, memory: Memory) -> None:
    lab.client.request(
        "RecordCreateRequest",
        title="far away",
        parent_id=lab.collection,
        external=True,
        source="elsewhere#disk/data/x.ibw",
    )
    (asset,) = memory.look()[1]
    assert (asset.raw_fingerprint, asset.size) == ("", 0)
    assert asset.origin["external"] is True
    assert asset.origin["source"] == "elsewhere#disk/data/x.ibw"


def test_numbers_that_json_cannot_express_survive(lab: DataFedLab, memory: Memory) -> None:
    value = {"bias": math.nan, "limits": [-math.inf, math.inf], "serial": 2**70, "n": 1}
    lab.add("a.ibw", b"alpha", value)
    (asset,) = memory.look()[1]
    restored = from_json(dict(asset.metadata))
    assert math.isnan(restored.pop("bias"))
    assert restored == {"limits": [-math.inf, math.inf], "serial": 2**70, "n": 1}


def test_equal_titles_are_two_records(lab: DataFedLab, memory: Memory, tmp_path: Path) -> None:
    drafts = [RecordDraft("same", {"n": n}) for n in range(3)]
    made = lab.client.create_records(drafts, lab.collection)
    assert [record["metadata"]["n"] for record in made] == [0, 1, 2]
    for record in made:
        lab.put(record["id"], "same.ibw", b"same")
    assets = memory.look()[1]
    assert fetched(memory.source, assets, tmp_path / "in") == {
        record["id"]: b"same" for record in made
    }


def test_pages_and_batches(
    lab: DataFedLab, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PAGE", 7)
    monkeypatch.setattr(client_module, "EXPORT_CHUNK", 10)
    made = lab.client.create_records(
        [RecordDraft(f"{i}", {"n": i}) for i in range(45)], lab.collection
    )
    assert ids(memory) == {record["id"] for record in made}
    assert memory.sync()[1] == []
    lab.describe(made[30]["id"], {"n": "new"})
    assert ids(memory) == {made[30]["id"]}


def test_more_changes_than_a_search_will_list(
    lab: DataFedLab, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = lab.client.create_records(
        [RecordDraft(f"{i}", {"n": i}) for i in range(30)], lab.collection
    )
    memory.sync()
    monkeypatch.setattr(client_module.DataFed.search, "__kwdefaults__", {"limit": 5})
    lab.describe(made[29]["id"], {"n": "new"})
    assert ids(memory) == {made[29]["id"]}


def test_a_record_that_vanishes_meanwhile_is_left_out(lab: DataFedLab, memory: Memory) -> None:
    made = lab.client.create_records([RecordDraft(f"{i}") for i in range(9)], lab.collection)
    changes = memory.source.changes({}, "")
    lab.remove(made[4]["id"])
    assert len(list(changes.changed)) == 8


def test_a_listing_that_moves_deletes_nothing(
    lab: DataFedLab, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item unlinked between two pages shifts the later ones to where nobody looks."""
    made = lab.client.create_records([RecordDraft(f"{i:02}") for i in range(20)], lab.collection)
    memory.sync()
    monkeypatch.setattr(client_module, "PAGE", 5)
    with DataFed(lab.connection) as other:
        session = memory.source.client.session  # type: ignore[attr-defined]
        request = session.request
        pages = 0

        def meddle(name: str, **fields: object) -> object:
            nonlocal pages
            pages += name == "CollReadRequest"
            if name == "CollReadRequest" and pages == 2:
                other.unlink(lab.collection, [made[0]["id"]])
            return request(name, **fields)

        monkeypatch.setattr(session, "request", meddle)
        assert list(memory.sync()[0].deleted) == [made[0]["id"]]


def test_by_alias(lab: DataFedLab) -> None:
    lab.client.ensure_collection(["named"], aliases=["by-name"])
    source = DataFedSource("lab", lab.connection, "by-name")
    assert source.changes({"d/1": SyncState("f", "r")}, "").deleted == ["d/1"]
    source.close()
    assert DataFedSource("lab", lab.connection, "root").changes({}, "").seen == 0
