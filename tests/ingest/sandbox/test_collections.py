"""Collections: paging, linking, moving, deleting."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from datafed import envelope_pb2 as pb

from motif.ingest.sandbox.request_server.faults import Limits
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox


def collection(api: Any, title: str, **options: Any) -> str:
    return str(api.collectionCreate(title, **options)[0].coll[0].id)


def listed(api: Any, coll: str) -> list[str]:
    return [item.id for item in api.collectionItemsList(coll, count=10_000)[0].item]


def fill(api: Any, wire: SimpleNamespace, coll: str, count: int) -> list[str]:
    records = [{"title": f"r{index:05}", "parent": coll} for index in range(count)]
    reply = wire.send(api, pb.RecordCreateBatchRequest(records=json.dumps(records)))
    return [record.id for record in reply.data]


def test_paging_beyond_a_thousand_items(ada: Any, wire: SimpleNamespace) -> None:
    coll = collection(ada, "many")
    made = fill(ada, wire, coll, 2_345)
    inner = collection(ada, "zz inner", parent_id=coll)
    found: list[str] = []
    while True:
        reply = ada.collectionItemsList(coll, offset=len(found), count=1000)[0]
        assert (reply.total, reply.offset) == (2_346, len(found))
        assert reply.count == len(reply.item)
        if not reply.item:
            break
        found += [item.id for item in reply.item]
    assert found == [inner, *made]
    assert len(ada.collectionItemsList(coll)[0].item) == 20
    offset = wire.send(ada, pb.CollGetOffsetRequest(id=coll, item=made[1_500], page_sz=100)).offset
    assert offset == 1_500


def test_create_view_update(ada: Any) -> None:
    made = ada.collectionCreate(
        "films", alias="films", description="thin", tags=["b", "a"], topic="materials.films"
    )[0].coll[0]
    assert (made.alias, made.desc, list(made.tags)) == ("films", "thin", ["b", "a"])
    assert (made.topic, made.parent_id, made.owner) == (
        "materials.films",
        "c/u_ada_root",
        "u/ada",
    )
    reply = ada.collectionUpdate("films", title="thin films", tags=[], topic="", description="")
    assert reply[0].update[0].title == "thin films"
    after = ada.collectionView(made.id)[0].coll[0]
    assert (after.title, after.desc, list(after.tags), after.topic) == ("thin films", "", [], "")


def test_a_new_title_shows_and_sorts_in_listings(ada: Any, wire: SimpleNamespace) -> None:
    coll = collection(ada, "sorted")
    first, second = fill(ada, wire, coll, 2)
    ada.dataUpdate(first, title="zzz")
    assert listed(ada, coll) == [second, first]


def test_link_unlink_and_relink_to_root(ada: Any, wire: SimpleNamespace) -> None:
    one, two = collection(ada, "one"), collection(ada, "two")
    record = wire.record(ada, "linked twice", parent_id=one)
    ada.collectionItemsUpdate(two, add_ids=[record])
    assert record in listed(ada, one)
    assert record in listed(ada, two)
    with pytest.raises(Exception, match=f"{record} already linked to {two}"):
        ada.collectionItemsUpdate(two, add_ids=record)
    assert not ada.collectionItemsUpdate(one, rem_ids=record)[0].item
    loose = ada.collectionItemsUpdate(two, rem_ids=record)[0].item
    assert [item.id for item in loose] == [record]
    assert record in listed(ada, "root")
    with pytest.raises(Exception, match=f"{record} is not in collection {two}"):
        ada.collectionItemsUpdate(two, rem_ids=record)
    with pytest.raises(Exception, match="Cannot add and remove"):
        ada.collectionItemsUpdate(two, add_ids=record, rem_ids=record)
    ada.collectionItemsUpdate("root", rem_ids=record)
    assert record in listed(ada, "root")


def test_a_collection_has_one_parent_and_no_circle(ada: Any) -> None:
    top, other = collection(ada, "top"), collection(ada, "other")
    inner = collection(ada, "inner", parent_id=top)
    ada.collectionItemsUpdate(other, add_ids=inner)
    assert inner not in listed(ada, top)
    with pytest.raises(Exception, match=f"Cannot link ancestor, {other}, to descendant, {inner}"):
        ada.collectionItemsUpdate(inner, add_ids=other)
    with pytest.raises(Exception, match="Cannot link root collection"):
        ada.collectionItemsUpdate(inner, add_ids="root")


def test_move(ada: Any, wire: SimpleNamespace) -> None:
    source, target = collection(ada, "source"), collection(ada, "target")
    record = wire.record(ada, "moved", parent_id=source)
    before = ada.dataView(record)[0].data[0].ut
    wire.send(ada, pb.CollMoveRequest(src_id=source, dst_id=target, item=[record]))
    assert (listed(ada, source), listed(ada, target)) == ([], [record])
    assert ada.dataView(record)[0].data[0].ut == before
    with pytest.raises(Exception, match="is not in collection"):
        wire.send(ada, pb.CollMoveRequest(src_id=source, dst_id=target, item=[record]))


def test_parents_come_nearest_first_one_path_each(ada: Any, wire: SimpleNamespace) -> None:
    top = collection(ada, "p top")
    inner = collection(ada, "p inner", parent_id=top)
    record = wire.record(ada, "p record", parent_id=inner)
    ada.collectionItemsUpdate("root", add_ids=record)
    paths = [[item.id for item in path.item] for path in ada.collectionGetParents(record)[0].path]
    assert sorted(paths) == sorted([[inner, top, "c/u_ada_root"], ["c/u_ada_root"]])
    inclusive = ada.collectionGetParents(inner, inclusive=True)[0].path
    assert [item.id for item in inclusive[0].item] == [inner, top, "c/u_ada_root"]


def test_delete_keeps_what_also_lies_elsewhere(ada: Any, wire: SimpleNamespace) -> None:
    top = collection(ada, "doomed")
    inner = collection(ada, "doomed inner", parent_id=top)
    gone = wire.record(ada, "gone", parent_id=inner)
    kept = wire.record(ada, "kept", parent_id=inner)
    ada.collectionItemsUpdate("root", add_ids=kept)
    task = ada.collectionDelete([top])[0].task[0].id
    assert wire.finished(ada, task).status == pb.TS_SUCCEEDED
    for missing in (top, inner):
        with pytest.raises(Exception, match=f"Collection '{missing}' does not exist"):
            ada.collectionView(missing)
    with pytest.raises(Exception, match="does not exist"):
        ada.dataView(gone)
    assert ada.dataView(kept)[0].data[0].title == "kept"
    with pytest.raises(Exception, match="Cannot delete root collection"):
        ada.collectionDelete("root")


def test_limits(tmp_path: Path, wire: SimpleNamespace) -> None:
    limits = Limits(items_per_collection=3, collections_per_owner=1)
    with Sandbox(
        tmp_path / "s", users=["ada:x"], endpoints={"l#l": tmp_path / "lab"}, limits=limits
    ) as server:
        api = wire.connect(server, "ada")
        coll = collection(api, "small")
        with pytest.raises(Exception, match=r"Collection limit reached \(1\)"):
            collection(api, "one too many")
        made = fill(api, wire, coll, 3)
        with pytest.raises(Exception, match=r"Parent collection item limit exceeded \(3 items\)"):
            api.dataCreate("fourth", parent_id=coll)
        with pytest.raises(Exception, match=r"Collection item limit exceeded \(3 items\)"):
            api.collectionItemsUpdate("root", add_ids=made)
        assert listed(api, "root") == [coll]


def test_default_limits_are_those_of_the_service() -> None:
    limits = Limits()
    assert (limits.items_per_collection, limits.collections_per_owner) == (10_000, 50)
