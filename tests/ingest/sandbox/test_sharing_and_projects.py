"""Projects, groups, access rules, repositories, schemas and annotations."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from datafed import envelope_pb2 as pb

LIST_AND_READ = 0x47


def share(api: Any, wire: SimpleNamespace, item: str, **rule: Any) -> Any:
    return wire.send(api, pb.ACLUpdateRequest(id=item, rules=json.dumps([rule])))


@pytest.fixture(scope="module")
def project(ada: Any, wire: SimpleNamespace) -> str:
    request = pb.ProjectCreateRequest(id="pfm", title="PFM films", desc="d", member=["u/bob"])
    return str(wire.send(ada, request).proj[0].id)


def test_project_is_a_context_of_its_own(ada: Any, project: str, wire: SimpleNamespace) -> None:
    data = ada.projectView(project)[0].proj[0]
    assert (data.id, data.owner, list(data.member)) == ("p/pfm", "u/ada", ["u/bob"])
    assert data.alloc[0].repo == "repo/sandbox"
    api = ada
    api.setContext("p/pfm")
    try:
        made = api.dataCreate("in project", alias="inp")[0].data[0]
        assert (made.owner, made.parent_id) == ("p/pfm", "c/p_pfm_root")
        assert api.dataView("inp")[0].data[0].id == made.id
    finally:
        api.setContext()
    with pytest.raises(Exception, match="Alias 'inp' does not exist"):
        api.dataView("inp")
    assert api.dataView("inp", context="p/pfm")[0].data[0].id == made.id
    assert [item.id for item in api.queryDirect(owner="p/pfm")[0].item] == [made.id]


def test_members_read_and_managers_write(
    ada: Any, bob: Any, project: str, wire: SimpleNamespace
) -> None:
    made = wire.record(ada, "for members", context="p/pfm")
    assert bob.projectGetRole(project) == pb.PROJECT_ROLE_MEMBER
    assert ada.projectGetRole(project) == pb.PROJECT_ROLE_ADMIN
    assert bob.dataView(made)[0].data[0].title == "for members"
    assert bob.collectionItemsList("root", context="p/pfm")[0].total >= 1
    assert made in [item.id for item in bob.queryDirect(owner=project)[0].item]
    with pytest.raises(Exception, match="Permission Denied"):
        bob.dataUpdate(made, title="x")
    with pytest.raises(Exception, match="Permission Denied"):
        bob.dataCreate("x", context="p/pfm")
    update = pb.ProjectUpdateRequest(
        id=project, admin_set=True, admin=["u/bob"], member_set=True, member=[]
    )
    wire.send(ada, update)
    assert bob.projectGetRole(project) == pb.PROJECT_ROLE_MANAGER
    bob.dataUpdate(made, title="by bob")
    with pytest.raises(Exception, match="Permission Denied"):
        wire.send(bob, pb.ProjectDeleteRequest(id=[project]))
    back = pb.ProjectUpdateRequest(id=project, admin_set=True, member_set=True, member=["u/bob"])
    wire.send(ada, back)


def test_project_lists(ada: Any, bob: Any, root: Any, project: str) -> None:
    def listed(api: Any, **which: bool) -> list[str]:
        return [item.id for item in api.projectList(**which)[0].item]

    assert listed(ada) == listed(bob) == [project]
    assert listed(bob, owned=True, admin=False, member=False) == []
    assert listed(root) == []
    assert [user.uid for user in bob.userListCollaborators()[0].user] == ["u/ada"]
    assert bob.userListAll(count=2)[0].total == 3


def test_a_project_goes_with_all_it_owns(ada: Any, wire: SimpleNamespace) -> None:
    wire.send(ada, pb.ProjectCreateRequest(id="brief", title="brief"))
    made = wire.record(ada, "brief", context="p/brief")
    task = wire.send(ada, pb.ProjectDeleteRequest(id=["p/brief"])).task[0].id
    assert wire.finished(ada, task).status == pb.TS_SUCCEEDED
    for attempt in (lambda: ada.dataView(made), lambda: ada.projectView("p/brief")):
        with pytest.raises(Exception, match=r"does not exist|No such project"):
            attempt()
    with pytest.raises(Exception, match="No such project 'p/brief'"):
        ada.setContext("p/brief")


def test_shared_collection_opens_what_is_inside(ada: Any, bob: Any, wire: SimpleNamespace) -> None:
    coll = ada.collectionCreate("shared", alias="shared")[0].coll[0].id
    inner = ada.collectionCreate("shared inner", parent_id=coll)[0].coll[0].id
    made = wire.record(ada, "shared record", parent_id=inner, metadata='{"a": 1}')
    with pytest.raises(Exception, match="Permission Denied"):
        bob.collectionItemsList(coll)
    rules = share(ada, wire, coll, id="u/bob", grant=LIST_AND_READ, inhgrant=LIST_AND_READ).rule
    assert [(rule.id, rule.grant, rule.inhgrant) for rule in rules] == [("u/bob", 71, 71)]
    assert bob.dataView(made)[0].data[0].metadata == '{"a":1}'
    assert bob.collectionItemsList("u:ada:shared")[0].item[0].id == inner
    assert [item.id for item in bob.sharedList(inc_users=True)[0].item] == ["u/ada"]
    items = wire.send(bob, pb.ACLSharedListItemsRequest(owner="u/ada")).item
    assert [item.id for item in items] == [coll]
    assert made in [item.id for item in bob.queryDirect(owner="u/ada", meta="a == 1")[0].item]
    assert wire.send(bob, pb.GetPermsRequest(id=made, perms=0xFF)).granted == LIST_AND_READ
    assert not wire.send(bob, pb.CheckPermsRequest(id=made, perms=0x10)).granted
    with pytest.raises(Exception, match="Permission Denied"):
        wire.send(bob, pb.ACLViewRequest(id=coll))
    wire.send(ada, pb.ACLUpdateRequest(id=coll, rules="[]"))
    with pytest.raises(Exception, match="Permission Denied"):
        bob.dataView(made)


def test_metadata_are_hidden_from_those_who_may_not_read_them(
    ada: Any, bob: Any, wire: SimpleNamespace
) -> None:
    made = wire.record(ada, "no metadata", metadata='{"secret": 1}')
    share(ada, wire, made, id="u/bob", grant=1)
    data = bob.dataView(made)[0].data[0]
    assert (data.title, data.metadata) == ("no metadata", "")


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ("{", "JSON parse error"),
        ('[{"grant": 1}]', "Access rules must be an array"),
        ('[{"id": "u/nobody", "grant": 1}]', "No such user"),
        ('[{"id": "g/nobody", "grant": 1}]', "Group g/nobody not found"),
        ('[{"id": "u/bob", "grant": "all"}]', "must be numbers"),
        ('[{"id": "u/bob", "inhgrant": 1}]', "Inherited permissions cannot be applied"),
    ],
)
def test_odd_rules_are_refused(ada: Any, wire: SimpleNamespace, rules: str, text: str) -> None:
    made = wire.record(ada, "rules")
    with pytest.raises(Exception, match=text):
        wire.send(ada, pb.ACLUpdateRequest(id=made, rules=rules))


def test_groups(ada: Any, bob: Any, wire: SimpleNamespace) -> None:
    group = pb.GroupData(uid="u/ada", gid="Lab", title="The lab", member=["u/bob"])
    made = wire.send(ada, pb.GroupCreateRequest(group=group)).group[0]
    assert (made.gid, list(made.member)) == ("lab", ["u/bob"])
    record = wire.record(ada, "for the lab")
    share(ada, wire, record, id="g/lab", grant=LIST_AND_READ)
    assert bob.dataView(record)[0].data[0].title == "for the lab"
    update = pb.GroupUpdateRequest(uid="u/ada", gid="lab", title="Lab", rem_uid=["u/bob"])
    assert list(wire.send(ada, update).group[0].member) == []
    with pytest.raises(Exception, match="Permission Denied"):
        bob.dataView(record)
    with pytest.raises(Exception, match="Permission Denied"):
        wire.send(bob, pb.GroupListRequest(uid="u/ada"))
    assert len(wire.send(ada, pb.GroupListRequest(uid="u/ada")).group) == 1
    assert wire.send(ada, pb.GroupViewRequest(uid="u/ada", gid="lab")).group[0].title == "Lab"
    wire.send(ada, pb.GroupDeleteRequest(uid="u/ada", gid="lab"))
    with pytest.raises(Exception, match="Group ID 'lab' not found"):
        wire.send(ada, pb.GroupViewRequest(uid="u/ada", gid="lab"))


def test_repositories_and_allocations(ada: Any, root: Any, wire: SimpleNamespace) -> None:
    options: dict[str, Any] = {
        "title": "Archive",
        "desc": "",
        "domain": "",
        "capacity": 10**9,
        "pub_key": "k",
        "address": "a",
        "endpoint": "e#p",
        "path": "/data/archive",
        "exp_path": "",
    }
    with pytest.raises(Exception, match="Permission Denied"):
        ada.repoCreate("archive", **options)
    made = root.repoCreate("archive", **options, admins=["u/root"])[0].repo[0]
    assert (made.id, made.capacity, list(made.admin)) == ("repo/archive", 10**9, ["u/root"])
    assert {repo.id for repo in ada.repoList(list_all=True)[0].repo} == {
        "repo/archive",
        "repo/sandbox",
    }
    assert not ada.repoList()[0].repo
    with pytest.raises(Exception, match="No allocation on repo repo/archive"):
        ada.dataCreate("x", repo_id="repo/archive")
    task = root.repoAllocationCreate("archive", "u/ada", 10**6, 1)[0].task[0].id
    assert wire.finished(root, task).status == pb.TS_SUCCEEDED
    record = ada.dataCreate("archived", repo_id="repo/archive")[0].data[0]
    assert record.repo_id == "repo/archive"
    allocation = root.repoListAllocations("archive")[0].alloc[0]
    assert (allocation.id, allocation.rec_count, allocation.path) == (
        "u/ada",
        1,
        "/archive/user/ada",
    )
    with pytest.raises(Exception, match="Allocation record count exceeded"):
        ada.dataCreate("second", repo_id="archive")
    with pytest.raises(Exception, match="Cannot delete allocation - records present"):
        root.repoAllocationDelete("archive", "u/ada")
    with pytest.raises(Exception, match="Cannot delete repo with associated allocations"):
        root.repoDelete("repo/archive")
    mine = wire.send(ada, pb.RepoListSubjectAllocationsRequest(stats=True)).alloc
    assert [(each.repo, each.is_def) for each in mine] == [
        ("repo/sandbox", True),
        ("repo/archive", False),
    ]
    assert mine[1].stats.rec_count == 1
    ada.dataDelete(record.id)
    root.repoAllocationDelete("archive", "u/ada")
    root.repoDelete("repo/archive")


SCAN = {
    "type": "object",
    "properties": {"size": {"type": "number", "minimum": 0}, "mode": {"enum": ["PFM", "AFM"]}},
    "required": ["size"],
}


def test_schemas(ada: Any, bob: Any, tmp_path: Any) -> None:
    made = ada.schemaCreate("scan", json.dumps(SCAN), description="a scan", public=True)[0]
    assert (made.schema[0].id, made.schema[0].ver) == ("scan", 0)
    assert ada.metadataValidate("scan:0", '{"size": 1}')[0].errors == ""
    errors = ada.metadataValidate("scan:0", '{"size": -1, "mode": "SEM"}')[0].errors
    assert "$.size" in errors
    assert "$.mode" in errors
    with pytest.raises(Exception, match="required property"):
        ada.dataCreate("bad", metadata="{}", schema="scan:0", schema_enforce=True)
    record = ada.dataCreate("odd", metadata='{"size": "big"}', schema="scan:0")[0].data[0]
    assert "$.size" in record.md_err_msg
    assert (record.sch_id, record.sch_ver) == ("scan:0", 0)
    assert [item.id for item in ada.queryDirect(meta_err=True)[0].item] == [record.id]
    assert [item.id for item in ada.queryDirect(schema="scan:0")[0].item] == [record.id]
    fixed = ada.dataUpdate(record.id, metadata='{"size": 2}')[0].data[0]
    assert fixed.md_err_msg == ""
    with pytest.raises(Exception, match="is not of type"):
        ada.dataUpdate(record.id, metadata='{"size": "x"}', schema_enforce=True)
    with pytest.raises(Exception, match="Schema is associated with data records"):
        ada.schemaUpdate("scan:0", description="x")
    tighter = {**SCAN, "required": ["size", "mode"]}
    assert ada.schemaRevise("scan:0", json.dumps(tighter))[0].schema[0].ver == 1
    assert ada.schemaView("scan:0")[0].schema[0].depr
    with pytest.raises(Exception, match="A revision of schema"):
        ada.schemaRevise("scan:0")
    with pytest.raises(Exception, match="Permission Denied"):
        bob.schemaRevise("scan:1")
    assert [entry.ver for entry in bob.schemaSearch(schema_id="sca")[0].schema] == [0, 1]
    assert bob.schemaSearch(text="a scan", owner="u/ada")[0].total == 2
    ada.dataDelete(record.id)
    ada.schemaDelete("scan:1")
    ada.schemaDelete("scan:0")
    assert ada.schemaSearch()[0].total == 0


def test_schemas_refer_to_each_other(ada: Any, bob: Any) -> None:
    ada.schemaCreate("size", json.dumps({**SCAN, "required": []}))
    using = {"type": "object", "properties": {"scan": {"$ref": "size:0"}}}
    ada.schemaCreate("using", json.dumps(using))
    assert "$.scan.size" in ada.metadataValidate("using:0", '{"scan": {"size": -1}}')[0].errors
    seen = ada.schemaView("using:0", resolve=True)[0].schema[0]
    assert [(entry.id, entry.ver) for entry in seen.uses] == [("size", 0)]
    assert "size:0" in json.loads(getattr(seen, "def"))["_refs"]
    with pytest.raises(Exception, match="Schema is referenced by another schema"):
        ada.schemaDelete("size:0")
    with pytest.raises(Exception, match="Permission Denied"):
        bob.schemaView("size:0")
    changed = ada.schemaUpdate("using:0", new_id="user", public=True)[0].schema[0]
    assert (changed.id, changed.pub) == ("user", True)
    ada.schemaDelete("user:0")
    ada.schemaDelete("size:0")


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        ("[]", "must be a JSON object"),
        ('{"type": "object"}', "missing required 'properties'"),
        ('{"properties": {}}', "missing required 'type'"),
        ('{"type": "object", "properties": {"a b": {}}}', "Illegal character"),
        ('{"type": "object", "properties": {"a": {"type": "wrong"}}}', "Invalid metadata schema"),
        ('{"type": "object", "properties": {"a": {"$ref": "b:7"}}}', "Referenced schema 'b:7'"),
    ],
)
def test_bad_schemas_are_refused(ada: Any, definition: str, text: str) -> None:
    with pytest.raises(Exception, match=text):
        ada.schemaCreate("bad", definition)


def test_system_schemas_need_an_administrator(ada: Any, root: Any) -> None:
    with pytest.raises(Exception, match="requires admin privileges"):
        ada.schemaCreate("sys", json.dumps(SCAN), public=True, system=True)
    with pytest.raises(Exception, match="System schemas cannot be private"):
        root.schemaCreate("sys", json.dumps(SCAN), system=True)
    root.schemaCreate("sys", json.dumps(SCAN), public=True, system=True)
    root.schemaDelete("sys:0")


def test_annotations_reach_what_is_derived(ada: Any, bob: Any, wire: SimpleNamespace) -> None:
    raw = wire.record(ada, "noted raw")
    made = wire.record(ada, "noted made", deps=[("der", raw)])
    newer = wire.record(ada, "noted newer", deps=[("ver", raw)])
    before = ada.dataView(raw)[0].data[0].ut
    request = pb.NoteCreateRequest(
        type=pb.NOTE_TYPE_ERROR, subject=raw, title="Tip broken", comment="redo", activate=True
    )
    note = wire.send(ada, request).note[0]
    assert (note.state, note.comment[0].comment, note.has_child) == (2, "redo", True)
    seen = ada.dataView(raw)[0].data[0]
    assert (seen.notes, seen.ut) == (0x08, before)
    assert ada.dataView(made)[0].data[0].notes == 0x800
    assert ada.dataView(newer)[0].data[0].notes == 0
    inherited = wire.send(ada, pb.NoteListBySubjectRequest(subject=made)).note[0]
    assert (inherited.parent_id, inherited.type) == (note.id, pb.NOTE_TYPE_ERROR)
    with pytest.raises(Exception, match="Permission Denied"):
        wire.send(bob, pb.NoteViewRequest(id=note.id))
    edited = pb.NoteCommentEditRequest(id=note.id, comment_idx=0, comment="redo it")
    assert wire.send(ada, edited).note[0].comment[0].comment == "redo it"
    close = pb.NoteUpdateRequest(id=note.id, comment="done", new_state=pb.NOTE_STATE_CLOSED)
    wire.send(ada, close)
    assert ada.dataView(raw)[0].data[0].notes == 0x1000
    assert ada.dataView(made)[0].data[0].notes == 0x1000


def test_users_change_only_themselves(ada: Any, bob: Any, wire: SimpleNamespace) -> None:
    changed = wire.send(ada, pb.UserUpdateRequest(uid="u/ada", email="ada@lab.invalid"))
    assert changed.user[0].email == "ada@lab.invalid"
    with pytest.raises(Exception, match="Permission Denied"):
        wire.send(bob, pb.UserUpdateRequest(uid="u/ada", password="mine"))
    found = wire.send(bob, pb.UserFindByNameUIDRequest(name_uid="ad"))
    assert [user.uid for user in found.user] == ["u/ada"]
    with pytest.raises(Exception, match="No such user 'u/eve'"):
        bob.userView("u/eve")
