"""Requests and replies stay matched whatever the server does, over real sockets."""

from __future__ import annotations

import gc
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import zmq

from motif.core.errors import SourceError
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.datafed_errors import (
    AuthenticationError,
    DataFedError,
    LostReplyError,
    RefusedError,
    ReplyTimeoutError,
)
from motif.ingest.datafed.datafed_session import LAST_CONTEXT
from motif.ingest.datafed.record_documents import RecordDraft
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox


@pytest.fixture
def client(connection: Connection) -> Iterator[DataFed]:
    with DataFed(replace(connection, timeout=1.0)) as opened:
        yield opened


def assert_matched(client: DataFed) -> None:
    """Requests of different kinds get their own answers."""
    for _ in range(3):
        assert client.collection("root")["id"] == "c/u_ann_root"
        assert client.search(owner="u/ann").complete
        assert client.request("UserViewRequest", uid="u/ann")["user"][0]["uid"] == "u/ann"


def test_replies_are_dictionaries(client: DataFed) -> None:
    record = client.create_record(
        RecordDraft("scan", {"bias": 1.5}, "why", ["pfm"], "first-scan"), "root"
    )
    assert record == client.record(record["id"])
    assert record == next(client.records([record["id"]])) | {"repository": record["repository"]}
    assert (record["title"], record["metadata"], record["tags"], record["alias"]) == (
        "scan",
        {"bias": 1.5},
        ["pfm"],
        "first-scan",
    )
    assert (record["description"], record["owner"], record["size"]) == ("why", "u/ann", 0)


def test_replies_can_be_pickled(client: DataFed) -> None:
    """Unlike the replies of the unmodified client."""
    record = client.create_record(RecordDraft("scan", {"bias": 1.5}), "root")
    replies = [record, client.collection("root"), client.items("c/u_ann_root"), client.search()]
    assert pickle.loads(pickle.dumps(replies)) == replies


