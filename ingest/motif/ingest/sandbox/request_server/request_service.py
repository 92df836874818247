"""The service behind the sockets: bytes of a request in, bytes of a reply out."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from motif.ingest.sandbox.file_transfer import Transfers
from motif.ingest.sandbox.handlers import (  # noqa: F401 - fill the dispatch table
    allocation_handlers,
    batch_handlers,
    collection_handlers,
    content_handlers,
    data_handlers,
    group_handlers,
    note_handlers,
    project_handlers,
    record_handlers,
    repository_handlers,
    schema_handlers,
    sharing_handlers,
    tag_and_query_handlers,
    user_handlers,
)
from motif.ingest.sandbox.request_server.faults import Faults, Limits, Refused, nack_text
from motif.ingest.sandbox.request_server.protocol import (
    BY_NUMBER,
    REFUSED,
    Message,
    Request,
    UndecodableError,
    decode,
    encode,
    pb,
)
from motif.ingest.sandbox.request_server.request_dispatch import TABLE, Call
from motif.ingest.sandbox.sandbox_database import transaction

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Service:
    """State shared by all requests of one server.

    Attributes:
        endpoints: endpoint id to the local folder it stands for.
    """

    folder: Path
    db: sqlite3.Connection
    endpoints: Mapping[str, Path]
    limits: Limits
    faults: Faults
    transfers: Transfers

    def clock(self) -> float:
        """Seconds since the epoch as this server sees it."""
        return time.time() + self.faults.clock_offset

    def answer(self, request: Request, key: str) -> tuple[int, bytes]:
        """Carry out `request` of a client that proved to hold `key` (empty: proved nothing).

        Returns:
            message type and envelope bytes of the reply; it is only given once the transaction of
            the request is committed.
        """
        try:
            return encode(self._carry_out(request, key))
        except Refused as refusal:
            return encode(pb.NackReply(err_code=refusal.code, err_msg=nack_text(refusal)))
        except UndecodableError as error:
            return encode(pb.NackReply(err_code=pb.BAD_REQUEST, err_msg=str(error)))
        except Exception:
            log.exception("Request of type %d failed", request.number)
            return encode(pb.NackReply(err_code=pb.INTERNAL_ERROR, err_msg="Internal server fault"))

    def _carry_out(self, request: Request, key: str) -> Message:
        message = decode(request.number, request.body)
        name = BY_NUMBER[request.number].name
        entry = TABLE.get(name)
        if entry is None:
            raise Refused(f"{name} is not served by the sandbox. {REFUSED.get(name, '')}".strip())
        with transaction(self.db, write=entry.writes):
            call = Call(self.db, self, self._user_of(key), key, self.clock())
            if not (call.uid or entry.anonymous):
                raise Refused("Authentication required", pb.AUTHN_REQUIRED)
            reply = entry.handler(call, message)
        for action in call.after:
            action()
        return reply

    def _user_of(self, key: str) -> str:
        row = self.db.execute(
            "SELECT account FROM credential WHERE key = ? AND (expires IS NULL OR expires > ?)",
            (key, time.time()),
        ).fetchone()
        return str(row[0]) if row else ""
