"""Identity and framing, over real sockets."""

from __future__ import annotations

import stat
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import zmq
from datafed import VERSION
from datafed import envelope_pb2 as pb

from motif.core.errors import ConfigError, NotFoundError
from motif.ingest.sandbox.request_server.faults import Limits
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox


def anonymous_options(sandbox: Sandbox, folder: Path) -> dict[str, Any]:
    """Options with key files that do not exist: the client then takes random keys."""
    options = sandbox.client_options("ada")
    options["client_pub_key_file"] = str(folder / "none.pub")
    options["client_priv_key_file"] = str(folder / "none.priv")
    return options


@pytest.fixture
def visitor(sandbox: Sandbox, tmp_path: Path) -> Any:
    from datafed.CommandLib import API

    return API(anonymous_options(sandbox, tmp_path))


def test_key_files_sign_in(ada: Any, bob: Any) -> None:
    assert (ada.getAuthUser(), bob.getAuthUser()) == ("u/ada", "u/bob")


def test_unknown_key_is_anonymous_and_refused(visitor: Any) -> None:
    assert visitor.getAuthUser() is None
    with pytest.raises(Exception, match=r"^Authentication required"):
        visitor.dataView("d/1")


def test_password_signs_in_until_another_key_is_used(
    sandbox: Sandbox, visitor: Any, tmp_path: Path, wire: SimpleNamespace
) -> None:
    visitor.loginByPassword("bob", "hunter")
    assert visitor.getAuthUser() == "u/bob"
    assert visitor.userView("bob")[0].user[0].name_first == "Bob"
    other = type(visitor)(anonymous_options(sandbox, tmp_path))
    assert other.getAuthUser() is None


@pytest.mark.parametrize(("name", "password"), [("bob", "wrong"), ("nobody", "x"), ("bob", "")])
def test_wrong_password_is_refused(visitor: Any, name: str, password: str) -> None:
    with pytest.raises(Exception, match=r"^Authentication Failed"):
        visitor.loginByPassword(name, password)


def test_sessions_end(tmp_path: Path, wire: SimpleNamespace) -> None:
    with (
        Sandbox(tmp_path / "s", users=["ada:x"], limits=Limits(session_seconds=-1)) as server,
        wire.raw(server) as raw,
    ):
        reply = raw.ask(pb.AuthenticateByPasswordRequest(uid="ada", password="x"))
        assert reply.auth
        assert not raw.ask(pb.GetAuthStatusRequest()).auth


def test_token_signs_in(sandbox: Sandbox, tmp_path: Path) -> None:
    from datafed.CommandLib import API

    token = (sandbox.folder / "bob.token").read_text()
    api = API({**anonymous_options(sandbox, tmp_path), "client_token": token})
    assert api.getAuthUser() == "u/bob"
    with pytest.raises(Exception, match=r"^Authentication Failed"):
        API({**anonymous_options(sandbox, tmp_path), "client_token": "guess"})


def test_generated_credentials_are_the_users_own(
    sandbox: Sandbox, visitor: Any, tmp_path: Path
) -> None:
    visitor.loginByPassword("bob", "hunter")
    first, second = visitor.generateCredentials()[0], visitor.generateCredentials()[0]
    assert first == second
    assert first.pub_key == (sandbox.folder / "bob.pub").read_text()
    visitor.setupCredentials()
    again = type(visitor)(anonymous_options(sandbox, tmp_path))
    assert again.getAuthUser() == "u/bob"


def test_revoked_credentials_sign_nobody_in(tmp_path: Path, wire: SimpleNamespace) -> None:
    with Sandbox(tmp_path / "s", users=["ada:x"], endpoints={"l#l": tmp_path / "lab"}) as server:
        api = wire.connect(server, "ada")
        wire.send(api, pb.RevokeCredentialsRequest())
        assert wire.connect(server, "ada").getAuthUser() is None


def test_claiming_another_users_key_gains_nothing(
    sandbox: Sandbox, ada: Any, wire: SimpleNamespace
) -> None:
    secret = wire.record(ada, "secret")
    with wire.raw(sandbox) as raw:
        key = (sandbox.folder / "ada.pub").read_bytes()
        status = raw.ask(pb.GetAuthStatusRequest(), key=key)
        assert (status.auth, status.uid) == (False, "")
        refusal = raw.ask(pb.RecordViewRequest(id=secret), key=key)
        assert refusal.err_code == pb.AUTHN_REQUIRED
        login = raw.ask(pb.AuthenticateByPasswordRequest(uid="ada", password="secret"), key=key)
        assert login.err_code == pb.AUTHN_ERROR


def test_version_is_the_clients(sandbox: Sandbox, wire: SimpleNamespace) -> None:
    with wire.raw(sandbox) as raw:
        reply = raw.ask(pb.VersionRequest())
    assert reply.api_major == VERSION.DATAFED_COMMON_PROTOCOL_API_MAJOR == 3


def test_reply_framing(sandbox: Sandbox, wire: SimpleNamespace) -> None:
    with wire.raw(sandbox) as raw:
        raw.send(raw.parts(pb.VersionRequest(), context=65535))
        parts = raw.receive()
    assert parts[:2] == [b"", b"BEGIN_DATAFED"]
    assert parts[4] == b"some-correlation"
    size, number, context = struct.unpack(">LHH", parts[7])
    assert (size, number, context) == (len(parts[8]), 13, 65535)


def test_another_protocol_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(VERSION, "DATAFED_COMMON_PROTOCOL_API_MAJOR", 4)
    with pytest.raises(ConfigError, match="speaks API 4"):
        Sandbox(tmp_path)


