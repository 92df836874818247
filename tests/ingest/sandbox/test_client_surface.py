"""Every public method of the client library works against the sandbox."""

from __future__ import annotations

import inspect
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from datafed import CommandLib
from datafed.CommandLib import API

from motif.ingest.sandbox.request_server.sandbox_server import Sandbox


class Recorder:
    """Notes which public methods of the client were called."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.called.add(name)
        return getattr(self._api, name)


@pytest.fixture
def api(sandbox: Sandbox, wire: SimpleNamespace) -> Recorder:
    return Recorder(wire.connect(sandbox, "root"))


@pytest.fixture
def _impatient_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client sleeps four seconds before it looks at a task."""
    quick = SimpleNamespace(
        sleep=lambda seconds: time.sleep(seconds / 20),
        strftime=time.strftime,
        localtime=time.localtime,
    )
    monkeypatch.setattr(CommandLib, "time", quick)


@pytest.mark.usefixtures("_impatient_client")
def test_every_public_method(
    api: Recorder, lab: Path, tmp_path: Path, wire: SimpleNamespace
) -> None:
    identity(api)
    repositories(api, wire)
    schemas(api)
    data(api, lab, tmp_path, wire)
    collections_and_queries(api)
    people(api, wire)
    public = {
        name for name, _ in inspect.getmembers(API, inspect.isfunction) if not name.startswith("_")
    }
    assert public - api.called == set()


def identity(api: Recorder) -> None:
    api.loginByPassword("root", "master")
    assert api.getAuthUser() == "u/root"
    api.generateCredentials()
    api.setupCredentials()
    api.logout()
    assert api.getAuthUser() is None
    api.loginByPassword("root", "master")


def repositories(api: Recorder, wire: SimpleNamespace) -> None:
    api.repoCreate(
        "two", "Two", "", "", 10**9, "key", "address", "ep#two", "/data/two", "", ["u/root"]
    )
    assert len(api.repoList(True)[0].repo) == 2
    task = api.repoAllocationCreate("two", "u/root", 10**6, 10)[0].task[0].id
    assert wire.finished(api, task).status == 3
    assert api.repoListAllocations("two")[0].alloc[0].rec_limit == 10
    api.repoAllocationDelete("two", "u/root")
    api.repoDelete("repo/two")


def schemas(api: Recorder) -> None:
    definition = json.dumps({"type": "object", "properties": {"a": {"type": "number"}}})
    api.schemaCreate("numbers", definition)
    api.schemaUpdate("numbers:0", description="only numbers")
    api.schemaRevise("numbers:0", description="more numbers")
    assert api.schemaView("numbers:1")[0].schema[0].desc == "more numbers"
    assert api.schemaSearch("numb")[0].total == 2
    assert api.metadataValidate("numbers:0", '{"a": "b"}')[0].errors
    api.schemaDelete("numbers:1")
    api.schemaDelete("numbers:0")


def data(api: Recorder, lab: Path, tmp_path: Path, wire: SimpleNamespace) -> None:
    record = api.dataCreate("surface", metadata='{"a": 1}')[0].data[0].id
    api.dataUpdate(record, title="surface 2")
    assert api.dataView(record)[0].data[0].title == "surface 2"
    path = tmp_path / "batch.json"
    path.write_text('[{"title": "batched"}]')
    batched = api.dataBatchCreate([str(path)])[0].data[0].id
    path.write_text(json.dumps([{"id": batched, "title": "changed"}]))
    api.dataBatchUpdate([str(path)])
    api.endpointSet("local#lab")
    assert api.endpointGet() == "local#lab"
    api.endpointDefaultSet("local#lab")
    assert api.endpointDefaultGet() == "local#lab"
    (lab / "surface.txt").write_text("surface")
    assert api.dataPut(record, "/surface.txt", wait=True)[0].task[0].status == 3
    task = api.dataGet(record, "/surface-out")[0].task.id
    assert wire.finished(api, task).status == 3
    assert api.taskList()[0].task[0].id == task
    assert api.endpointListRecent()[0].ep[0] == "local#lab/surface-out"
    assert api.sizeToStr(api.dataView(record)[0].data[0].size) == "7.0 B"
    assert api.strToTimestamp(api.timestampToStr(86_400 * 60)) is not None
    api.dataDelete([record, batched])


def collections_and_queries(api: Recorder) -> None:
    coll = api.collectionCreate("surface")[0].coll[0].id
    api.collectionUpdate(coll, title="surface 2")
    assert api.collectionView(coll)[0].coll[0].title == "surface 2"
    record = api.dataCreate("inside", metadata='{"b": 1}')[0].data[0].id
    api.collectionItemsUpdate(coll, add_ids=record)
    assert api.collectionItemsList(coll)[0].item[0].id == record
    assert api.collectionGetParents(record)[0].path
    query = api.queryCreate("q", meta="b == 1")[0].id
    api.queryUpdate(query, title="q2", meta="b == 1")
    assert api.queryView(query)[0].title == "q2"
    assert api.queryList()[0].total == 1
    assert api.queryExec(query)[0].item[0].id == record
    assert api.queryDirect(meta="b == 1")[0].item[0].id == record
    api.queryDelete(query)
    api.collectionDelete(coll)


def people(api: Recorder, wire: SimpleNamespace) -> None:
    from datafed import envelope_pb2 as pb

    wire.send(api, pb.ProjectCreateRequest(id="surface", title="Surface"))
    assert api.projectList()[0].item[0].id == "p/surface"
    assert api.projectView("p/surface")[0].proj[0].title == "Surface"
    assert api.projectGetRole("p/surface") == 3
    api.setContext("p/surface")
    assert api.getContext() == "p/surface"
    api.setContext()
    assert api.userView("ada")[0].user[0].uid == "u/ada"
    assert api.userListAll()[0].total == 3
    assert api.userListCollaborators()[0].total == 0
    assert not api.sharedList(inc_users=True)[0].item
    assert not api.sharedListItems("u/ada")[0].item
