"""Annotations of records and collections."""

from __future__ import annotations

import json
from typing import Any

from motif.ingest.sandbox import schema_validation
from motif.ingest.sandbox.access import Permission, Row, administers, item_named, permissions
from motif.ingest.sandbox.reply_documents import listing
from motif.ingest.sandbox.request_server.faults import Refused, denied
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles
from motif.ingest.sandbox.sandbox_database import next_key

_CLOSED_BIT = 0x1000
_OPEN_SHIFT = 4
_INHERITED_SHIFT = 8


def _note(call: Call, name: str) -> Row:
    if not name.startswith("n/"):
        raise Refused(f"Invalid annotaion ID '{name}'")
    row: Row | None = call.db.execute("SELECT * FROM note WHERE id = ?", (name,)).fetchone()
    if row is None:
        raise Refused(f"Annotaion ID '{name}' does not exist.")
    return row


def _data(call: Call, row: Row) -> Message:
    child = call.db.execute("SELECT 1 FROM note WHERE parent = ?", (row["id"],)).fetchone()
    data = pb.NoteData(
        id=row["id"],
        type=row["type"],
        state=row["state"],
        subject_id=row["subject"],
        title=row["title"],
        ct=row["ct"],
        ut=row["ut"],
        parent_id=row["parent"],
        has_child=child is not None,
    )
    for comment in json.loads(row["comments"]):
        data.comment.add(**comment)
    return data


def _insert(call: Call, subject: str, values: dict[str, Any]) -> str:
    key = f"n/{next_key(call.db)}"
    columns = {
        "id": key,
        "subject": subject,
        "creator": call.uid,
        "ct": int(call.now),
        "ut": int(call.now),
        **values,
    }
    call.db.execute(
        f"INSERT INTO note ({', '.join(columns)}) "
        f"VALUES ({', '.join(f':{name}' for name in columns)})",
        columns,
    )
    return key


def _comment(call: Call, text: str, kind: int, state: int) -> dict[str, Any]:
    return {
        "user": call.uid,
        "time": int(call.now),
        "comment": schema_validation.COMMENT.new(text),
        "type": kind,
        "state": state,
    }


def _refresh_mask(call: Call, item: str) -> None:
    """Write the bits that summarise an item's notes into its row."""
    everything = public = 0
    for row in call.db.execute("SELECT type, state, parent FROM note WHERE subject = ?", (item,)):
        if row["state"] == pb.NOTE_STATE_CLOSED:
            everything |= _CLOSED_BIT
            continue
        bit = 1 << row["type"]
        if row["state"] == pb.NOTE_STATE_ACTIVE:
            public |= bit
        else:
            bit <<= _INHERITED_SHIFT if row["parent"] else _OPEN_SHIFT
        everything |= bit
    call.db.execute(
        "UPDATE item SET notes = ?, public_notes = ? WHERE id = ?",
        (everything | public, public, item),
    )


def _hand_down(call: Call, note: Row) -> None:
    """Give an active warning or error to what is derived from its subject or a part of it, as an
    open annotation its owner decides about.
    """
    if note["state"] != pb.NOTE_STATE_ACTIVE or note["type"] < pb.NOTE_TYPE_WARN:
        return
    for row in call.db.execute(
        "SELECT DISTINCT source FROM dependency WHERE target = ? AND type < ?",
        (note["subject"], pb.DEP_IS_NEW_VERSION_OF),
    ).fetchall():
        known = call.db.execute(
            "SELECT 1 FROM note WHERE parent = ? AND subject = ?", (note["id"], row["source"])
        ).fetchone()
        if known:
            continue
        text = f"Impact assessment needed due to issue on {note['subject']}."
        _insert(
            call,
            row["source"],
            {
                "type": note["type"],
                "state": pb.NOTE_STATE_OPEN,
                "title": note["title"],
                "parent": note["id"],
                "comments": json.dumps([_comment(call, text, note["type"], pb.NOTE_STATE_OPEN)]),
            },
        )
        _refresh_mask(call, row["source"])


def _reply(call: Call, name: str, *, updated: bool = True) -> Message:
    row = _note(call, name)
    reply = pb.NoteDataReply(note=[_data(call, row)])
    if updated:
        reply.update.append(listing(call, item_named(call, row["subject"])))
    return reply


