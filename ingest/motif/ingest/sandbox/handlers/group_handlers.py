"""Groups of users, for access rules."""

from __future__ import annotations

from collections.abc import Iterable

from motif.ingest.sandbox import schema_validation
from motif.ingest.sandbox.access import ROLE_MANAGER, Row, require_project
from motif.ingest.sandbox.handlers.user_handlers import user_row
from motif.ingest.sandbox.request_server.faults import Refused, denied, missing
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles


def _owner(call: Call, name: str) -> str:
    """Give the user or project whose groups are meant; refuse callers with no say over it."""
    if name.startswith("p/"):
        return str(require_project(call, name, ROLE_MANAGER)["id"])
    owner = str(user_row(call, name)["id"]) if name else call.uid
    if owner != call.uid and not call.admin:
        raise denied()
    return owner


def _group(call: Call, owner: str, gid: str) -> Row:
    key = gid.removeprefix("g/").lower()
    row: Row | None = call.db.execute(
        "SELECT * FROM party WHERE owner = ? AND gid = ?", (owner, key)
    ).fetchone()
    if row is None:
        raise missing(f"Group ID '{gid}' not found")
    return row


def _data(call: Call, row: Row) -> Message:
    members = call.db.execute(
        "SELECT account FROM party_member WHERE owner = ? AND gid = ? ORDER BY account",
        (row["owner"], row["gid"]),
    )
    return pb.GroupData(
        uid=row["owner"],
        gid=row["gid"],
        title=row["title"],
        desc=row["description"],
        member=[account for (account,) in members],
    )


def _add_members(call: Call, row: Row, names: Iterable[str]) -> None:
    for name in names:
        account = user_row(call, name)["id"]
        call.db.execute(
            "INSERT OR IGNORE INTO party_member VALUES (?, ?, ?)",
            (row["owner"], row["gid"], account),
        )


@handles("GroupCreateRequest", writes=True)
def create(call: Call, request: Message) -> Message:
    """A new group of a user or project."""
    group = request.group
    owner = _owner(call, group.uid)
    gid = str(schema_validation.GROUP.new(group.gid))
    if gid == "members":
        raise denied("Group ID 'members' is reserved")
    if call.db.execute("SELECT 1 FROM party WHERE owner = ? AND gid = ?", (owner, gid)).fetchone():
        raise Refused(f"Group ID '{gid}' already exists.")
    call.db.execute(
        "INSERT INTO party VALUES (?, ?, ?, ?)",
        (
            owner,
            gid,
            schema_validation.TITLE.clean(group.title),
            schema_validation.DESCRIPTION.clean(group.desc),
        ),
    )
    row = _group(call, owner, gid)
    _add_members(call, row, group.member)
    return pb.GroupDataReply(group=[_data(call, row)])


@handles("GroupUpdateRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Change title, description or members of a group."""
    row = _group(call, _owner(call, request.uid), request.gid)
    key = (row["owner"], row["gid"])
    if request.HasField("title"):
        title = schema_validation.TITLE.clean(request.title)
        call.db.execute("UPDATE party SET title = ? WHERE owner = ? AND gid = ?", (title, *key))
    if request.HasField("desc"):
        text = schema_validation.DESCRIPTION.clean(request.desc)
        call.db.execute(
            "UPDATE party SET description = ? WHERE owner = ? AND gid = ?", (text, *key)
        )
    _add_members(call, row, request.add_uid)
    for name in request.rem_uid:
        call.db.execute(
            "DELETE FROM party_member WHERE owner = ? AND gid = ? AND account = ?",
            (*key, user_row(call, name)["id"]),
        )
    return pb.GroupDataReply(group=[_data(call, _group(call, *key))])


@handles("GroupDeleteRequest", writes=True)
def delete(call: Call, request: Message) -> Message:
    """Delete a group and the access rules that name it."""
    row = _group(call, _owner(call, request.uid), request.gid)
    key = (row["owner"], row["gid"])
    call.db.execute("DELETE FROM party_member WHERE owner = ? AND gid = ?", key)
    call.db.execute(
        "DELETE FROM access WHERE subject = 'g/' || ? AND item IN "
        "(SELECT id FROM item WHERE owner = ?)",
        (row["gid"], row["owner"]),
    )
    call.db.execute("DELETE FROM party WHERE owner = ? AND gid = ?", key)
    return pb.AckReply()


@handles("GroupListRequest")
def list_groups(call: Call, request: Message) -> Message:
    """Groups of a user or project."""
    owner = _owner(call, request.uid)
    rows = call.db.execute("SELECT * FROM party WHERE owner = ? ORDER BY gid", (owner,)).fetchall()
    return pb.GroupDataReply(group=[_data(call, row) for row in rows])


@handles("GroupViewRequest")
def view(call: Call, request: Message) -> Message:
    """One group with its members."""
    row = _group(call, _owner(call, request.uid), request.gid)
    return pb.GroupDataReply(group=[_data(call, row)])
