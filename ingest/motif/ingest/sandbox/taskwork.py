"""Tasks: rows that the transfer thread works through."""

from __future__ import annotations

import json
from typing import Any

from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.dispatch import Call
from motif.ingest.sandbox.protocol import Message, pb


def new_task(
    call: Call, kind: int, state: dict[str, Any], *, source: str = "", destination: str = ""
) -> Row:
    """Add a task and hand it to the transfer thread once the transaction is committed."""
    row: Row = call.db.execute(
        "INSERT INTO task (type, status, client, step, steps, message, ct, ut, source, "
        "destination, state) VALUES (?, ?, ?, 0, 1, 'Pending', ?, ?, ?, ?, ?) RETURNING *",
        (
            kind,
            pb.TS_READY,
            call.uid,
            int(call.now),
            int(call.now),
            source,
            destination,
            json.dumps(state),
        ),
    ).fetchone()
    number = row["id"]
    call.after.append(lambda: call.service.transfers.submit(number))
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
