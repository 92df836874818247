"""Records: create, view, update, delete, lock."""

from __future__ import annotations

from typing import Any

from motif.ingest.sandbox.access import (
    Permission,
    Row,
    administers,
    permissions,
    record_named,
    require,
)
from motif.ingest.sandbox.dependencies import dependency_graph
from motif.ingest.sandbox.items import create_record, forget_items, update_record
from motif.ingest.sandbox.reply_documents import listing, record_data
from motif.ingest.sandbox.request_server.faults import denied, page
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles
from motif.ingest.sandbox.sandbox_database import file_of, release
from motif.ingest.sandbox.schedule import new_task, task_data

_OPTIONAL = ("title", "desc", "alias", "metadata", "sch_id", "sch_enforce", "source", "ext")


@handles("RecordViewRequest")
def view(call: Call, request: Message) -> Message:
    """One record with metadata and dependencies in both directions."""
    row = record_named(call, request.id)
    require(call, row, Permission.READ_RECORD)
    data = record_data(call, row)
    if row["owner"] != call.uid and Permission.READ_METADATA not in permissions(call, row):
        data.ClearField("metadata")
    return pb.RecordDataReply(data=[data])


@handles("RecordCreateRequest", writes=True)
def create(call: Call, request: Message) -> Message:
    """A new record in a collection."""
    given = _given(request)
    for name in ("parent_id", "external", "repo_id"):
        if request.HasField(name):
            given[name] = getattr(request, name)
    given["tags"] = list(request.tags)
    given["deps"] = [(dependency.id, dependency.type) for dependency in request.deps]
    row, parent = create_record(call, given)
    return pb.RecordDataReply(data=[record_data(call, row, parent)])


@handles("RecordUpdateRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Change a record; metadata is merged at every depth unless it is to be replaced."""
    given = _given(request)
    if request.HasField("ext_auto"):
        given["ext_auto"] = request.ext_auto
    if request.tags:
        given["tags"] = list(request.tags)
    given["tags_clear"] = request.tags_clear
    given["mdset"] = request.mdset
    given["dep_add"] = [(dependency.id, dependency.type) for dependency in request.dep_add]
    given["dep_rem"] = [(dependency.id, dependency.type) for dependency in request.dep_rem]
    row = update_record(call, request.id, given)
    return pb.RecordDataReply(data=[record_data(call, row)], update=[listing(call, row)])


def _given(request: Message) -> dict[str, Any]:
    names = {field.name for field in request.DESCRIPTOR.fields}
    return {
        name: getattr(request, name)
        for name in _OPTIONAL
        if name in names
        and (not request.DESCRIPTOR.fields_by_name[name].has_presence or request.HasField(name))
    }


@handles("RecordDeleteRequest", writes=True)
def delete(call: Call, request: Message) -> Message:
    """Delete records; a task removes their raw data."""
    rows = {row["id"]: row for row in (record_named(call, name) for name in request.id)}
    for row in rows.values():
        if row["locked"] and not administers(call, row):
            raise denied()
        require(call, row, Permission.DELETE, f"Permission denied for data record {row['id']}")
    return pb.TaskDataReply(task=[delete_records(call, list(rows.values()))])


def delete_records(call: Call, rows: list[Row]) -> Message:
    """Delete records in this transaction and give the task that removes their files."""
    files = []
    for row in rows:
        if not row["external"]:
            files.append(file_of(call, row))
            release(call, row)
    forget_items(call, [row["id"] for row in rows])
    task = new_task(call, pb.TT_REC_DEL, {"remove": files}, source=f"{len(rows)} records")
    return task_data(task)


@handles("RecordLockRequest", writes=True)
def lock(call: Call, request: Message) -> Message:
    """Lock or unlock records against changes by others."""
    changed = []
    for name in request.id:
        row = record_named(call, name)
        require(call, row, Permission.LOCK)
        call.db.execute("UPDATE item SET locked = ? WHERE id = ?", (int(request.lock), row["id"]))
        changed.append(listing(call, record_named(call, row["id"])))
    return pb.ListingReply(item=changed, count=len(changed), total=len(changed))


@handles("RecordGetDependencyGraphRequest")
def graph(call: Call, request: Message) -> Message:
    """Everything a record comes from and everything made from it, by generation."""
    row = record_named(call, request.id)
    require(call, row, Permission.READ_RECORD)
    nodes = dependency_graph(call, row)
    return pb.ListingReply(item=nodes, count=len(nodes), total=len(nodes))


@handles("RecordListByAllocRequest")
def by_allocation(call: Call, request: Message) -> Message:
    """Records of one owner in one repository, in pages."""
    subject = request.subject
    if subject not in ("", call.uid) and not call.admin:
        raise denied()
    offset, count = page(request)
    where = "FROM item WHERE kind = 'd' AND owner = ? AND repository = ?"
    values = (subject or call.uid, request.repo)
    total = call.db.execute(f"SELECT count(*) {where}", values).fetchone()[0]
    rows = call.db.execute(
        f"SELECT * {where} ORDER BY title COLLATE NOCASE, id LIMIT ? OFFSET ?",
        (*values, count, offset),
    ).fetchall()
    return pb.ListingReply(
        item=[listing(call, row) for row in rows], offset=offset, count=len(rows), total=total
    )