def test_a_package_with_the_same_message_file_is_named() -> None:
    code = """
from google.protobuf import descriptor_pb2, descriptor_pool

other = descriptor_pb2.FileDescriptorProto(name="envelope.proto", package="other")
other.message_type.add(name="Thing")
descriptor_pool.Default().AddSerializedFile(other.SerializeToString())
import motif.ingest.datafed.datafed_session
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 1
    assert "ConfigError: The datafed package cannot be loaded: another package" in run.stderr


def test_unknown_kinds_of_dependencies_are_refused(client: DataFed) -> None:
    """The client would take any of them for ``der``."""
    record = client.create_record(RecordDraft("scan"), "root")["id"]
    with pytest.raises(DataFedError, match="use one of der, comp, ver"):
        client.update_record(record, add_dependencies=[("derived", record)])


def test_rewritten_metadata_are_logged(client: DataFed, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="motif.ingest.datafed"):
        client.create_records([RecordDraft("scan", {"bias": float("nan")})], "root")
    assert "scan: bias: nan is not a JSON number" in caplog.text


def test_the_context_number_never_overflows(client: DataFed) -> None:
    client.session._messages._ctxt = LAST_CONTEXT - 5
    for _ in range(5):
        assert_matched(client)
    assert client.session._messages._ctxt < 100


def test_a_late_reply_does_not_answer_the_next_call(sandbox: Sandbox, client: DataFed) -> None:
    sandbox.faults.delay_reply(1.5)
    assert_matched(client)
    time.sleep(1)
    assert_matched(client)


def test_a_repeated_reply_does_not_answer_the_next_call(sandbox: Sandbox, client: DataFed) -> None:
    for _ in range(3):
        sandbox.faults.repeat_reply()
    assert_matched(client)


def test_a_read_whose_reply_is_lost_is_repeated(sandbox: Sandbox, client: DataFed) -> None:
    sandbox.faults.drop_reply("CollViewRequest")
    assert_matched(client)


def test_a_write_is_never_repeated(sandbox: Sandbox, client: DataFed) -> None:
    sandbox.faults.drop_reply("RecordCreateRequest")
    with pytest.raises(ReplyTimeoutError) as caught:
        client.create_record(RecordDraft("once"), "root")
    assert caught.value.request == "RecordCreateRequest"
    assert_matched(client)
    assert [title for _, title, *_ in client.items("root")] == ["once"]


def test_the_clients_own_methods_are_as_safe(sandbox: Sandbox, client: DataFed) -> None:
    api = client.session.api
    sandbox.faults.repeat_reply()
    sandbox.faults.drop_reply("CollViewRequest")
    reply, kind = api.collectionView("root")
    assert (kind, reply.coll[0].id) == ("CollDataReply", "c/u_ann_root")
    with pytest.raises(RefusedError):
        api.dataView("d/424242")


def test_refusals_carry_the_code(client: DataFed) -> None:
    with pytest.raises(RefusedError) as caught:
        client.record("d/424242")
    assert caught.value.code > 0
    assert caught.value.request == "RecordViewRequest"
    assert isinstance(caught.value, SourceError)
    assert_matched(client)


def test_a_message_that_cannot_be_encoded_is_not_sent_in_part(client: DataFed) -> None:
    with pytest.raises((TypeError, ValueError)):
        client.request("RecordViewRequest", id=5)
    client.session._messages._ctxt = 2**16
    client.session._messages.send, send = _overflowing(client), client.session._messages.send
    with pytest.raises(LostReplyError):
        client.create_record(RecordDraft("half"), "root")
    client.session._messages.send = send
    assert_matched(client)
    assert client.items("root") == []


def _overflowing(client: DataFed):  # type: ignore[no-untyped-def]
    """Send as the client does with a context number that no longer fits."""

    def send(message: object) -> int:
        client.session._messages._conn.send(message, 2**16)
        raise AssertionError("the number was accepted")

    return send


def test_threads_share_a_connection(client: DataFed) -> None:
    def request(number: int) -> bool:
        record = client.create_record(RecordDraft(f"record {number}"), "root")
        return bool(client.record(record["id"])["title"] == f"record {number}")

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(request, range(80)))


def test_a_forked_process_gets_an_error(client: DataFed, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 1)
        with pytest.raises(DataFedError, match="forked"):
            client.collection("root")
    assert_matched(client)


def test_a_closed_connection_gives_an_error(client: DataFed) -> None:
    client.close()
    client.close()
    with pytest.raises(DataFedError, match="closed"):
        client.collection("root")


def test_a_connection_that_was_not_closed_is_collected(connection: Connection) -> None:
    client = DataFed(connection)
    api = client.session.api
    assert api.getAuthUser() == "u/ann"
    del client
    start = time.monotonic()
    gc.collect()
    assert time.monotonic() - start < 2
    with pytest.raises(DataFedError, match="closed"):
        api.collectionView("root")


def test_a_server_that_ends_is_noticed_at_once_and_reconnected(
    sandbox: Sandbox, connection: Connection, tmp_path: Path
) -> None:
    with DataFed(replace(connection, timeout=20)) as client:
        record = client.create_record(RecordDraft("kept"), "root")["id"]
        sandbox.faults.delay_reply(60, "RecordViewRequest")
        began = threading.Event()
        titles = []

        def request() -> None:
            began.set()
            titles.append(client.record(record)["title"])

        thread = threading.Thread(target=request)
        thread.start()
        began.wait()
        time.sleep(0.2)
        port = connection.port
        sandbox.stop()
        with Sandbox(sandbox.folder, port=port, endpoints={"motif#disk": tmp_path}):
            start = time.monotonic()
            thread.join(15)
            assert titles == ["kept"]
            assert time.monotonic() - start < 6


def test_nothing_is_written_to_the_home_folder_or_looked_up(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("DATAFED_CLIENT_TOKEN", "stolen")
    monkeypatch.setenv("DATAFED_SERVER_PORT", "1")
    monkeypatch.setenv("DATAFED_CLIENT_CFG_DIR", str(home / "cfg"))
    monkeypatch.setattr(requests, "get", forbidden)
    with DataFed(connection) as client:
        assert client.user == "u/ann"
    assert list(home.rglob("*")) == []


def test_the_user_of_the_key_is_checked(connection: Connection) -> None:
    with pytest.raises(AuthenticationError, match="as u/ann, not as u/bob"):
        DataFed(replace(connection, user="bob"))


def test_an_unknown_key_is_refused(connection: Connection, tmp_path: Path) -> None:
    public, private = zmq.curve_keypair()
    (tmp_path / "me.pub").write_bytes(public)
    (tmp_path / "me.priv").write_bytes(private)
    unknown = replace(connection, public_key=tmp_path / "me.pub", private_key=tmp_path / "me.priv")
    with pytest.raises(AuthenticationError, match="as nobody"):
        DataFed(unknown)


def test_wrong_address_and_wrong_server_key_give_different_errors(
    connection: Connection, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(LostReplyError, match="check host and port"):
        DataFed(replace(connection, port=port))
    (tmp_path / "wrong").write_bytes(zmq.curve_keypair()[0])
    start = time.monotonic()
    with pytest.raises(LostReplyError, match="not the key"):
        DataFed(replace(connection, server_key=tmp_path / "wrong"))
    assert time.monotonic() - start < 5
