"""Faults on the real wire, as clients of an unreliable service meet them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from datafed import envelope_pb2 as pb

from motif.core.errors import ConfigError
from motif.ingest.sandbox.request_server.control import turn
from motif.ingest.sandbox.request_server.faults import Limits
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "s", users=["ada:x"], endpoints={"l#l": tmp_path / "lab"}) as sandbox:
        yield sandbox


@pytest.fixture
def api(server: Sandbox, wire: SimpleNamespace) -> Any:
    return wire.connect(server, "ada")


def test_a_dropped_reply_times_out_though_the_work_is_done(server: Sandbox, api: Any) -> None:
    server.faults.drop_reply("RecordCreateRequest")
    api._mapi.setDefaultTimeout(200)
    api.userView("ada")
    with pytest.raises(Exception, match="Timeout"):
        api.dataCreate("done all the same")
    api._mapi._conn.reset()
    assert api.collectionItemsList("root")[0].item[0].title == "done all the same"


def test_a_late_reply_answers_the_wrong_call(server: Sandbox, api: Any) -> None:
    server.faults.delay_reply(0.3)
    api._mapi.setDefaultTimeout(100)
    with pytest.raises(Exception, match="Timeout"):
        api.userView("ada")
    api._mapi.setDefaultTimeout(5000)
    time.sleep(0.3)
    with pytest.raises(Exception, match="Mismatched reply"):
        api.userView("ada")


def test_others_are_answered_while_a_reply_is_late(
    server: Sandbox, api: Any, wire: SimpleNamespace
) -> None:
    other = wire.connect(server, "ada")
    server.faults.delay_reply(0.5, "ProjectListRequest")
    thread = threading.Thread(target=api.projectList)
    start = time.monotonic()
    thread.start()
    time.sleep(0.1)
    other.userView("ada")
    assert time.monotonic() - start < 0.4
    thread.join()
    assert time.monotonic() - start >= 0.5


def test_a_repeated_reply_answers_the_next_call(server: Sandbox, api: Any) -> None:
    server.faults.repeat_reply()
    api.userView("ada")
    with pytest.raises(Exception, match="Mismatched reply"):
        api.userView("ada")


def test_a_transfer_can_fail(
    server: Sandbox, api: Any, tmp_path: Path, wire: SimpleNamespace
) -> None:
    (tmp_path / "lab" / "f").write_text("f")
    record = wire.record(api)
    server.faults.fail_transfer("lost in the network")
    first = wire.finished(api, api.dataPut(record, "l#l/f")[0].task.id)
    assert (first.status, first.msg) == (pb.TS_FAILED, "lost in the network")
    assert wire.finished(api, api.dataPut(record, "l#l/f")[0].task.id).status == pb.TS_SUCCEEDED


def test_a_transfer_can_get_stuck_and_outlives_the_server(
    server: Sandbox, api: Any, tmp_path: Path, wire: SimpleNamespace
) -> None:
    (tmp_path / "lab" / "f").write_text("f")
    record = wire.record(api)
    server.faults.hold_transfers()
    task = api.dataPut(record, "l#l/f")[0].task.id
    assert wire.finished(api, task, 0.2).status == pb.TS_READY
    server.stop()
    with Sandbox(server.folder, endpoints=server.endpoints) as again:
        api = wire.connect(again, "ada")
        assert wire.finished(api, task).status == pb.TS_SUCCEEDED
        assert api.dataView(record)[0].data[0].size == 1


def test_clear_forgets_what_has_not_happened(server: Sandbox, api: Any, tmp_path: Path) -> None:
    faults = server.faults
    for knob, value in (
        ("drop-reply", ""), ("delay-reply", "9"), ("fail-transfer", "no"), ("hold-transfers", ""),
        ("transfer-delay", "9"), ("search-lag", "9"), ("clock-offset", "-9"),
    ):  # fmt: skip
        faults.turn(knob, value, "UserViewRequest" if knob.endswith("reply") else None)
    faults.clear()
    assert api.userView("ada")[0].user[0].uid == "u/ada"
    assert faults.next_transfer_failure() is None
    assert faults.transfers_may_start(0)
    assert (faults.transfer_delay, faults.search_lag, faults.clock_offset) == (0, 0, 0)


@pytest.mark.parametrize(
    ("words", "stated"),
    [
        (("drop", ""), "'drop' is not a fault; the faults are drop-reply"),
        (("search-lag", "soon"), "takes seconds, not 'soon'"),
        (("search-lag", "-1"), "from 0 on"),
        (("delay-reply", "nan"), "from 0 on"),
        (("clear", "1"), "takes no value"),
        (("search-lag", "1", "UserViewRequest"), "does not belong to a request"),
        (("drop-reply", "", "UserViewReqest"), "the nearest is UserViewRequest"),
    ],
)
def test_knobs_that_are_none(server: Sandbox, words: tuple[str, ...], stated: str) -> None:
    with pytest.raises(ConfigError, match=stated):
        server.faults.turn(*words)
    with pytest.raises(ConfigError, match=stated):
        turn(server.folder, *words)


def test_an_order_that_makes_no_sense_is_passed_over(server: Sandbox, api: Any) -> None:
    orders = server.folder / "faults"
    for number, text in enumerate(("", "[1]", '{"knob": "explode", "value": "", "request": null}')):
        (orders / f"{number}.json").write_text(text)
    turn(server.folder, "clock-offset", "-5000")
    assert api.dataCreate("old")[0].data[0].ct < time.time() - 4000
    assert list(orders.iterdir()) == []


def test_data_for_a_deleted_record_are_not_kept(
    server: Sandbox, api: Any, tmp_path: Path, wire: SimpleNamespace
) -> None:
    (tmp_path / "lab" / "f").write_text("f")
    record = wire.record(api)
    server.faults.hold_transfers()
    task = api.dataPut(record, "l#l/f")[0].task.id
    api.dataDelete(record)
    server.faults.release_transfers()
    assert wire.finished(api, task).msg == f"Data record '{record}' does not exist."
    assert [path for path in (server.folder / "repo").rglob("*") if path.is_file()] == []


def test_servers_side_by_side_know_nothing_of_each_other(
    server: Sandbox, api: Any, tmp_path: Path, wire: SimpleNamespace
) -> None:
    with Sandbox(tmp_path / "other", users=["ada:x"]) as other:
        second = wire.connect(other, "ada")
        wire.record(api, "here")
        assert second.collectionItemsList("root")[0].total == 0
        strange = {**other.client_options("ada"), "client_priv_key_file": "none"}
        assert wire.connect(other, "ada", **strange).getAuthUser() is None
        assert api.collectionItemsList("root")[0].total == 1


def test_tasks_run_at_once_but_not_on_the_same_data(
    server: Sandbox, api: Any, tmp_path: Path, wire: SimpleNamespace
) -> None:
    (tmp_path / "lab" / "f").write_text("f")
    records = [wire.record(api, f"r{n}") for n in range(4)]
    server.faults.transfer_delay = 0.5
    start = time.monotonic()
    first = [api.dataPut(record, "l#l/f")[0].task.id for record in records]
    second = api.dataPut(records[0], "l#l/f")[0].task
    assert (second.status, second.msg) == (pb.TS_BLOCKED, "Queued")
    assert [wire.finished(api, task).status for task in first] == [pb.TS_SUCCEEDED] * 4
    assert time.monotonic() - start < 4 * 0.5
    third = api.taskView(second.id)[0].task[0]
    assert third.status in (pb.TS_READY, pb.TS_RUNNING)
    assert wire.finished(api, second.id).status == pb.TS_SUCCEEDED
    both = [api.dataGet(records[0], f"l#l/out{n}")[0].task for n in range(2)]
    assert [task.status for task in both] == [pb.TS_READY] * 2, "reading hinders no reading"
    after = api.dataPut(records[0], "l#l/f")[0].task
    assert after.status == pb.TS_BLOCKED
    server.faults.transfer_delay = 0.0
    assert wire.finished(api, after.id).status == pb.TS_SUCCEEDED
    assert [wire.finished(api, task.id).status for task in both] == [pb.TS_SUCCEEDED] * 2


def test_two_transfers_of_one_record_to_one_place_leave_a_whole_file(
    server: Sandbox, api: Any, tmp_path: Path, wire: SimpleNamespace
) -> None:
    content = bytes(range(256)) * 20_000
    (tmp_path / "lab" / "f").write_bytes(content)
    record = wire.record(api)
    wire.finished(api, api.dataPut(record, "l#l/f")[0].task.id)
    tasks = [api.dataGet(record, "l#l/out")[0].task.id for _ in range(20)]
    assert {wire.finished(api, task).status for task in tasks} == {pb.TS_SUCCEEDED}
    (arrived,) = (tmp_path / "lab" / "out").iterdir()
    assert arrived.read_bytes() == content


def test_one_task_at_a_time_where_the_limit_says_so(tmp_path: Path, wire: SimpleNamespace) -> None:
    lab = tmp_path / "lab"
    with Sandbox(
        tmp_path / "s", users=["ada:x"], endpoints={"l#l": lab}, limits=Limits(tasks_at_once=1)
    ) as server:
        (lab / "f").write_text("f")
        api = wire.connect(server, "ada")
        server.faults.transfer_delay = 0.2
        start = time.monotonic()
        tasks = [api.dataPut(wire.record(api, f"r{n}"), "l#l/f")[0].task.id for n in range(3)]
        for task in tasks:
            wire.finished(api, task)
        assert time.monotonic() - start >= 0.6


def test_transfers_can_be_slow(
    server: Sandbox, api: Any, tmp_path: Path, wire: SimpleNamespace
) -> None:
    (tmp_path / "lab" / "f").write_text("f")
    server.faults.transfer_delay = 0.3
    start = time.monotonic()
    wire.finished(api, api.dataPut(wire.record(api), "l#l/f")[0].task.id)
    assert time.monotonic() - start >= 0.3


def test_the_loop_survives_an_error_of_its_own(
    server: Sandbox, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        monkeypatch.undo()
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(server._loop, "_reply", broken)
    api._mapi.setDefaultTimeout(100)
    with pytest.raises(Exception, match="Timeout"):
        api.userView("ada")
    api._mapi.setDefaultTimeout(5000)
    api._mapi._conn.reset()
    assert api.userView("ada")[0].user[0].uid == "u/ada"


def test_an_error_of_a_handler_is_a_refusal(
    server: Sandbox, api: Any, monkeypatch: pytest.MonkeyPatch, wire: SimpleNamespace
) -> None:
    from motif.ingest.sandbox.request_server.request_dispatch import TABLE, Entry

    def broken(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    entry = Entry("UserViewRequest", broken, anonymous=False, writes=True, summary="")
    with monkeypatch.context() as patch:
        patch.setitem(TABLE, "UserViewRequest", entry)
        with pytest.raises(Exception, match="Internal server fault"):
            api.userView("ada")
    assert api.userView("ada")[0].user[0].uid == "u/ada"


def test_many_clients_at_once(server: Sandbox, wire: SimpleNamespace) -> None:
    problems: list[BaseException] = []

    def work(index: int) -> None:
        try:
            api = wire.connect(server, "ada")
            for step in range(30):
                made = api.dataCreate(f"r{index}-{step}", alias=f"r{index}-{step}")[0].data[0]
                assert api.dataView(f"r{index}-{step}")[0].data[0].id == made.id
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    api = wire.connect(server, "ada")
    assert api.collectionItemsList("root")[0].total == 180
