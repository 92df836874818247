"""One connection to a DataFed server whose requests and replies stay matched.

The unmodified ``datafed`` client keeps one socket and matches replies to requests by order alone:
a late reply answers the next call, a counter overflows after 65,535 calls, and a lost server
blocks for the whole time-out. `DataFedSession` replaces the exchange of its own client instance,
so that every method of the client uses the exchange below.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from motif.core.errors import ConfigError
from motif.ingest.datafed.connection import Connection, KeyTriple
from motif.ingest.datafed.datafed_errors import (
    AuthenticationError,
    DataFedError,
    LostReplyError,
    RefusedError,
    ReplyTimeoutError,
)

try:
    from datafed import CommandLib, VersionUtils, envelope_pb2
    from datafed import Connection as Link
except TypeError as error:
    raise ConfigError(
        "The datafed package cannot be loaded: another package in this process has messages in a "
        f"file of the same name, envelope.proto ({error}); run Motif in a process without it."
    ) from error

LAST_CONTEXT = 60_000
"""The context number of a request is a 16-bit integer; counting starts again here."""
READ_DELAYS = (0.2, 1.0)
"""Seconds before each repetition of a read whose reply was lost."""
REACH_TIMEOUT = 10.0
STALL_TIMEOUT = 5000
"""Milliseconds a message may stall before it counts as broken."""
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
        "RepoListObjectAllocationsRequest",
        "RepoListRequest",
        "SearchRequest",
        "TaskListRequest",
        "TaskViewRequest",
        "UserViewRequest",
        "VersionRequest",
    }
)
"""Requests that change nothing and may be repeated."""

_version_check = threading.Lock()


class DataFedSession:
    """A connected, authenticated client; safe to share by threads, not by processes."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._keys = connection.keys()
        self._lock = threading.RLock()
        self._process = os.getpid()
        self.api = _connect(connection, self._keys)
        self._messages = self.api._mapi
        self._messages.sendRecv = _exchange_of(self)
        self._link()

    @property
    def user(self) -> str:
        return str(self.api.getAuthUser())

    def request(self, name: str, *, timeout: float | None = None, **fields: Any) -> Any:
        """Send the message `name` with `fields`; returns the reply message.

        Raises:
            RefusedError: the server refused, with its code.
            LostReplyError: no usable reply; reads were repeated before.
        """
        return self.exchange(getattr(envelope_pb2, name)(**fields), timeout)[0]

    def exchange(self, message: Any, timeout: float | None = None) -> tuple[Any, str]:
        """Send a message; returns its reply and the reply's name."""
        name = str(message.DESCRIPTOR.name)
        for delay in READ_DELAYS if name in READS else ():
            try:
                return self._exchange(message, name, timeout)
            except LostReplyError:
                time.sleep(delay)
        return self._exchange(message, name, timeout)

    def close(self) -> None:
        with self._lock:
            if self._messages is not None and self._process == os.getpid():
                self._unlink()
            self._messages = None

    def __del__(self) -> None:
        if getattr(self, "_messages", None) is not None:
            self.close()

    def _client_exchange(
        self, message: Any, timeout: int | None = None, nack_except: bool | None = None
    ) -> tuple[Any, str]:
        """The exchange the client's own methods call, with a time-out in milliseconds."""
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
            self._require_usable(name)
            if self._is_lost():
                self._replace_socket()
            if self._messages._ctxt >= LAST_CONTEXT:
                self._messages._ctxt = 0
            seconds = self.connection.timeout if timeout is None else timeout
            try:
                context = self._messages.send(message)
                reply, kind = self._receive(context, name, time.monotonic() + seconds)
            except BaseException as error:
                # A half-sent request or an unread reply would be matched to the next call.
                self._replace_socket()
                if isinstance(error, DataFedError) or not isinstance(error, Exception):
                    raise
                raise LostReplyError(
                    f"DataFed server {self.connection.server} answered {name} with a message "
                    f"that cannot be parsed ({error}); check that it speaks API 3.",
                    request=name,
                ) from error
        if kind == "NackReply":
            raise _refusal(reply, name, self.connection)
        return reply, kind

    def _require_usable(self, name: str) -> None:
        if self._messages is None:
            raise DataFedError(f"The connection for {name} is closed; open a new one.")
        if self._process != os.getpid():
            raise DataFedError(
                "A DataFed connection cannot be shared with a forked process; open one there."
            )

    def _receive(self, context: int, name: str, deadline: float) -> tuple[Any, str]:
        """The reply to `context`; late and repeated replies to earlier calls are dropped."""
        link = self._messages._conn._socket
        poller = zmq.Poller()
        poller.register(link, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        while True:
            left = deadline - time.monotonic()
            ready = dict(poller.poll(int(max(0.0, left) * 1000)))
            if link in ready:
                reply, kind, replied = self._messages.recv(0, False)
                if replied == context:
                    return reply, kind
            elif self._monitor in ready and self._is_lost():
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

    def _link(self) -> None:
        """Connect a new socket with bounded waits and a monitor that reports a disconnection.

        It uses the ZeroMQ context of the process: a link with a context of its own blocks for
        ever when it is garbage-collected before its monitor.
        """
        link = Link.Connection(
            self.connection.host,
            self.connection.port,
            self._keys.server,
            self._keys.public,
            self._keys.private,
            zmq.Context.instance(),
        )
        link.registerEnvelope(envelope_pb2)
        link._socket.setsockopt(zmq.RCVTIMEO, STALL_TIMEOUT)
        link._socket.setsockopt(zmq.SNDTIMEO, STALL_TIMEOUT)
        self._monitor = link._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._messages._conn = link

    def _unlink(self) -> None:
        """Close the socket and drop what it has not sent yet."""
        link = self._messages._conn._socket
        link.disable_monitor()
        self._monitor.close(0)
        link.close(0)

    def _replace_socket(self) -> None:
        """Replace a socket whose state is unknown by a new one."""
        self._unlink()
        self._link()

    def _is_lost(self) -> bool:
        lost = False
        while self._monitor.poll(0):
            recv_monitor_message(self._monitor)
            lost = True
        return lost


def _exchange_of(session: DataFedSession) -> Callable[..., tuple[Any, str]]:
    """The session's exchange for its client, without a reference that keeps the session alive."""
    method = weakref.WeakMethod(session._client_exchange)

    def exchange(
        message: Any, timeout: int | None = None, nack_except: bool | None = None
    ) -> tuple[Any, str]:
        call = method()
        if call is None:
            raise DataFedError("The connection is closed; open a new one.")
        return call(message, timeout, nack_except)

    return exchange


def _connect(connection: Connection, keys: KeyTriple) -> Any:
    _reach(connection)
    _shake_hands(connection, keys)
    try:
        with _no_version_check(), connection.client_options(keys) as options:
            api = CommandLib.API(options)
    except Exception as error:
        raise _connection_error(connection, error) from error
    first = api._mapi._conn  # replaced by `Session._link`
    first._socket.close(0)
    first._zmq_ctxt.destroy(0)
    user = api.getAuthUser()
    if user is None or (connection.uid and user != connection.uid):
        raise AuthenticationError(
            f"DataFed server {connection.server} knows the key {connection.public_key} as "
            f"{user or 'nobody'}, not as {connection.uid or 'a user'}; check public_key, "
            "private_key and user."
        )
    return api


def _reach(connection: Connection) -> None:
    """Distinguish a wrong address from a wrong key, which the client cannot."""
    try:
        address = (connection.host, connection.port)
        socket.create_connection(address, min(REACH_TIMEOUT, connection.timeout)).close()
    except OSError as error:
        raise LostReplyError(
            f"DataFed server {connection.server} cannot be reached "
            f"({error.strerror or error}); check host and port."
        ) from error


def _shake_hands(connection: Connection, keys: KeyTriple) -> None:
    """Recognise a wrong server key at once; the client would wait for its time-out."""
    events = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
    refused = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    with zmq.Context() as context, context.socket(zmq.DEALER) as trial:
        trial.linger = 0
        trial.curve_serverkey = keys.server.encode()
        trial.curve_publickey = keys.public.encode()
        trial.curve_secretkey = keys.private.encode()
        with trial.get_monitor_socket(events | refused) as monitor:
            trial.connect(f"tcp://{connection.host}:{connection.port}")
            ready = monitor.poll(int(min(REACH_TIMEOUT, connection.timeout) * 1000))
            event = recv_monitor_message(monitor)["event"] if ready else None
            trial.disable_monitor()
    if event != zmq.EVENT_HANDSHAKE_SUCCEEDED:
        raise LostReplyError(
            f"DataFed server {connection.server} accepts connections but not the key in "
            f"{connection.server_key}; check that server_key is its current key."
        )


def _connection_error(connection: Connection, error: Exception) -> DataFedError:
    if "Timeout" in str(error):
        return ReplyTimeoutError(
            f"DataFed server {connection.server} accepts connections but does not answer; "
            "try again later."
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
    """Prevent the client's look-up of newer versions, which has no time-out."""
    with _version_check:
        original = VersionUtils.get_latest_stable_version
        VersionUtils.get_latest_stable_version = lambda _: None
        try:
            yield
        finally:
            VersionUtils.get_latest_stable_version = original


def plain(message: Any) -> dict[str, Any]:
    """A reply message as a dictionary of all its fields, nested messages included."""
    return {field.name: _plain(getattr(message, field.name)) for field in message.DESCRIPTOR.fields}


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool | int | float | bytes):
        return value
    if hasattr(value, "DESCRIPTOR"):
        return plain(value)
    return [_plain(item) for item in value]
