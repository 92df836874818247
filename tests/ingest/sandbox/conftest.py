from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import zmq
from datafed import VersionUtils
from datafed import envelope_pb2 as pb
from datafed.CommandLib import API

from motif.ingest.sandbox.request_server.sandbox_server import Sandbox

USERS = ("ada:secret", "bob:hunter", "root:master:admin")
TYPES = {
    field.message_type.name: (field.number, field.name) for field in pb.Envelope.DESCRIPTOR.fields
}


@pytest.fixture(autouse=True, scope="session")
def _no_version_lookup() -> Iterator[None]:
    """The client looks for newer versions of itself on the network, without a time-out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VersionUtils, "get_latest_stable_version", lambda _name: None)
        yield


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    base = tmp_path_factory.mktemp("sandbox")
    with Sandbox(base / "server", endpoints={"local#lab": base / "lab"}, users=USERS) as server:
        yield server


@pytest.fixture(scope="module")
def lab(sandbox: Sandbox) -> Path:
    return sandbox.endpoints["local#lab"]


def connect(server: Sandbox, user: str, **options: Any) -> Any:
    """The unmodified client, signed in by key."""
    return API({**server.client_options(user), **options})


@pytest.fixture(scope="session")
def wire() -> SimpleNamespace:
    """Helpers that talk to a server."""
    return SimpleNamespace(
        connect=connect, send=send, finished=finished, record=record, raw=RawClient, reply=reply_of
    )


@pytest.fixture(scope="module")
def ada(sandbox: Sandbox) -> Any:
    return connect(sandbox, "ada")


@pytest.fixture(scope="module")
def bob(sandbox: Sandbox) -> Any:
    return connect(sandbox, "bob")


@pytest.fixture(scope="module")
def root(sandbox: Sandbox) -> Any:
    return connect(sandbox, "root")


def send(api: Any, message: Any) -> Any:
    """A message the client library has no method for, over its own connection."""
    reply, _ = api._mapi.sendRecv(message)
    return reply


def finished(api: Any, task: str, seconds: float = 10.0) -> Any:
    """Wait until a task has ended; give its last state."""
    end = time.monotonic() + seconds
    while True:
        state = api.taskView(task)[0].task[0]
        if state.status > pb.TS_RUNNING or time.monotonic() > end:
            return state
        time.sleep(0.01)


def record(api: Any, title: str = "record", **options: Any) -> str:
    """Make a record; give its id."""
    return str(api.dataCreate(title, **options)[0].data[0].id)


class RawClient:
    """A socket that can send what the client library never would."""

    def __init__(self, server: Sandbox, keys: tuple[bytes, bytes] | None = None) -> None:
        self.public, private = keys or zmq.curve_keypair()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.CURVE_SECRETKEY, private)
        self._socket.setsockopt(zmq.CURVE_PUBLICKEY, self.public)
        key = (server.folder / "datafed-core-key.pub").read_bytes()
        self._socket.setsockopt(zmq.CURVE_SERVERKEY, key)
        self._socket.connect(f"tcp://{server.host}:{server.port}")

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._context.term()

    def parts(self, message: Any, *, key: bytes | None = None, context: int = 7) -> list[bytes]:
        number, field = TYPES[message.DESCRIPTOR.name]
        envelope = pb.Envelope()
        getattr(envelope, field).CopyFrom(message)
        body = envelope.SerializeToString()
        frame = struct.pack(">LHH", len(body), number, context)
        header = [b"BEGIN_DATAFED", struct.pack("!i", 0), b"", b"some-correlation"]
        return [*header, self.public if key is None else key, b"no_user", frame, body]

    def send(self, parts: list[bytes]) -> None:
        self._socket.send_multipart(parts)

    def receive(self, milliseconds: int = 5000) -> list[bytes] | None:
        if not self._socket.poll(milliseconds):
            return None
        return list(self._socket.recv_multipart())

    def ask(self, message: Any, **options: Any) -> Any:
        self.send(self.parts(message, **options))
        parts = self.receive()
        assert parts is not None, "the server did not answer"
        return reply_of(parts)


def reply_of(parts: list[bytes]) -> Any:
    envelope = pb.Envelope()
    envelope.ParseFromString(parts[-1])
    return getattr(envelope, envelope.WhichOneof("payload"))
