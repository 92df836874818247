"""Tags in use."""

from __future__ import annotations

from motif.ingest.sandbox.dispatch import Call, handles
from motif.ingest.sandbox.paging import page
from motif.ingest.sandbox.protocol import Message, pb
from motif.ingest.sandbox.refusal import Refused


@handles("TagSearchRequest")
def search(call: Call, request: Message) -> Message:
    """Tags that contain a text, in pages."""
    text = request.name.strip().lower()
    if len(text) < 3:
        raise Refused("Input is too short for tag search.")
    return _counted(call, request, text, "name")


@handles("TagListByCountRequest")
def by_count(call: Call, request: Message) -> Message:
    """Tags by how often they are used, in pages."""
    return _counted(call, request, "", "uses DESC, name")


def _counted(call: Call, request: Message, text: str, order: str) -> Message:
    offset, count = page(request)
    rows = call.db.execute(
        "SELECT name, count(*) AS uses FROM tag WHERE instr(name, ?) "
        f"GROUP BY name ORDER BY {order}",
        (text,),
    ).fetchall()
    shown = rows[offset : offset + count]
    return pb.TagDataReply(
        tag=[pb.TagData(name=row["name"], count=row["uses"]) for row in shown],
        offset=offset,
        count=len(shown),
        total=len(rows),
    )
