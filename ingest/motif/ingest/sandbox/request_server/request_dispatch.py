"""From request message to handler: the dispatch table and what a handler receives."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from motif.ingest.sandbox.request_server.protocol import MESSAGES, Message

if TYPE_CHECKING:
    from motif.ingest.sandbox.request_server.request_service import Service


@dataclass(slots=True)
class Call:
    """One request being carried out, inside its transaction.

    Attributes:
        uid: id of the authenticated user (``u/<name>``); empty for an anonymous one.
        key: CURVE public key the client proved to hold; empty where it claimed another.
        now: the server's clock in seconds.
        after: run once the transaction is committed.
    """

    db: sqlite3.Connection
    service: Service
    uid: str
    key: str
    now: float
    after: list[Callable[[], None]] = field(default_factory=list)
    _admin: bool | None = None

    @property
    def admin(self) -> bool:
        """Whether the user administers the server."""
        if self._admin is None:
            row = self.db.execute("SELECT admin FROM account WHERE id = ?", (self.uid,)).fetchone()
            self._admin = bool(row and row[0])
        return self._admin


Handler = Callable[[Call, Message], Message]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the dispatch table."""

    message: str
    handler: Handler
    anonymous: bool
    writes: bool
    summary: str


TABLE: dict[str, Entry] = {}


def handles(
    message: str, *, writes: bool = False, anonymous: bool = False
) -> Callable[[Handler], Handler]:
    """Register a function as the handler of `message`; its docstring's first line says what it
    does in the documentation.
    """

    def register(handler: Handler) -> Handler:
        if message not in MESSAGES or message in TABLE:
            raise ValueError(f"{message} is unknown or has a handler already")
        summary = (handler.__doc__ or "").strip().splitlines()[0]
        TABLE[message] = Entry(message, handler, anonymous, writes, summary)
        return handler

    return register


def requests() -> list[str]:
    """Give the names of all request messages of the protocol, by type number."""
    ordered = sorted(MESSAGES.values(), key=lambda message: message.number)
    return [message.name for message in ordered if message.name.endswith("Request")]
