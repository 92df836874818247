"""Tasks: rows that the transfer threads work through."""

from __future__ import annotations

import json
from typing import Any

from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.dispatch import Call
from motif.ingest.sandbox.protocol import Message, pb
from motif.ingest.sandbox.schedule import Claim


def new_task(
    call: Call, kind: int, state: dict[str, Any], *, source: str = "", destination: str = ""
) -> Row:
    """Add a task and hand it to the transfer threads once the transaction is committed.

    It is blocked where it has to wait for others that work on the same raw data.
    """
    claim = Claim.of(state)
    waits = call.service.transfers.must_wait(claim)
    row: Row = call.db.execute(
        "INSERT INTO task (type, status, client, step, steps, message, ct, ut, source, "
        "destination, state) VALUES (?, ?, ?, 0, 1, ?, ?, ?, ?, ?, ?) RETURNING *",
        (
            kind,
            pb.TS_BLOCKED if waits else pb.TS_READY,
            call.uid,
            "Queued" if waits else "Pending",
            int(call.now),
            int(call.now),
            source,
            destination,
            json.dumps(state),
        ),
    ).fetchone()
    number = row["id"]
    call.after.append(lambda: call.service.transfers.submit(number, claim))
    return row


def task_data(row: Row) -> Message:
    """Give a task as a message."""
    return pb.TaskData(
        id=f"task/{row['id']}",
        type=row["type"],
        status=row["status"],
        client=row["client"],
        step=row["step"],
        steps=row["steps"],
        msg=row["message"],
        ct=row["ct"],
        ut=row["ut"],
        source=row["source"],
        dest=row["destination"],
    )
