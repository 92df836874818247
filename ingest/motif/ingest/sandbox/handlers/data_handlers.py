"""Raw data: get and put as tasks."""

from __future__ import annotations

from typing import Any

from motif.ingest.sandbox import schema_validation
from motif.ingest.sandbox.access import (
    Permission,
    Row,
    administers,
    collections_below,
    item_named,
    permissions,
    record_named,
    require,
)
from motif.ingest.sandbox.handlers.user_handlers import remember_endpoint
from motif.ingest.sandbox.items import extension_of
from motif.ingest.sandbox.reply_documents import exported, listing, record_data
from motif.ingest.sandbox.request_server.faults import Refused, denied, missing, page
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles
from motif.ingest.sandbox.sandbox_database import file_of, require_data_room
from motif.ingest.sandbox.schedule import new_task, task_data


@handles("DataGetRequest", writes=True)
def get(call: Call, request: Message) -> Message:
    """Copy raw data of records and collections to an endpoint, or only say which have any."""
    rows = [
        row
        for row in gather(call, list(request.id), Permission.READ_DATA)
        if row["size"] > 0 and (not row["external"] or row["source"])
    ]
    reply = pb.DataGetReply(item=[listing(call, row) for row in rows])
    if request.check or not rows:
        return reply
    path = _full_path(request, "Invalid destination path (must include endpoint)")
    state = {"path": path, "files": _files(call, rows, request.orig_fname)}
    remember_endpoint(call, path)
    source = ", ".join(row["id"] for row in rows[:10]) + (", ..." if len(rows) > 10 else "")
    task = new_task(call, pb.TT_DATA_GET, state, source=source, destination=path)
    reply.task.CopyFrom(task_data(task))
    return reply


def _full_path(request: Message, message: str) -> str:
    path = str(request.path)
    if not request.HasField("path") or not path:
        raise Refused("Must provide path parameter if not running check.")
    endpoint, slash, _ = path.partition("/")
    if not (endpoint and slash):
        raise Refused(message)
    return path


def _files(call: Call, rows: list[Row], original_names: bool) -> list[dict[str, Any]]:
    """Give source and destination name of each record's data.

    Raises:
        Refused: two records would be written to one file.
    """
    files = []
    for row in rows:
        original = (row["source"] or "").rsplit("/", 1)[-1]
        name = original if original_names and original else f"{row['id'][2:]}{row['ext'] or ''}"
        entry = {"name": name}
        entry.update(
            {"external": row["source"]} if row["external"] else {"file": file_of(call, row)}
        )
        files.append(entry)
    if len({entry["name"] for entry in files}) < len(files):
        raise Refused("Duplicate filename(s) detected in transfer request.")
    return files


@handles("DataPutRequest", writes=True)
def put(call: Call, request: Message) -> Message:
    """Copy a file from an endpoint into a record's raw data."""
    if request.id.startswith("c/"):
        raise Refused("Collections not supported for PUT operations.")
    row = record_named(call, request.id)
    require(call, row, Permission.WRITE_DATA, f"Permission denied for data record {row['id']}")
    if row["locked"] and row["owner"] != call.uid:
        raise Refused("Permission Denied")
    if row["external"]:
        raise Refused(f"Cannot upload to external data on record '{row['id']}'.")
    require_data_room(call, row)
    reply = pb.DataPutReply(item=record_data(call, row))
    if request.check:
        return reply
    path = _full_path(request, "Invalid remote path (must include endpoint)")
    state = {"path": path, "record": row["id"], "file": file_of(call, row)}
    state.update(_extension(row, request, path))
    remember_endpoint(call, path.rpartition("/")[0] + "/")
    task = new_task(call, pb.TT_DATA_PUT, state, source=path, destination=row["id"])
    reply.task.CopyFrom(task_data(task))
    return reply


def _extension(row: Row, request: Message, path: str) -> dict[str, Any]:
    if request.ext:
        return {
            "ext": schema_validation.dotted(schema_validation.EXTENSION.clean(request.ext)),
            "ext_auto": 0,
        }
    if row["ext_auto"]:
        return {"ext": extension_of(path), "ext_auto": 1}
    return {"ext": row["ext"], "ext_auto": 0}


@handles("DataDeleteRequest", writes=True)
def delete(call: Call, request: Message) -> Message:
    """Delete raw data and keep the records."""
    rows = gather(call, list(request.id), Permission.WRITE_DATA)
    managed = [row for row in rows if not row["external"]]
    for row in managed:
        call.db.execute(
            "UPDATE allocation SET data_size = data_size - ? WHERE owner = ? AND repository = ?",
            (row["size"], row["owner"], row["repository"]),
        )
        call.db.execute(
            "UPDATE item SET size = 0, source = NULL, dt = :now, ut = :now WHERE id = :id",
            {"now": int(call.now), "id": row["id"]},
        )
    state = {"remove": [file_of(call, row) for row in managed]}
    task = new_task(call, pb.TT_DATA_DEL, state, source=f"{len(managed)} records")
    return pb.TaskDataReply(task=[task_data(task)])


@handles("DataPathRequest")
def path_of(call: Call, request: Message) -> Message:
    """The path of a record's raw data inside its repository."""
    row = record_named(call, request.id)
    require(call, row, Permission.READ_DATA)
    if row["external"]:
        raise Refused("Record has no raw data")
    return pb.DataPathReply(path=f"/{file_of(call, row)}")


_CHUNK = 500


def gather(call: Call, names: list[str], wanted: Permission) -> list[Row]:
    """Give the records among `names` and in the collections among them, each once.

    Raises:
        Refused: the caller lacks `wanted` on a record.
    """
    found: dict[str, Row] = {}
    collections: list[str] = []
    for name in names:
        row = item_named(call, name)
        if row["kind"] == "c":
            require(call, row, Permission.LIST)
            collections.append(row["id"])
        else:
            found[row["id"]] = row
    for collection in collections_below(call.db, collections):
        for row in call.db.execute(
            "SELECT item.* FROM link JOIN item ON item.id = link.child "
            "WHERE link.parent = ? AND link.kind = 'd'",
            (collection,),
        ):
            found.setdefault(row["id"], row)
    for row in found.values():
        if row["owner"] == call.uid or administers(call, row):
            continue
        if permissions(call, row) & wanted != wanted:
            raise denied(f"Permission denied for data record {row['id']}")
    return list(found.values())


@handles("RecordExportRequest")
def export(call: Call, request: Message) -> Message:
    """Records, and all records of collections, as JSON with their metadata."""
    rows = gather(call, list(request.id), Permission.READ_RECORD | Permission.READ_METADATA)
    texts: list[str] = []
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        depends = _outgoing(call, chunk)
        texts.extend(exported(row, depends.get(row["id"], [])) for row in chunk)
    return pb.RecordExportReply(record=texts)


def _outgoing(call: Call, rows: list[Row]) -> dict[str, list[dict[str, object]]]:
    marks = ",".join("?" * len(rows))
    found: dict[str, list[dict[str, object]]] = {}
    for source, target, kind in call.db.execute(
        f"SELECT source, target, type FROM dependency WHERE source IN ({marks})",
        [row["id"] for row in rows],
    ):
        found.setdefault(source, []).append({"id": target, "type": kind})
    return found


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
