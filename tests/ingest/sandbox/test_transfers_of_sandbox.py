"""Raw data: put, get, tasks, hostile paths."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from datafed import envelope_pb2 as pb

from motif.ingest.sandbox.file_transfer import SandboxTransferError, local_path
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox
from motif.ingest.sandbox.sandbox_database import add_repository


def upload(api: Any, wire: SimpleNamespace, record: str, path: str, **options: Any) -> Any:
    return wire.finished(api, api.dataPut(record, path, **options)[0].task.id)


def download(api: Any, wire: SimpleNamespace, items: Any, path: str, **options: Any) -> Any:
    return wire.finished(api, api.dataGet(items, path, **options)[0].task.id)


def test_put_and_get_keep_every_byte(ada: Any, lab: Path, wire: SimpleNamespace) -> None:
    content = os.urandom(300_000)
    (lab / "scan.v2.ibw").write_bytes(content)
    record = wire.record(ada, "scan")
    task = upload(ada, wire, record, "local#lab/scan.v2.ibw")
    assert (task.status, task.type, task.client) == (pb.TS_SUCCEEDED, pb.TT_DATA_PUT, "u/ada")
    data = ada.dataView(record)[0].data[0]
    assert (data.size, data.ext, data.source) == (300_000, ".ibw", "local#lab/scan.v2.ibw")
    assert data.dt == data.ut > 0
    task = download(ada, wire, record, "local#lab/out/deep")
    assert (task.status, task.source, task.dest) == (3, record, "local#lab/out/deep")
    assert (lab / "out" / "deep" / f"{record[2:]}.ibw").read_bytes() == content
    download(ada, wire, record, "local#lab/out", orig_fname=True)
    assert (lab / "out" / "scan.v2.ibw").read_bytes() == content
    assert sorted(path.name for path in (lab / "out").iterdir()) == ["deep", "scan.v2.ibw"]


def test_paths_under_the_endpoint_folder_may_be_absolute(
    ada: Any, lab: Path, wire: SimpleNamespace
) -> None:
    (lab / "abs.txt").write_text("x")
    record = wire.record(ada)
    assert upload(ada, wire, record, str(lab / "abs.txt")).status == pb.TS_SUCCEEDED
    assert download(ada, wire, record, str(lab / "absolute")).status == pb.TS_SUCCEEDED
    assert (lab / "absolute" / f"{record[2:]}.txt").read_text() == "x"


def test_collections_are_fetched_whole_and_empty_records_skipped(
    ada: Any, lab: Path, wire: SimpleNamespace
) -> None:
    coll = ada.collectionCreate("to get")[0].coll[0].id
    inner = ada.collectionCreate("inside", parent_id=coll)[0].coll[0].id
    records = []
    for index, parent in enumerate((coll, inner)):
        (lab / f"c{index}.txt").write_text(str(index))
        record = wire.record(ada, f"c{index}", parent_id=parent)
        upload(ada, wire, record, f"local#lab/c{index}.txt")
        records.append(record)
    wire.record(ada, "empty", parent_id=coll)
    ada.collectionItemsUpdate(inner, add_ids=records[0])
    assert download(ada, wire, coll, "local#lab/whole").status == pb.TS_SUCCEEDED
    names = sorted(path.name for path in (lab / "whole").iterdir())
    assert names == sorted(f"{record[2:]}.txt" for record in records)


def test_record_without_data(ada: Any, wire: SimpleNamespace) -> None:
    with pytest.raises(Exception, match="contain no raw data"):
        ada.dataGet(wire.record(ada), "local#lab/x")


def test_equal_original_names_are_refused(ada: Any, lab: Path, wire: SimpleNamespace) -> None:
    (lab / "same.txt").write_text("x")
    records = [wire.record(ada, f"same{index}") for index in range(2)]
    for record in records:
        upload(ada, wire, record, "local#lab/same.txt")
    with pytest.raises(Exception, match=r"Duplicate filename\(s\) detected"):
        ada.dataGet(records, "local#lab/same", orig_fname=True)


def test_extension_given_by_hand_stays(ada: Any, lab: Path, wire: SimpleNamespace) -> None:
    (lab / "a.b.c").write_text("x")
    record = wire.record(ada, extension="raw")
    upload(ada, wire, record, "local#lab/a.b.c")
    assert ada.dataView(record)[0].data[0].ext == ".raw"
    upload(ada, wire, record, "local#lab/a.b.c", extension="txt")
    assert ada.dataView(record)[0].data[0].ext == ".txt"
    ada.dataUpdate(record, extension="")
    assert ada.dataView(record)[0].data[0].ext == ".c"


def test_same_size_upload_moves_no_time(tmp_path: Path, wire: SimpleNamespace) -> None:
    lab = tmp_path / "lab"
    with Sandbox(tmp_path / "s", users=["ada:x"], endpoints={"l#l": lab}) as server:
        api = wire.connect(server, "ada")
        (lab / "one").write_bytes(b"first")
        (lab / "two").write_bytes(b"other")
        record = wire.record(api)
        upload(api, wire, record, "l#l/one")
        before = api.dataView(record)[0].data[0]
        server.faults.clock_offset = 1000
        upload(api, wire, record, "l#l/two")
        after = api.dataView(record)[0].data[0]
        assert (after.ut, after.dt, after.size) == (before.ut, before.dt, 5)
        assert after.source == "l#l/two"
        download(api, wire, record, "l#l/out")
        assert (lab / "out" / record[2:]).read_bytes() == b"other"
        server.faults.same_size_upload_is_change = True
        upload(api, wire, record, "l#l/one")
        assert api.dataView(record)[0].data[0].dt >= before.dt + 1000


HOSTILE = ["/../outside", "/a/../../outside", "/link/x", "/link", "//../../outside", "/../../etc"]


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_destinations_fail_the_task(
    ada: Any, lab: Path, wire: SimpleNamespace, path: str
) -> None:
    outside = lab.parent / "outside"
    outside.mkdir(exist_ok=True)
    if not (lab / "link").exists():
        (lab / "link").symlink_to(outside)
    (lab / "h.txt").write_text("h")
    record = wire.record(ada, "hostile")
    upload(ada, wire, record, "local#lab/h.txt")
    task = download(ada, wire, record, f"local#lab{path}")
    assert (task.status, task.msg) == (pb.TS_FAILED, "Permission denied")
    assert list(outside.iterdir()) == []


def test_hostile_sources_fail_the_task(ada: Any, lab: Path, wire: SimpleNamespace) -> None:
    (lab.parent / "key").write_text("secret")
    (lab / "to-key").symlink_to(lab.parent / "key")
    os.mkfifo(lab / "fifo")
    record = wire.record(ada, "hostile source")
    for path, message in (
        ("/../key", "Permission denied"),
        ("/to-key", "Permission denied"),
        ("/fifo", "No such file"),
        ("/missing", "No such file"),
        ("/", "No such file"),
    ):
        task = upload(ada, wire, record, f"local#lab{path}")
        assert task.status == pb.TS_FAILED
        assert task.msg.startswith(message)
    task = upload(ada, wire, record, "other#place/x")
    assert (task.status, task.msg) == (pb.TS_FAILED, "Endpoint 'other#place' not found")
    assert ada.dataView(record)[0].data[0].size == 0


def test_hostile_names_stay_in_their_folder(ada: Any, lab: Path, wire: SimpleNamespace) -> None:
    (lab / "n.txt").write_text("n")
    record = wire.record(ada, "named", extension="/../../escaped")
    upload(ada, wire, record, "local#lab/n.txt")
    task = download(ada, wire, record, "local#lab/names")
    assert (task.status, task.msg) == (pb.TS_FAILED, "Permission denied")
    assert not list(lab.parent.glob("*escaped*"))


def test_a_path_needs_its_endpoint(ada: Any, lab: Path, wire: SimpleNamespace) -> None:
    (lab / "n2.txt").write_text("n")
    record = wire.record(ada)
    with pytest.raises(Exception, match="must include endpoint"):
        wire.send(ada, pb.DataPutRequest(id=record, path="/n2.txt"))
    upload(ada, wire, record, "local#lab/n2.txt")
    with pytest.raises(Exception, match="Invalid destination path"):
        wire.send(ada, pb.DataGetRequest(id=[record], path="nowhere"))
    with pytest.raises(Exception, match="Collections not supported for PUT"):
        ada.dataPut("c/u_ada_root", "local#lab/n2.txt")


@pytest.mark.parametrize("place", ["l#l/\0", "x#y/a", "l#l/../a", "l"])
def test_local_path_refuses(tmp_path: Path, place: str) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(SandboxTransferError):
        local_path({"l#l": tmp_path / "root"}, place)


def test_external_data_come_from_their_endpoint(ada: Any, lab: Path, wire: SimpleNamespace) -> None:
    (lab / "far.h5").write_text("far away")
    record = wire.record(ada, "ext", external=True, raw_data_file="local#lab/far.h5")
    assert download(ada, wire, record, "local#lab/ext").status == pb.TS_SUCCEEDED
    assert [path.read_text() for path in (lab / "ext").iterdir()] == ["far away"]
    with pytest.raises(Exception, match="Cannot upload to external data"):
        ada.dataPut(record, "local#lab/far.h5")


def test_tasks_belong_to_their_user(ada: Any, bob: Any, lab: Path, wire: SimpleNamespace) -> None:
    (lab / "t.txt").write_text("t")
    record = wire.record(ada)
    task = upload(ada, wire, record, "local#lab/t.txt")
    upload(ada, wire, record, "local#lab/none")
    assert ada.taskView()[0].task[0].status == pb.TS_FAILED
    assert ada.taskView(task.id)[0].task[0] == task
    with pytest.raises(Exception, match="Permission Denied"):
        bob.taskView(task.id)
    with pytest.raises(Exception, match="Task task/999999 does not exist"):
        ada.taskView("task/999999")
    succeeded = ada.taskList(status=["succeeded"], since="1h", count=1000)[0].task
    assert task.id in {each.id for each in succeeded}
    assert {each.status for each in succeeded} == {pb.TS_SUCCEEDED}
    assert not ada.taskList(time_from=2**31)[0].task
    assert "local#lab/t.txt".rpartition("/")[0] + "/" in ada.endpointListRecent()[0].ep


def test_deleted_raw_data_leave_the_record(ada: Any, lab: Path, wire: SimpleNamespace) -> None:
    (lab / "d.txt").write_text("data")
    record = wire.record(ada, "emptied")
    upload(ada, wire, record, "local#lab/d.txt")
    task = wire.send(ada, pb.DataDeleteRequest(id=[record])).task[0]
    assert wire.finished(ada, task.id).status == pb.TS_SUCCEEDED
    assert ada.dataView(record)[0].data[0].size == 0


def test_the_servers_own_files_stay_its_own(tmp_path: Path, wire: SimpleNamespace) -> None:
    with Sandbox(tmp_path / "s", users=["ada:x"], endpoints={"l#l": tmp_path}) as server:
        api = wire.connect(server, "ada")
        (tmp_path / "f.priv").write_text("f")
        record = wire.record(api)
        for path in ("/s/ada.priv", "/s/sandbox.sqlite", "/s/repo/sandbox/user/ada/1"):
            task = upload(api, wire, record, f"l#l{path}")
            assert (task.status, task.msg) == (pb.TS_FAILED, "Permission denied")
        assert upload(api, wire, record, "l#l/f.priv").status == pb.TS_SUCCEEDED
        for path in ("/s", "/s/repo/sandbox"):
            task = download(api, wire, record, f"l#l{path}", orig_fname=True)
            assert (task.status, task.msg) == (pb.TS_FAILED, "Permission denied")
        assert download(api, wire, record, "l#l/s/endpoint").status == pb.TS_SUCCEEDED


def test_default_endpoint(tmp_path: Path, wire: SimpleNamespace) -> None:
    with Sandbox(tmp_path / "s", users=["ada:x"]) as server:
        add_repository(tmp_path / "s")
        api = wire.connect(server, "ada")
        assert api.endpointDefaultGet() == "motif#sandbox"
        (tmp_path / "s" / "endpoint" / "f.txt").write_text("f")
        record = wire.record(api)
        assert upload(api, wire, record, "motif#sandbox/f.txt").status == pb.TS_SUCCEEDED


def test_a_fresh_server_has_no_repository_until_one_is_added(
    tmp_path: Path, wire: SimpleNamespace
) -> None:
    with Sandbox(tmp_path / "s", users=["ada:x"]) as server:
        api = wire.connect(server, "ada")
        assert not api.repoList(list_all=True)[0].repo
        with pytest.raises(Exception, match="allocation"):
            wire.record(api)
    with Sandbox(tmp_path / "s", endpoints={"lab#disk": tmp_path}) as server:
        api = wire.connect(server, "ada")
        assert [repository.id for repository in api.repoList(list_all=True)[0].repo] == [
            "repo/sandbox"
        ]
        first = wire.record(api, "stored by default")
    with Sandbox(tmp_path / "s") as server:
        api = wire.connect(server, "ada")
        assert api.dataView(first)[0].data[0].title == "stored by default"
        assert wire.record(api, "the repository stays") != first


def test_adding_a_repository_twice_changes_nothing(tmp_path: Path, wire: SimpleNamespace) -> None:
    with Sandbox(tmp_path / "s", users=["ada:x", "bob:x"]) as server:
        add_repository(tmp_path / "s")
        add_repository(tmp_path / "s")
        for user in ("ada", "bob"):
            api = wire.connect(server, user)
            assert wire.record(api, user)