@handles("NoteCreateRequest", writes=True)
def create(call: Call, request: Message) -> Message:
    """Annotate a record or collection; an active error or warning reaches what depends on it."""
    item = item_named(call, request.subject)
    if not administers(call, item):
        if Permission.READ_RECORD not in permissions(call, item):
            raise denied()
        if request.activate:
            raise denied("Only owner or admin may create a new annotaion in active state.")
    if request.type not in pb.NoteType.values():
        raise Refused("Invalid annotaion type.")
    state = pb.NOTE_STATE_ACTIVE if request.activate else pb.NOTE_STATE_OPEN
    comments = [_comment(call, request.comment, request.type, state)]
    name = _insert(
        call,
        item["id"],
        {
            "type": request.type,
            "state": state,
            "title": schema_validation.TITLE.new(request.title),
            "comments": json.dumps(comments),
        },
    )
    _hand_down(call, _note(call, name))
    _refresh_mask(call, item["id"])
    return _reply(call, name)


@handles("NoteUpdateRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Comment on an annotation; its type, state and title may change with it."""
    note = _note(call, request.id)
    item = item_named(call, note["subject"])
    kind = request.new_type if request.HasField("new_type") else note["type"]
    state = request.new_state if request.HasField("new_state") else note["state"]
    if request.HasField("new_state") and state == note["state"]:
        raise Refused("Invalid new state for annotaion.")
    if kind not in pb.NoteType.values() or state not in pb.NoteState.values():
        raise Refused("Invalid annotaion type or state.")
    if not administers(call, item):
        edits = any(request.HasField(name) for name in ("new_type", "new_state", "new_title"))
        active = pb.NOTE_STATE_ACTIVE in (note["state"], state)
        if note["creator"] != call.uid or (edits and active):
            raise denied()
    title = (
        schema_validation.TITLE.changed(request.new_title) if request.new_title else note["title"]
    )
    comments = json.loads(note["comments"])
    comments.append(_comment(call, request.comment, kind, state))
    call.db.execute(
        "UPDATE note SET type = ?, state = ?, title = ?, comments = ?, ut = ? WHERE id = ?",
        (kind, state, title, json.dumps(comments), int(call.now), note["id"]),
    )
    _close_inherited(call, note["id"], state)
    _hand_down(call, _note(call, note["id"]))
    _refresh_mask(call, item["id"])
    return _reply(call, note["id"])


def _close_inherited(call: Call, note: str, state: int) -> None:
    """Close what was handed down when the annotation itself is closed."""
    if state != pb.NOTE_STATE_CLOSED:
        return
    for row in call.db.execute("SELECT id, subject FROM note WHERE parent = ?", (note,)).fetchall():
        call.db.execute(
            "UPDATE note SET state = ?, ut = ? WHERE id = ?", (state, int(call.now), row["id"])
        )
        _close_inherited(call, row["id"], state)
        _refresh_mask(call, row["subject"])


@handles("NoteCommentEditRequest", writes=True)
def edit(call: Call, request: Message) -> Message:
    """Change the text of one's own comment."""
    note = _note(call, request.id)
    comments = json.loads(note["comments"])
    if request.comment_idx >= len(comments):
        raise Refused("Comment index out of range.")
    comment = comments[request.comment_idx]
    if comment["user"] != call.uid:
        raise denied("Only original commentor may edit comments.")
    comment["comment"] = schema_validation.COMMENT.new(request.comment)
    call.db.execute(
        "UPDATE note SET comments = ?, ut = ? WHERE id = ?",
        (json.dumps(comments), int(call.now), note["id"]),
    )
    return _reply(call, note["id"], updated=False)


def _readable(call: Call, note: Row, item: Row) -> bool:
    if administers(call, item) or note["creator"] == call.uid:
        return True
    return note["state"] == pb.NOTE_STATE_ACTIVE and Permission.READ_RECORD in permissions(
        call, item
    )


@handles("NoteViewRequest")
def view(call: Call, request: Message) -> Message:
    """One annotation with its comments."""
    note = _note(call, request.id)
    if not _readable(call, note, item_named(call, note["subject"])):
        raise denied()
    return _reply(call, note["id"], updated=False)


@handles("NoteListBySubjectRequest")
def by_subject(call: Call, request: Message) -> Message:
    """Annotations of a record or collection that the caller may see, latest change first."""
    item = item_named(call, request.subject)
    rows = call.db.execute(
        "SELECT * FROM note WHERE subject = ? ORDER BY ut DESC, id", (item["id"],)
    ).fetchall()
    return pb.NoteDataReply(note=[_data(call, row) for row in rows if _readable(call, row, item)])
