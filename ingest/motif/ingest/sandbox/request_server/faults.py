"""Faults on the real wire, for tests of clients.

Every knob is thread-safe and works while the server runs.
"""

from __future__ import annotations

import difflib
import math
import threading
from collections import deque
from dataclasses import dataclass

from motif.core.errors import ConfigError
from motif.ingest.sandbox.request_server.protocol import MESSAGES, Message, pb


@dataclass(frozen=True, slots=True)
class ReplyFault:
    """What happens to one coming reply."""

    copies: int = 1
    """How often it is sent: 0 drops it, 2 sends a duplicate."""
    delay: float = 0.0
    """Seconds it is delayed; other requests are answered meanwhile."""
    message: str | None = None
    """Name of the request it belongs to; none: the next one of any kind."""


_NO_FAULT = ReplyFault()
KNOBS = {
    "drop-reply": "nothing", "repeat-reply": "nothing", "delay-reply": "seconds",
    "fail-transfer": "text", "hold-transfers": "nothing", "release-transfers": "nothing",
    "transfer-delay": "seconds", "search-lag": "seconds", "clock-offset": "seconds",
    "clear": "nothing",
}  # fmt: skip
"""What each knob takes."""


class Faults:
    """The knobs of one server.

    Attributes:
        clock_offset: seconds added to the server's clock.
        search_lag: seconds before a new or changed item shows in searches.
        transfer_delay: seconds each transfer task waits before it starts.
        same_size_upload_is_change: whether an upload of unchanged byte count moves the record's
            times (the real service leaves them alone).
    """

    def __init__(self) -> None:
        self._calm()
        self._lock = threading.Lock()
        self._replies: deque[ReplyFault] = deque()
        self._transfers: deque[str] = deque()
        self._open = threading.Event()
        self._open.set()

    def _calm(self) -> None:
        self.clock_offset = 0.0
        self.search_lag = 0.0
        self.transfer_delay = 0.0
        self.same_size_upload_is_change = False

    def clear(self) -> None:
        """Forget every fault that has not happened yet, and turn every knob back."""
        with self._lock:
            self._replies.clear()
            self._transfers.clear()
        self._calm()
        self.release_transfers()

    def turn(self, knob: str, value: str = "", request: str | None = None) -> None:
        """Turn a knob by its name, as ``motif sandbox fault`` does.

        Args:
            knob: one of `KNOBS`.
            value: seconds, or the message of ``fail-transfer``.
            request: name of the request message whose reply is meant.

        Raises:
            ConfigError: the knob does not exist, or it does not take this value.
        """
        if knob not in KNOBS:
            raise ConfigError(f"'{knob}' is not a fault; the faults are {', '.join(KNOBS)}.")
        wants = KNOBS[knob]
        if request is not None and not knob.endswith("-reply"):
            raise ConfigError(f"{knob} does not belong to a request: leave --request out.")
        if request is not None and request not in MESSAGES:
            known = difflib.get_close_matches(request, MESSAGES, 1, 0.0)[0]
            raise ConfigError(f"'{request}' is not a request; the nearest is {known}.")
        if wants == "nothing" and value:
            raise ConfigError(f"{knob} takes no value; '{value}' is too much.")
        name = knob.replace("-", "_")
        if wants == "seconds":
            seconds = _seconds(knob, value)
            if knob == "delay-reply":
                self.delay_reply(seconds, request)
            else:
                setattr(self, name, seconds)
        elif knob.endswith("-reply"):
            getattr(self, name)(request)
        elif value:
            self.fail_transfer(value)
        else:
            getattr(self, name)()

    def drop_reply(self, message: str | None = None) -> None:
        """Answer the next request (of that name) with silence; it is carried out all the same."""
        self._add(ReplyFault(copies=0, message=message))

    def repeat_reply(self, message: str | None = None) -> None:
        """Send the next reply twice."""
        self._add(ReplyFault(copies=2, message=message))

    def delay_reply(self, seconds: float, message: str | None = None) -> None:
        """Send the next reply `seconds` late."""
        self._add(ReplyFault(delay=seconds, message=message))

    def fail_transfer(self, message: str = "Globus transfer failed for unknown reasons") -> None:
        """Let the next transfer task fail with `message`."""
        with self._lock:
            self._transfers.append(message)

    def hold_transfers(self) -> None:
        """Let transfer tasks get stuck until `release_transfers`."""
        self._open.clear()

    def release_transfers(self) -> None:
        """Let stuck transfer tasks continue."""
        self._open.set()

    def _add(self, fault: ReplyFault) -> None:
        with self._lock:
            self._replies.append(fault)

    def next_reply(self, request: str) -> ReplyFault:
        """Take the fault that applies to the reply to `request`."""
        if not self._replies:
            return _NO_FAULT
        with self._lock:
            for fault in self._replies:
                if fault.message in (None, request):
                    self._replies.remove(fault)
                    return fault
        return _NO_FAULT

    def next_transfer_failure(self) -> str | None:
        """Take the failure meant for the next transfer."""
        with self._lock:
            return self._transfers.popleft() if self._transfers else None

    def transfers_may_start(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds while transfers are stuck."""
        return self._open.wait(timeout)


def _seconds(knob: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        raise ConfigError(f"{knob} takes seconds, not '{value}'.") from None
    if not math.isfinite(seconds) or (seconds < 0 and knob != "clock-offset"):
        raise ConfigError(f"{knob} takes seconds from 0 on, not {value}.")
    return seconds


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask for; a test may loosen or tighten each."""

    items_per_collection: int = 10_000
    """Links a collection may hold."""
    collections_per_owner: int = 50
    """Collections of one user or project, the root not counted."""
    queries_per_user: int = 20
    """Saved queries of one user."""
    projects_per_user: int = 10
    """Projects one user may own."""
    metadata_bytes: int = 1_048_576
    """Length of a record's metadata as JSON; the nominal 102,400 are not enforced upstream."""
    page_size: int = 1_000
    """Largest page of a search."""
    search_items: int = 10_000
    """Searches never reach beyond this many items: a larger offset is moved back silently."""
    tasks_at_once: int = 10
    """Transfer tasks that run at the same time."""
    frame_bytes: int = 16 * 1_048_576
    """Largest frame accepted from a client; a larger one ends its connection."""
    session_seconds: int = 86_400
    """How long a password or token login lasts."""
    allocation_bytes: int = 10**12
    """Data limit of the allocation a new user receives."""
    allocation_records: int = 1_000_000
    """Record limit of the allocation a new user receives."""


DEFAULT_COUNT = 20


def page(request: Message, default: int = DEFAULT_COUNT) -> tuple[int, int]:
    """Give offset and count that `request` asks for."""
    count = request.count if request.HasField("count") else default
    offset = request.offset if request.HasField("offset") else 0
    return offset, count


class Refused(Exception):  # noqa: N818 - an answer to the client, not a fault of the server
    """A request is refused; the client receives a ``NackReply``.

    Attributes:
        code: value of the protocol's ``ErrorCode``.
    """

    def __init__(self, message: str, code: int = pb.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code


def denied(message: str = "Permission Denied") -> Refused:
    """The client lacks a permission."""
    return Refused(message)


def missing(message: str) -> Refused:
    """Something named in the request does not exist."""
    return Refused(message)


def nack_text(error: Refused) -> str:
    """Text sent to the client.

    The real service appends the place in its database layer, so a caller that compares texts for
    equality fails there; the same tail makes it fail here too.
    """
    return f"{error} (source: dbPost:236 code:{error.code})"
