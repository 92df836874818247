"""Bulk export of records."""

from __future__ import annotations

from motif.ingest.sandbox.access import (
    Permission,
    Row,
    administers,
    collections_below,
    item_named,
    permissions,
    require,
)
from motif.ingest.sandbox.dispatch import Call, handles
from motif.ingest.sandbox.documents import exported
from motif.ingest.sandbox.protocol import Message, pb
from motif.ingest.sandbox.refusal import denied

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
