"""Faults on the real wire, for tests of clients.

Every knob is thread-safe and works while the server runs.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReplyFault:
    """What happens to one coming reply."""

    copies: int = 1
    """How often it is sent: 0 drops it, 2 sends a duplicate."""
    delay: float = 0.0
    """Seconds it is held back; other requests are answered meanwhile."""
    message: str | None = None
    """Name of the request it belongs to; none: the next one of any kind."""


_NO_FAULT = ReplyFault()


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
        self.clock_offset = 0.0
        self.search_lag = 0.0
        self.transfer_delay = 0.0
        self.same_size_upload_is_change = False
        self._lock = threading.Lock()
        self._replies: deque[ReplyFault] = deque()
        self._transfers: deque[str] = deque()
        self._open = threading.Event()
        self._open.set()

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
        """Let held transfer tasks go on."""
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
        """Wait up to `timeout` seconds while transfers are held."""
        return self._open.wait(timeout)
