"""One connection to a DataFed server that is never left out of step.

The unmodified ``datafed`` client keeps one socket and pairs replies to requests by order alone:
a late reply answers the next call, a counter overflows after 65,535 calls, a lost server blocks
for the whole time-out. `Session` replaces the client's exchange on its own instance, so every
method of the client goes through the exchange below.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import zmq
from datafed import CommandLib, VersionUtils, envelope_pb2
from datafed import Connection as Link
from zmq.utils.monitor import recv_monitor_message

from motif.ingest.datafed.connection import Connection, Keys
from motif.ingest.datafed.errors import (
    AuthenticationError,
    DataFedError,
    LostReplyError,
    RefusedError,
    ReplyTimeoutError,
)

LAST_CONTEXT = 60_000
"""The context number of a request is a 16-bit integer; counting starts again here."""
READ_DELAYS = (0.2, 1.0)
"""Seconds before each repetition of a read whose reply was lost."""
REACH_TIMEOUT = 10.0
AUTHENTICATION_CODES = frozenset({envelope_pb2.AUTHN_REQUIRED, envelope_pb2.AUTHN_ERROR})

READS = frozenset(
    {
        "CollGetParentsRequest",
        "CollReadRequest",
        "CollViewRequest",
        "GetAuthStatusRequest",
        "ProjectGetRoleRequest",
        "ProjectListRequest",
        "ProjectViewRequest",
        "QueryExecRequest",
        "QueryListRequest",
        "QueryViewRequest",
        "RecordExportRequest",
        "RecordGetDependencyGraphRequest",
        "RecordViewRequest",
        "RepoListAllocationsRequest",
        "RepoListRequest",
        "SearchRequest",
        "TaskListRequest",
        "TaskViewRequest",
        "UserViewRequest",
        "VersionRequest",
    }
)
"""Requests that change nothing and may be asked again."""

_version_check = threading.Lock()


class Session:
    """A connected, authenticated client; safe to share by threads, not by processes."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._keys = connection.keys()
        self._lock = threading.RLock()
        self._process = os.getpid()
        self.api = _connect(connection, self._keys)
        self._messages = self.api._mapi
        self._messages.sendRecv = self._client_exchange
        self._watch()

    @property
    def user(self) -> str:
        return str(self.api.getAuthUser())

    def request(self, name: str, *, timeout: float | None = None, **fields: Any) -> Any:
        """Send the message `name` with `fields`; the reply message.

        Raises:
            RefusedError: the server's refusal, with its code.
            LostReplyError: no usable answer; reads have been repeated before.
        """
        return self.exchange(getattr(envelope_pb2, name)(**fields), timeout)[0]

    def exchange(self, message: Any, timeout: float | None = None) -> tuple[Any, str]:
        """Send a message and give its reply and the name of the reply."""
        name = str(message.DESCRIPTOR.name)
        for delay in READ_DELAYS if name in READS else ():
            try:
                return self._exchange(message, name, timeout)
            except LostReplyError:
                time.sleep(delay)
        return self._exchange(message, name, timeout)

    def close(self) -> None:
        with self._lock:
            if self._process == os.getpid() and self._messages is not None:
                _discard(self._messages._conn)
            self._messages = None

    def _client_exchange(
        self, message: Any, timeout: int | None = None, nack_except: bool | None = None
    ) -> tuple[Any, str]:
        """What the client's own methods call, with their time-out in milliseconds."""
        seconds = None if timeout is None else timeout / 1000
        try:
            return self.exchange(message, seconds)
        except RefusedError as error:
            if nack_except is False:
                reply = envelope_pb2.NackReply(err_code=error.code, err_msg=str(error))
                return reply, "NackReply"
            raise

    def _exchange(self, message: Any, name: str, timeout: float | None) -> tuple[Any, str]:
        with self._lock:
            self._usable(name)
            if self._lost():
                self._renew()
            if self._messages._ctxt >= LAST_CONTEXT:
                self._messages._ctxt = 0
            patience = self.connection.timeout if timeout is None else timeout
            try:
                context = self._messages.send(message)
                reply, kind = self._receive(context, name, time.monotonic() + patience)
            except BaseException as error:
                # A half-sent request or an unread reply would meet the next call.
                self._renew()
                if isinstance(error, DataFedError) or not isinstance(error, Exception):
                    raise
                raise LostReplyError(
                    f"DataFed server {self.connection.server} answered {name} with a message "
                    f"that cannot be understood ({error}); check that it speaks API 3.",
                    request=name,
                ) from error
        if kind == "NackReply":
            raise _refusal(reply, name, self.connection)
        return reply, kind

    def _usable(self, name: str) -> None:
        if self._messages is None:
            raise DataFedError(f"The connection for {name} is closed; open a new one.")
        if self._process != os.getpid():
            raise DataFedError(
                "A DataFed connection cannot be shared with a forked process; open one there."
            )

    def _receive(self, context: int, name: str, deadline: float) -> tuple[Any, str]:
        """The reply to `context`; replies to earlier calls are late or doubled and dropped."""
        link = self._messages._conn._socket
        poller = zmq.Poller()
        poller.register(link, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        while True:
            left = deadline - time.monotonic()
            ready = dict(poller.poll(int(max(0.0, left) * 1000)))
            if link in ready:
                reply, kind, got = self._messages.recv(0, False)
                if got == context:
                    return reply, kind
            elif self._monitor in ready and self._lost():
                raise LostReplyError(
                    f"DataFed server {self.connection.server} closed the connection during "
                    f"{name}; check that it is running and try again.",
                    request=name,
                )
            elif left <= 0:
                raise ReplyTimeoutError(
                    f"DataFed server {self.connection.server} did not answer {name} in time; "
                    "check that it is running, or raise `timeout`.",
                    request=name,
                )

    def _watch(self) -> None:
        """Bound what the peer can do and hear of its end at once instead of by time-out."""
        link = self._messages._conn._socket
        link.setsockopt(zmq.RCVTIMEO, 5000)
        link.setsockopt(zmq.SNDTIMEO, 5000)
        self._monitor = link.get_monitor_socket(zmq.EVENT_DISCONNECTED)

    def _lost(self) -> bool:
        lost = False
        while self._monitor.poll(0):
            recv_monitor_message(self._monitor)
            lost = True
        return lost

    def _renew(self) -> None:
        """Put a fresh socket in the place of one whose state is not known."""
        _discard(self._messages._conn)
        link = Link.Connection(
            self.connection.host,
            self.connection.port,
            self._keys.server,
            self._keys.public,
            self._keys.private,
        )
        link.registerEnvelope(envelope_pb2)
        self._messages._conn = link
        self._watch()


def _discard(link: Any) -> None:
    link._socket.disable_monitor()
    link._socket.close(0)
    link._zmq_ctxt.destroy(0)


def _connect(connection: Connection, keys: Keys) -> Any:
    _reach(connection)
    try:
        with _no_version_check(), connection.client_options(keys) as options:
            api = CommandLib.API(options)
    except Exception as error:
        raise _unreachable(connection, error) from error
    user = api.getAuthUser()
    if user is None or (connection.uid and user != connection.uid):
        _discard_api(api)
        raise AuthenticationError(
            f"DataFed server {connection.server} knows the key {connection.public_key} as "
            f"{user or 'nobody'}, not as {connection.uid or 'a user'}; check public_key, "
            "private_key and user."
        )
    return api


def _discard_api(api: Any) -> None:
    link = api._mapi._conn
    link._socket.close(0)
    link._zmq_ctxt.destroy(0)


def _reach(connection: Connection) -> None:
    """Tell a wrong address from a wrong key, which the client cannot."""
    try:
        address = (connection.host, connection.port)
        socket.create_connection(address, min(REACH_TIMEOUT, connection.timeout)).close()
    except OSError as error:
        raise LostReplyError(
            f"DataFed server {connection.server} cannot be reached "
            f"({error.strerror or error}); check host and port."
        ) from error


def _unreachable(connection: Connection, error: Exception) -> DataFedError:
    if "Timeout" in str(error):
        return ReplyTimeoutError(
            f"DataFed server {connection.server} accepts connections but does not answer; "
            f"check that server_key {connection.server_key} is its key."
        )
    return DataFedError(f"DataFed server {connection.server} cannot be used: {error}")


def _refusal(reply: Any, name: str, connection: Connection) -> DataFedError:
    code = int(reply.err_code)
    text = str(reply.err_msg).strip() or f"error {code}"
    if code in AUTHENTICATION_CODES:
        return AuthenticationError(
            f"DataFed server {connection.server} refused {name}: {text}", code, name
        )
    return RefusedError(f"DataFed refused {name}: {text}", code, name)


@contextmanager
def _no_version_check() -> Iterator[None]:
    """The client asks the package index for its newest version, without a time-out."""
    with _version_check:
        original = VersionUtils.get_latest_stable_version
        VersionUtils.get_latest_stable_version = lambda _: None
        try:
            yield
        finally:
            VersionUtils.get_latest_stable_version = original


def plain(message: Any) -> dict[str, Any]:
    """A reply message as a dictionary with every field, messages and lists included."""
    return {field.name: _plain(getattr(message, field.name)) for field in message.DESCRIPTOR.fields}


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool | int | float | bytes):
        return value
    if hasattr(value, "DESCRIPTOR"):
        return plain(value)
    return [_plain(item) for item in value]
