"""Views of tasks."""

from __future__ import annotations

from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.dispatch import Call, handles
from motif.ingest.sandbox.paging import page
from motif.ingest.sandbox.protocol import Message, pb
from motif.ingest.sandbox.refusal import denied, missing
from motif.ingest.sandbox.taskwork import task_data


@handles("TaskViewRequest")
def view(call: Call, request: Message) -> Message:
    """One task of the caller."""
    number = request.task_id.removeprefix("task/")
    row: Row | None = None
    if number.isascii() and number.isdigit() and len(number) < 19:
        row = call.db.execute("SELECT * FROM task WHERE id = ?", (int(number),)).fetchone()
    if row is None:
        raise missing(f"Task {request.task_id} does not exist.")
    if row["client"] != call.uid and not call.admin:
        raise denied()
    return pb.TaskDataReply(task=[task_data(row)])


@handles("TaskListRequest")
def list_tasks(call: Call, request: Message) -> Message:
    """The caller's tasks, latest change first, in pages."""
    where, values = ["client = ?"], [call.uid]
    if request.HasField("since"):
        where.append("ut >= ?")
        values.append(int(call.now) - request.since)
    for name, comparison in (("from", ">="), ("to", "<=")):
        if request.HasField(name):
            where.append(f"ut {comparison} ?")
            values.append(getattr(request, name))
    if request.status:
        where.append(f"status IN ({','.join('?' * len(request.status))})")
        values.extend(request.status)
    offset, count = page(request)
    rows = call.db.execute(
        f"SELECT * FROM task WHERE {' AND '.join(where)} ORDER BY ut DESC, id DESC "
        "LIMIT ? OFFSET ?",
        (*values, count, offset),
    )
    return pb.TaskDataReply(task=[task_data(row) for row in rows])
