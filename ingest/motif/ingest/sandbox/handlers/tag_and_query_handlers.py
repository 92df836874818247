"""Tags in use; saved queries and searches."""

from __future__ import annotations

from motif.ingest.sandbox import schema_validation
from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.request_server.faults import Refused, denied, missing, page
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles
from motif.ingest.sandbox.sandbox_database import next_key
from motif.ingest.sandbox.searching import DEFAULT_COUNT, search


@handles("TagSearchRequest")
def search_tags(call: Call, request: Message) -> Message:
    """Tags that contain a text, in pages."""
    text = request.name.strip().lower()
    if len(text) < 3:
        raise Refused("Input is too short for tag search.")
    return _counted(call, request, text, "name")


@handles("TagListByCountRequest")
def tags_by_count(call: Call, request: Message) -> Message:
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


def _query(call: Call, name: str) -> Row:
    if not name.startswith("q/"):
        raise Refused(f"Invalid query ID '{name}'.")
    row: Row | None = call.db.execute("SELECT * FROM query WHERE id = ?", (name,)).fetchone()
    if row is None:
        raise missing(f"Query '{name}' not found.")
    if row["owner"] != call.uid and not call.admin:
        raise denied()
    return row


def _request(row: Row) -> Message:
    request = pb.SearchRequest()
    request.ParseFromString(row["request"])
    return request


def _reply(row: Row) -> Message:
    return pb.QueryDataReply(
        id=row["id"],
        title=row["title"],
        owner=row["owner"],
        ct=row["ct"],
        ut=row["ut"],
        query=_request(row),
    )


@handles("QueryCreateRequest", writes=True)
def create(call: Call, request: Message) -> Message:
    """Save a search under a title."""
    most = call.service.limits.queries_per_user
    count = call.db.execute("SELECT count(*) FROM query WHERE owner = ?", (call.uid,))
    if count.fetchone()[0] >= most:
        raise Refused(
            f"Saved query limit reached ({most}). Contact system administrator to increase limit."
        )
    title = schema_validation.TITLE.new(request.title)
    search(call, request.query, 0, 1)
    key = f"q/{next_key(call.db)}"
    call.db.execute(
        "INSERT INTO query VALUES (?, ?, ?, ?, ?, ?)",
        (
            key,
            call.uid,
            title,
            int(call.now),
            int(call.now),
            request.query.SerializeToString(),
        ),
    )
    return _reply(_query(call, key))


@handles("QueryUpdateRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Change title or criteria of a saved search."""
    row = _query(call, request.id)
    title = (
        schema_validation.TITLE.changed(request.title)
        if request.HasField("title")
        else row["title"]
    )
    body = row["request"]
    if request.HasField("query") or request.replace_query:
        search(call, request.query, 0, 1)
        body = request.query.SerializeToString()
    call.db.execute(
        "UPDATE query SET title = ?, request = ?, ut = ? WHERE id = ?",
        (title, body, int(call.now), row["id"]),
    )
    return _reply(_query(call, row["id"]))


@handles("QueryViewRequest")
def view(call: Call, request: Message) -> Message:
    """One saved search."""
    return _reply(_query(call, request.id))


@handles("QueryDeleteRequest", writes=True)
def delete(call: Call, request: Message) -> Message:
    """Delete saved searches."""
    for name in request.id:
        call.db.execute("DELETE FROM query WHERE id = ?", (_query(call, name)["id"],))
    return pb.AckReply()


@handles("QueryListRequest")
def list_queries(call: Call, request: Message) -> Message:
    """The caller's saved searches by title, in pages."""
    offset, count = page(request)
    rows = call.db.execute(
        "SELECT id, title FROM query WHERE owner = ? ORDER BY title COLLATE NOCASE, id",
        (call.uid,),
    ).fetchall()
    shown = rows[offset : offset + count]
    return pb.ListingReply(
        item=[pb.ListingData(id=row["id"], title=row["title"]) for row in shown],
        offset=offset,
        count=len(shown),
        total=len(rows),
    )


@handles("QueryExecRequest")
def execute(call: Call, request: Message) -> Message:
    """Carry out a saved search."""
    saved = _request(_query(call, request.id))
    offset, count = page(saved, DEFAULT_COUNT)
    if request.HasField("offset") and request.HasField("count"):
        offset, count = request.offset, request.count
    return search(call, saved, offset, count)


@handles("SearchRequest")
def search_records(call: Call, request: Message) -> Message:
    """Records or collections by metadata expression, text, tags, times and other criteria."""
    return search(call, request, *page(request, DEFAULT_COUNT))
