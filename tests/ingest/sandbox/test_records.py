"""Records through the unmodified client."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from datafed import envelope_pb2 as pb
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.ingest.sandbox.request_server.faults import Limits
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox
from motif.ingest.sandbox.schema_validation import merge


def view(api: Any, record: str) -> Any:
    return api.dataView(record)[0].data[0]


def test_create_gives_back_what_was_stored(ada: Any) -> None:
    made = ada.dataCreate(
        " BaTiO3 scan ",
        alias="BTO-1",
        description="a film",
        tags=["PFM", "film", "pfm"],
        extension="ibw",
        metadata='{"scan": {"size": 1e-6}, "name": "µ"}',
    )[0].data[0]
    assert (made.title, made.alias, made.desc) == ("BaTiO3 scan", "bto-1", "a film")
    assert list(made.tags) == ["pfm", "film"]
    assert (made.ext, made.ext_auto, made.repo_id) == (".ibw", False, "repo/sandbox")
    assert (made.owner, made.creator, made.parent_id) == ("u/ada", "u/ada", "c/u_ada_root")
    assert json.loads(made.metadata) == {"scan": {"size": 1e-6}, "name": "µ"}
    assert made.ct == made.ut > 0
    assert view(ada, "bto-1").id == view(ada, "u:ada:bto-1").id == made.id


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"title": " "}, "Missing required field 'title'"),
        ({"title": "x" * 81}, "'title' field is too long. Maximum length is 80."),
        ({"alias": "no spaces"}, "Invalid character"),
        ({"alias": "x" * 41}, "'alias' field is too long"),
        ({"description": "x" * 2001}, "'description' field is too long"),
        ({"tags": ["x" * 41]}, "Tag too long"),
        ({"tags": ["a b"]}, r"Invalid character\(s\) in tag"),
        ({"metadata": "[1]"}, "Metadata cannot be an array"),
        ({"metadata": '{"a": NaN}'}, "Unexpected exception: SyntaxError"),
        ({"metadata": '{"a": 1e999}'}, "Unexpected exception: SyntaxError"),
        ({"metadata": '{"a": "\\ud800"}'}, "Unexpected exception: SyntaxError"),
        ({"metadata": "[" * 100_000}, "Unexpected exception: SyntaxError"),
        ({"metadata": "1"}, "Metadata must be a JSON object"),
        ({"metadata": "{"}, "Unexpected exception: SyntaxError"),
        ({"parent_id": "c/404"}, "Collection 'c/404' does not exist"),
        ({"parent_id": "nowhere"}, "Alias 'nowhere' does not exist"),
        ({"deps": [("der", "d/404")]}, "Data record 'd/404' does not exist"),
        ({"repo_id": "repo/other"}, "No allocation on repo repo/other"),
        ({"external": True, "raw_data_file": "nofile"}, "Source must be a full Globus path"),
        ({"schema": "nothing"}, "Schema ID missing version number suffix"),
        ({"schema": "nothing:0"}, "Schema 'nothing:0' does not exist"),
        ({"schema_enforce": True}, "Enforce schema option specified, but"),
    ],
)
def test_create_refuses(ada: Any, options: dict[str, Any], text: str) -> None:
    before = ada.collectionItemsList("root")[0].total
    with pytest.raises(Exception, match=text):
        ada.dataCreate(**{"title": "refused", **options})
    assert ada.collectionItemsList("root")[0].total == before


def test_error_texts_carry_the_place_like_the_service(ada: Any) -> None:
    with pytest.raises(Exception, match=r" \(source: dbPost:\d+ code:1\)$"):
        ada.dataView("d/404")


def test_alias_belongs_to_one_record_of_an_owner(ada: Any, bob: Any, wire: SimpleNamespace) -> None:
    first = wire.record(ada, "first", alias="taken")
    with pytest.raises(Exception, match="Alias, u:ada:taken, already in use"):
        ada.dataCreate("second", alias="taken")
    other = wire.record(bob, "other", alias="taken")
    assert view(bob, "taken").id == other
    ada.dataUpdate(first, alias="")
    assert view(ada, first).alias == ""
    assert wire.record(ada, "second", alias="taken") != first


def test_equal_titles_are_renamed_without_a_word(ada: Any) -> None:
    coll = ada.collectionCreate("titles")[0].coll[0].id
    first = ada.dataCreate("same", parent_id=coll)[0].data[0]
    second = ada.dataCreate("same", parent_id=coll)[0].data[0]
    assert (first.title, second.title) == ("same", f"same_{second.id[2:]}")


def test_update_merges_metadata_at_every_depth(ada: Any, wire: SimpleNamespace) -> None:
    made = wire.record(ada, metadata='{"a": {"b": 1, "c": {"d": 2}}, "e": 3}')
    ada.dataUpdate(made, metadata='{"a": {"b": null, "c": {"f": 4}}, "g": [1]}')
    assert json.loads(view(ada, made).metadata) == {
        "a": {"c": {"d": 2, "f": 4}},
        "e": 3,
        "g": [1],
    }
    ada.dataUpdate(made, metadata='{"only": 1}', metadata_set=True)
    assert json.loads(view(ada, made).metadata) == {"only": 1}
    ada.dataUpdate(made, metadata="")
    assert view(ada, made).metadata == ""


def test_update_changes_only_what_is_given(ada: Any, wire: SimpleNamespace) -> None:
    made = wire.record(ada, "before", tags=["keep"], metadata='{"a": 1}', description="text")
    reply = ada.dataUpdate(made, title="after", alias="renamed")[0]
    assert reply.update[0].alias == "renamed"
    after = view(ada, made)
    assert (after.title, after.desc, list(after.tags)) == ("after", "text", ["keep"])
    assert after.metadata == '{"a":1}'
    ada.dataUpdate(made, tags=["new"])
    assert list(view(ada, made).tags) == ["new"]
    ada.dataUpdate(made, tags=[])
    assert list(view(ada, made).tags) == []
    with pytest.raises(Exception, match="Required field 'title' cannot be deleted"):
        ada.dataUpdate(made, title="")


def test_a_refused_update_changes_nothing(ada: Any, wire: SimpleNamespace) -> None:
    made = wire.record(ada, "whole", metadata='{"a": 1}')
    before = view(ada, made)
    with pytest.raises(Exception, match="d/404"):
        ada.dataUpdate(made, title="half", metadata='{"b": 2}', deps_add=[("der", "d/404")])
    assert view(ada, made) == before


def test_dependencies_show_in_both_directions(ada: Any, wire: SimpleNamespace) -> None:
    raw = wire.record(ada, "raw", alias="dep-raw")
    made = wire.record(ada, "made", deps=[("der", raw)])
    old = wire.record(ada, "old")
    ada.dataUpdate(made, deps_add=[("ver", old), ("comp", raw)])
    outgoing = {(dep.id, dep.type) for dep in view(ada, made).deps if dep.dir == pb.DIR_OUT}
    assert outgoing == {(raw, 0), (raw, 1), (old, 2)}
    incoming = {(dep.id, dep.type) for dep in view(ada, raw).deps if dep.dir == pb.DIR_IN}
    assert incoming == {(made, 0), (made, 1)}
    assert view(ada, made).deps[0].alias == "dep-raw"
    ada.dataUpdate(made, deps_rem=[("comp", raw)])
    assert [(dep.id, dep.type) for dep in view(ada, raw).deps] == [(made, 0)]
    with pytest.raises(Exception, match="Specified dependency on"):
        ada.dataUpdate(made, deps_rem=[("comp", raw)])
    with pytest.raises(Exception, match="Only one dependency of each type"):
        ada.dataUpdate(made, deps_add=[("der", raw)])
    with pytest.raises(Exception, match="Circular dependency"):
        ada.dataUpdate(raw, deps_add=[("der", made)])


def test_dependency_graph_counts_generations(ada: Any, wire: SimpleNamespace) -> None:
    raw = wire.record(ada, "g raw")
    mean = wire.record(ada, "g mean", deps=[("der", raw)])
    plot = wire.record(ada, "g plot", deps=[("der", mean)])
    newer = wire.record(ada, "g newer", deps=[("ver", mean)])
    graph = wire.send(ada, pb.RecordGetDependencyGraphRequest(id=mean)).item
    assert {node.id: node.gen for node in graph} == {raw: 0, mean: 1, plot: 2, newer: 2}
    assert [dep.id for node in graph if node.id == mean for dep in node.dep] == [raw]


def test_delete_takes_everything_along(
    ada: Any, sandbox: Sandbox, lab: Path, wire: SimpleNamespace
) -> None:
    raw = wire.record(ada, "gone", alias="gone", tags=["gonetag"])
    made = wire.record(ada, "stays", deps=[("der", raw)])
    (lab / "gone.dat").write_bytes(b"123")
    wire.finished(ada, ada.dataPut(raw, "local#lab/gone.dat")[0].task.id)
    stored = sandbox.folder / "repo" / "sandbox" / "user" / "ada" / raw[2:]
    assert stored.read_bytes() == b"123"
    task = ada.dataDelete([raw])[0].task[0]
    assert wire.finished(ada, task.id).status == pb.TS_SUCCEEDED
    assert not stored.exists()
    assert list(view(ada, made).deps) == []
    with pytest.raises(Exception, match=f"Data record '{raw}' does not exist"):
        ada.dataView(raw)
    assert wire.record(ada, "again", alias="gone") != raw


def test_others_see_nothing_of_it(ada: Any, bob: Any, wire: SimpleNamespace) -> None:
    made = wire.record(ada, "private", alias="private")
    for attempt in (
        lambda: bob.dataView(made),
        lambda: bob.dataUpdate(made, title="mine"),
        lambda: bob.dataDelete(made),
        lambda: bob.dataView("u:ada:private"),
        lambda: bob.dataGet(made, "local#lab/"),
        lambda: bob.dataPut(made, "local#lab/x"),
        lambda: bob.dataCreate("x", parent_id="c/u_ada_root"),
        lambda: wire.send(bob, pb.RecordExportRequest(id=[made])),
    ):
        with pytest.raises(Exception, match=r"^Permission [Dd]enied"):
            attempt()
    assert view(ada, made).title == "private"


def test_administrator_may_do_everything(ada: Any, root: Any, wire: SimpleNamespace) -> None:
    made = wire.record(ada, "administered")
    root.dataUpdate(made, title="by root")
    assert view(ada, made).title == "by root"


def test_locked_record_is_left_alone_by_others(ada: Any, bob: Any, wire: SimpleNamespace) -> None:
    made = wire.record(ada, "locked")
    rules = [{"id": "u/bob", "grant": 0x7FFF}]
    wire.send(ada, pb.ACLUpdateRequest(id=made, rules=json.dumps(rules)))
    bob.dataUpdate(made, title="shared")
    wire.send(ada, pb.RecordLockRequest(id=[made], lock=True))
    with pytest.raises(Exception, match="Permission Denied"):
        bob.dataUpdate(made, title="too late")
    assert view(ada, made).locked
    assert view(ada, made).title == "shared"


def test_external_records_carry_a_size_nobody_measured(ada: Any) -> None:
    made = ada.dataCreate("ext", external=True, raw_data_file="local#lab/a/b.h5")[0].data[0]
    assert (made.external, made.size, made.source) == (True, 1048576, "local#lab/a/b.h5")
    assert made.repo_id == ""


def test_times_are_seconds_of_the_servers_clock(tmp_path: Path, wire: SimpleNamespace) -> None:
    with Sandbox(tmp_path / "s", users=["ada:x"], endpoints={"l#l": tmp_path / "lab"}) as server:
        api = wire.connect(server, "ada")
        server.faults.clock_offset = -1_000_000
        made = wire.record(api)
        server.faults.clock_offset = 0
        before = view(api, made)
        api.dataUpdate(made, title="later")
        after = view(api, made)
        assert before.ct == before.ut == after.ct
        assert after.ut - before.ut >= 1_000_000
        assert after.dt == 0


def test_export_gives_whole_records(ada: Any, wire: SimpleNamespace) -> None:
    coll = ada.collectionCreate("export")[0].coll[0].id
    inner = ada.collectionCreate("inner", parent_id=coll)[0].coll[0].id
    raw = wire.record(ada, "raw", parent_id=coll, metadata='{"x": [1, {"y": null}]}', alias="ex-1")
    made = wire.record(ada, "made", parent_id=inner, deps=[("der", raw)], tags=["t"])
    ada.collectionItemsUpdate(inner, add_ids=raw)
    documents = [
        json.loads(text) for text in wire.send(ada, pb.RecordExportRequest(id=[coll, raw])).record
    ]
    found = {document["id"]: document for document in documents}
    assert len(documents) == 2
    assert found[raw]["md"] == {"x": [1, {"y": None}]}
    assert found[raw]["alias"] == "ex-1"
    assert found[made]["deps"] == [{"id": raw, "type": 0}]
    assert found[made]["tags"] == ["t"]
    assert "md" not in found[made]


def test_batches_are_all_or_nothing(ada: Any, tmp_path: Path, wire: SimpleNamespace) -> None:
    coll = ada.collectionCreate("batch", alias="batch-coll")[0].coll[0].id
    many = [
        {"title": f"b{index}", "md": {"i": index}, "tags": ["batch"], "alias": f"batch-{index}"}
        for index in range(5)
    ]
    path = tmp_path / "many.json"
    path.write_text(json.dumps(many))
    made = ada.dataBatchCreate([str(path)], coll_id="batch-coll")[0].data
    assert [record.parent_id for record in made] == [coll] * 5
    changes = [
        {"id": "batch-0", "title": "changed", "md": {"j": 1}},
        {"id": made[1].id, "dep_add": [{"id": made[0].id, "type": "der"}], "tags_clear": True},
    ]
    path.write_text(json.dumps(changes))
    reply = ada.dataBatchUpdate([str(path)])[0]
    assert [item.title for item in reply.update] == ["changed", "b1"]
    assert json.loads(view(ada, made[0].id).metadata) == {"i": 0, "j": 1}
    assert view(ada, made[1].id).deps[0].id == made[0].id
    path.write_text(json.dumps([{"title": "fine"}, {"title": "x" * 81}]))
    with pytest.raises(Exception, match="'title' field is too long"):
        ada.dataBatchCreate([str(path)], coll_id=coll)
    assert ada.collectionItemsList(coll)[0].total == 5


@pytest.mark.parametrize(
    "records",
    ["{", "1", "[1]", '[{"title": 5}]', '[{"title": "x", "deps": [{"id": 1}]}]',
     '[{"title": "x", "tags": "y"}]', '[{"title": "x", "deps": [{"id": "d/1", "type": 9}]}]'],
)  # fmt: skip
def test_odd_batches_are_refused(ada: Any, wire: SimpleNamespace, records: str) -> None:
    with pytest.raises(Exception, match=r"\(source: dbPost"):
        wire.send(ada, pb.RecordCreateBatchRequest(records=records))


def test_quota(tmp_path: Path, wire: SimpleNamespace) -> None:
    limits = Limits(allocation_records=2, allocation_bytes=10)
    lab = tmp_path / "lab"
    with Sandbox(
        tmp_path / "s",
        users=["ada:x"],
        limits=limits,
        endpoints={"l#l": lab},
    ) as server:
        api = wire.connect(server, "ada")
        first, second = wire.record(api, "1"), wire.record(api, "2")
        with pytest.raises(Exception, match=r"Allocation record count exceeded \(max: 2\)"):
            api.dataCreate("3")
        (lab / "big").write_bytes(b"x" * 11)
        wire.finished(api, api.dataPut(first, "l#l/big")[0].task.id)
        with pytest.raises(Exception, match=r"Allocation data size exceeded \(max: 10\)"):
            api.dataPut(second, "l#l/big")
        api.dataDelete(first)
        wire.record(api, "3")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)
json_objects = st.dictionaries(st.sampled_from("abc"), json_values, max_size=3)


@settings(max_examples=200, deadline=None)
@given(json_objects, json_objects)
def test_merge_invariants(old: dict[str, Any], new: dict[str, Any]) -> None:
    merged = merge(old, new)
    assert merge(merged, new) == merged
    assert merge(old, {}) == old
    for key, value in new.items():
        if value is None:
            assert key not in merged
        elif not isinstance(value, dict):
            assert merged[key] == value
    assert {key: value for key, value in old.items() if key not in new} == {
        key: value for key, value in merged.items() if key not in new
    }
