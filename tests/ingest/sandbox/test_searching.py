"""Searches through the unmodified client."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from datafed import envelope_pb2 as pb

from motif.ingest.sandbox.request_server.faults import Limits
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox


@pytest.fixture(scope="module")
def filled(sandbox: Sandbox, ada: Any, wire: SimpleNamespace) -> dict[str, str]:
    """A collection with another one inside, and records in both."""
    top = ada.collectionCreate("search top", alias="search-top", tags=["hold"])[0].coll[0].id
    inner = ada.collectionCreate("search inner", parent_id=top)[0].coll[0].id
    ids = {"top": top, "inner": inner}
    for name, parent, temp in (("alpha", top, 100), ("beta", inner, 200), ("gamma", inner, None)):
        ids[name] = wire.record(
            ada,
            f"{name} film",
            parent_id=parent,
            alias=f"find-{name}",
            description=f"grown by {name} in PFM mode",
            tags=["film", name],
            metadata=json.dumps({"temp": temp, "who": name} if temp else {"who": name}),
        )
    return ids


def found(reply: Any) -> list[str]:
    return [item.id for item in reply[0].item]


def test_metadata(ada: Any, filled: dict[str, str]) -> None:
    search = {"coll": ["search-top"], "sort": "title"}
    assert found(ada.queryDirect(meta="temp def && temp < 200", **search)) == [filled["alpha"]]
    assert found(ada.queryDirect(meta="temp < 200", **search)) == [filled["alpha"], filled["gamma"]]
    assert found(ada.queryDirect(meta="who =~ 'a$'", **search)) == [
        filled[name] for name in ("alpha", "beta", "gamma")
    ]
    with pytest.raises(Exception, match=r"^AQL: syntax error"):
        ada.queryDirect(meta="temp = 1")
    with pytest.raises(Exception, match=r"^Metadata expression contains invalid"):
        ada.queryDirect(meta="temp in [1]")
    with pytest.raises(Exception, match=r"^Regular expression is too complex"):
        ada.queryDirect(meta="who =~ '(a+)+'", **search)


def test_collections_are_searched_with_what_is_inside(ada: Any, filled: dict[str, str]) -> None:
    assert set(found(ada.queryDirect(coll=[filled["top"]]))) == {
        filled[name] for name in ("alpha", "beta", "gamma")
    }
    assert set(found(ada.queryDirect(coll=[filled["inner"]]))) == {filled["beta"], filled["gamma"]}
    with pytest.raises(Exception, match="not in search scope"):
        ada.queryDirect(coll=["c/u_bob_root"])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("alpha", ["alpha"]),
        ("alpha beta", ["alpha", "beta"]),
        ("+film -alpha", ["beta", "gamma"]),
        ('"by gamma"', ["gamma"]),
        ("title: alpha desc: mode", ["alpha"]),
        ("title: grown", []),
        ("desc: grown -title: beta", ["alpha", "gamma"]),
        ("FILM", ["alpha", "beta", "gamma"]),
        ("alph", []),
    ],
)
def test_text(ada: Any, filled: dict[str, str], text: str, names: list[str]) -> None:
    reply = ada.queryDirect(text=text, coll=["search-top"], sort="title")
    assert found(reply) == [filled[name] for name in names]


def test_tags_id_creator_and_times(ada: Any, filled: dict[str, str]) -> None:
    assert found(ada.queryDirect(tags=["film", "beta"])) == [filled["beta"]]
    assert found(ada.queryDirect(id="find-gam")) == [filled["gamma"]]
    assert filled["alpha"] in found(ada.queryDirect(id=filled["alpha"]))
    assert filled["alpha"] in found(ada.queryDirect(id=filled["alpha"][2:]))
    with pytest.raises(Exception, match="Invalid ID/Alias query value"):
        ada.queryDirect(id="find gamma")
    assert not found(ada.queryDirect(creator="u/bob", coll=["search-top"]))
    updated = ada.dataView(filled["alpha"])[0].data[0].ut
    assert found(ada.queryDirect(coll=["search-top"], time_to=updated - 10)) == []
    assert len(found(ada.queryDirect(coll=["search-top"], time_from=updated))) >= 1


def test_entries_show_the_head_of_the_description(ada: Any, wire: SimpleNamespace) -> None:
    wire.record(ada, "long text", description="x" * 500, tags=["longtext"])
    item = ada.queryDirect(tags=["longtext"])[0].item[0]
    assert item.desc == "x" * 120 + " ..."
    assert item.owner_name == "User, Ada"


def test_collections_can_be_searched(ada: Any, filled: dict[str, str]) -> None:
    assert found(ada.queryDirect(coll_mode=True, tags=["hold"])) == [filled["top"]]
    assert found(ada.queryDirect(coll_mode=True, text="inner")) == [filled["inner"]]


def test_published_collections_are_found_by_anyone(
    ada: Any, bob: Any, filled: dict[str, str]
) -> None:
    assert not found(bob.queryDirect(public=True))
    ada.collectionUpdate(filled["top"], topic="materials.ferroelectric")
    try:
        assert set(found(bob.queryDirect(public=True, category="materials.ferroelectric"))) == {
            filled[name] for name in ("alpha", "beta", "gamma")
        }
        assert not found(bob.queryDirect(public=True, category="biology"))
        assert bob.dataView(filled["beta"])[0].data[0].title == "beta film"
    finally:
        ada.collectionUpdate(filled["top"], topic="")
    with pytest.raises(Exception, match="Permission Denied"):
        bob.dataView(filled["beta"])


def test_scope_is_the_callers_own(bob: Any, filled: dict[str, str]) -> None:
    assert not found(bob.queryDirect(tags=["film"]))
    assert not found(bob.queryDirect(tags=["film"], owner="u/ada"))
    with pytest.raises(Exception, match="user u/nobody not found"):
        bob.queryDirect(owner="u/nobody")


def test_paging_quirks(tmp_path: Path, wire: SimpleNamespace) -> None:
    limits = Limits(page_size=5, search_items=20)
    with Sandbox(
        tmp_path / "s", users=["ada:x"], endpoints={"l#l": tmp_path / "lab"}, limits=limits
    ) as server:
        api = wire.connect(server, "ada")
        records = [{"title": f"r{index:02}"} for index in range(30)]
        wire.send(api, pb.RecordCreateBatchRequest(records=json.dumps(records)))
        first = api.queryDirect(sort="title", count=5)[0]
        assert (first.offset, first.count, first.total) == (0, 5, 6)
        assert api.queryDirect(count=1000)[0].count == 5
        beyond = api.queryDirect(sort="title", offset=25, count=5)[0]
        assert beyond.offset == 15
        assert beyond.item[0].title == "r15"
        reverse = api.queryDirect(sort="title", sort_rev=True, count=1)[0]
        assert reverse.item[0].title == "r29"


def test_a_record_linked_twice_shortens_its_page(ada: Any, wire: SimpleNamespace) -> None:
    one = ada.collectionCreate("twice one")[0].coll[0].id
    two = ada.collectionCreate("twice two", parent_id=one)[0].coll[0].id
    both = wire.record(ada, "a both", parent_id=one)
    wire.record(ada, "b single", parent_id=one)
    ada.collectionItemsUpdate(two, add_ids=both)
    page = ada.queryDirect(coll=[one], sort="title", count=2)[0]
    assert [item.title for item in page.item] == ["a both"]
    assert page.total == 3


def test_search_lag(tmp_path: Path, wire: SimpleNamespace) -> None:
    with Sandbox(tmp_path / "s", users=["ada:x"], endpoints={"l#l": tmp_path / "lab"}) as server:
        api = wire.connect(server, "ada")
        server.faults.search_lag = 0.4
        made = wire.record(api, "new")
        since = api.dataView(made)[0].data[0].ut - 5
        assert not found(api.queryDirect())
        assert api.collectionItemsList("root")[0].total == 1
        time.sleep(0.45)
        assert found(api.queryDirect()) == [made]
        api.dataUpdate(made, title="changed")
        assert found(api.queryDirect()) == [made]
        assert not found(api.queryDirect(time_from=since))


def test_saved_queries(ada: Any, bob: Any, filled: dict[str, str]) -> None:
    made = ada.queryCreate("films", coll=["search-top"], meta="temp > 150", sort="title")[0]
    assert made.title == "films"
    assert ada.queryView(made.id)[0].query.meta == "temp > 150"
    assert found(ada.queryExec(made.id)) == [filled["beta"]]
    assert made.id in found(ada.queryList())
    changed = ada.queryUpdate(made.id, title="all", coll=["search-top"])[0]
    assert changed.title == "all"
    assert len(found(ada.queryExec(made.id))) == 3
    with pytest.raises(Exception, match="Permission Denied"):
        bob.queryExec(made.id)
    with pytest.raises(Exception, match=r"^AQL: syntax error"):
        ada.queryCreate("broken", meta="x =")
    ada.queryDelete(made.id)
    with pytest.raises(Exception, match="not found"):
        ada.queryView(made.id)


def test_saved_queries_are_limited(ada: Any) -> None:
    made = [ada.queryCreate(f"q{index}", meta="x > 1")[0].id for index in range(20)]
    with pytest.raises(Exception, match=r"Saved query limit reached \(20\)"):
        ada.queryCreate("one too many", meta="x > 1")
    for query in made:
        ada.queryDelete(query)


def test_tags_in_use(ada: Any, filled: dict[str, str], wire: SimpleNamespace) -> None:
    reply = wire.send(ada, pb.TagSearchRequest(name="alph"))
    assert [(tag.name, tag.count) for tag in reply.tag] == [("alpha", 1)]
    counted = wire.send(ada, pb.TagListByCountRequest(count=1))
    assert (counted.tag[0].name, counted.tag[0].count) == ("film", 3)