MALFORMED: list[list[bytes]] = [
    [b""],
    [b"x" * 70_000],
    [b"BEGIN_DATAFED"],
    [b"NOT_DATAFED", b"\0\0\0\0", b"", b"c", b"k", b"u", b"\0" * 8, b""],
    [b"BEGIN_DATAFED", b"\0\0", b"", b"c", b"k", b"u", b"\0" * 8, b""],
    [b"BEGIN_DATAFED", b"\x7f\xff\xff\xff", b"", b"c", b"k", b"u", b"\0" * 8, b""],
    [b"BEGIN_DATAFED", b"\xff\xff\xff\xff", b"", b"c", b"k", b"u", b"\0" * 8, b""],
    [b"BEGIN_DATAFED", b"\0" * 4, b"", b"\xff\xfe", b"k", b"u", b"\0" * 8, b""],
    [b"BEGIN_DATAFED", b"\0" * 4, b"", b"c" * 5000, b"k", b"u", b"\0" * 8, b""],
    [b"BEGIN_DATAFED", b"\0" * 4, b"", b"c", b"k", b"u", b"\0" * 7, b""],
    [b"BEGIN_DATAFED", b"\0" * 4, b"", b"c", b"k", b"u", struct.pack(">LHH", 9, 12, 1), b"short"],
    [b"BEGIN_DATAFED", b"\0" * 4] + [b""] * 200,
]


def test_malformed_messages_are_dropped_and_the_server_lives(
    sandbox: Sandbox, wire: SimpleNamespace
) -> None:
    before = sandbox.dropped
    with wire.raw(sandbox) as raw:
        for parts in MALFORMED:
            raw.send(parts)
        assert raw.ask(pb.VersionRequest()).api_major == 3
        assert raw.receive(50) is None
    assert sandbox.dropped - before == len(MALFORMED)


@pytest.mark.parametrize(
    ("number", "body", "text"),
    [
        (12, b"\xff\xff\xff", "cannot be parsed"),
        (60_000, b"", "Unknown message type"),
        (201, b"b\x00", "announces RecordViewRequest but the body holds version_request"),
        (13, b"", "VersionReply is not served"),
    ],
)
def test_messages_that_make_no_sense_are_refused(
    sandbox: Sandbox, wire: SimpleNamespace, number: int, body: bytes, text: str
) -> None:
    with wire.raw(sandbox) as raw:
        parts = raw.parts(pb.VersionRequest())
        raw.send([*parts[:-2], struct.pack(">LHH", len(body), number, 1), body])
        reply = wire.reply(raw.receive())
    assert reply.err_code == pb.BAD_REQUEST
    assert text in reply.err_msg


def test_unhandled_request_gets_a_refusal(ada: Any, wire: SimpleNamespace) -> None:
    with pytest.raises(Exception, match=r"UserCreateRequest is not served.*motif sandbox user"):
        wire.send(ada, pb.UserCreateRequest(uid="eve", name="Eve"))


def test_oversized_frame_ends_only_its_connection(
    sandbox: Sandbox, ada: Any, wire: SimpleNamespace
) -> None:
    with wire.raw(sandbox) as raw:
        raw.send([b"x" * (sandbox.limits.frame_bytes + 1)])
        assert raw.receive(200) is None
    assert ada.userView("ada")[0].user[0].uid == "u/ada"


def test_client_without_encryption_is_not_served(sandbox: Sandbox) -> None:
    context = zmq.Context()
    with context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(f"tcp://127.0.0.1:{sandbox.port}")
        socket.send_multipart([b"BEGIN_DATAFED"])
        assert not socket.poll(200)
    context.term()


def test_files_are_private(sandbox: Sandbox) -> None:
    for name in ("ada.priv", "ada.pub", "ada.token", "datafed-core-key.priv", "sandbox.sqlite"):
        assert stat.S_IMODE((sandbox.folder / name).stat().st_mode) == 0o600, name
    assert len((sandbox.folder / "ada.priv").read_text()) == 40
    assert b"secret" not in (sandbox.folder / "sandbox.sqlite").read_bytes()


def test_one_server_a_folder(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigError, match="Another sandbox serves"):
        Sandbox(sandbox.folder).start()


def test_taken_port(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"Cannot listen on 127.0.0.1:{sandbox.port}"):
        Sandbox(tmp_path / "other", port=sandbox.port).start()
    with Sandbox(tmp_path / "other") as server:
        assert server.port != sandbox.port


def test_options_of_an_unknown_user(sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundError, match="motif sandbox user"):
        sandbox.client_options("eve")


@pytest.mark.parametrize("user", ["../x:y", "ada", "ada:", ":x", "A B:x", "x" * 41 + ":y"])
def test_bad_users_are_refused(tmp_path: Path, user: str) -> None:
    with pytest.raises(ConfigError):
        Sandbox(tmp_path, users=[user])


def test_bad_endpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Endpoint 'lab' is not allowed"):
        Sandbox(tmp_path, endpoints={"lab": tmp_path})


def test_a_restart_keeps_keys_and_records(tmp_path: Path, wire: SimpleNamespace) -> None:
    with Sandbox(tmp_path / "s", users=["ada:x"], endpoints={"l#l": tmp_path / "lab"}) as server:
        made = wire.record(wire.connect(server, "ada"), "kept")
    with Sandbox(tmp_path / "s") as server:
        api = wire.connect(server, "ada")
        assert api.dataView(made)[0].data[0].title == "kept"
    assert not (tmp_path / "s" / "sandbox.json").exists()
