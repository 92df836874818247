"""Access rules and what is shared by them."""

from __future__ import annotations

import json
from typing import Any

from motif.ingest.sandbox.access import (
    Permission,
    Row,
    ancestors,
    item_named,
    permissions,
    require,
    require_project,
)
from motif.ingest.sandbox.handlers.user_handlers import display_name, user_row
from motif.ingest.sandbox.reply_documents import listing
from motif.ingest.sandbox.request_server.faults import Refused, denied, missing
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles

_SHARED = """
    SELECT DISTINCT item.* FROM access JOIN item ON item.id = access.item
    WHERE access.subject = :me OR EXISTS (
        SELECT 1 FROM party_member AS member WHERE member.account = :me
        AND member.owner = item.owner AND access.subject = 'g/' || member.gid)
"""


@handles("ACLViewRequest")
def view(call: Call, request: Message) -> Message:
    """Access rules of a record or collection."""
    row = item_named(call, request.id)
    require(call, row, Permission.SHARE)
    return _rules(call, row)


@handles("ACLUpdateRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Replace the access rules of a record or collection (a JSON array)."""
    row = item_named(call, request.id)
    require(call, row, Permission.SHARE)
    if not request.HasField("rules"):
        return _rules(call, row)
    allowed = permissions(call, row)
    call.db.execute("DELETE FROM access WHERE item = ?", (row["id"],))
    for rule in _parse(request.rules):
        subject, own, inherited = _rule(call, row, rule)
        if (own | inherited) & ~allowed:
            raise denied(f"Attempt to exceed controlled permissions on {subject} ACL.")
        call.db.execute(
            "INSERT OR REPLACE INTO access VALUES (?, ?, ?, ?)",
            (row["id"], subject, own, inherited),
        )
    return _rules(call, row)


def _parse(text: str) -> list[dict[str, Any]]:
    try:
        rules = json.loads(text) if text else []
    except (ValueError, RecursionError) as error:
        raise Refused(f"JSON parse error: {error}") from error
    if not isinstance(rules, list) or not all(
        isinstance(rule, dict) and isinstance(rule.get("id"), str) for rule in rules
    ):
        raise Refused("Access rules must be an array of objects with an 'id'.")
    return rules


def _rule(call: Call, row: Row, rule: dict[str, Any]) -> tuple[str, int, int]:
    own, inherited = rule.get("grant") or 0, rule.get("inhgrant") or 0
    for value in (own, inherited):
        if not isinstance(value, int) or not 0 <= value <= Permission.ALL:
            raise Refused("Access rule permissions must be numbers from 0 to 32767.")
    if inherited and row["kind"] == "d":
        raise Refused("Inherited permissions cannot be applied to data records")
    subject = rule["id"]
    if subject.startswith("g/"):
        known = call.db.execute(
            "SELECT 1 FROM party WHERE owner = ? AND gid = ?", (row["owner"], subject[2:])
        )
        if not known.fetchone():
            raise missing(f"Group {subject} not found")
        return subject, own, inherited
    return user_row(call, subject)["id"], own, inherited


def _rules(call: Call, row: Row) -> Message:
    rows = call.db.execute(
        "SELECT subject, own, inherited FROM access WHERE item = ? ORDER BY subject", (row["id"],)
    )
    return pb.ACLDataReply(
        rule=[
            pb.ACLRule(id=rule["subject"], grant=rule["own"], inhgrant=rule["inherited"])
            for rule in rows
        ]
    )


@handles("CheckPermsRequest")
def check(call: Call, request: Message) -> Message:
    """Whether the caller has permissions on an item."""
    row = item_named(call, request.id)
    return pb.CheckPermsReply(granted=permissions(call, row) & request.perms == request.perms)


@handles("GetPermsRequest")
def get(call: Call, request: Message) -> Message:
    """Which of the permissions asked for the caller has on an item."""
    row = item_named(call, request.id)
    wanted = request.perms if request.HasField("perms") else Permission.ALL
    return pb.GetPermsReply(granted=permissions(call, row) & wanted)


@handles("ACLSharedListRequest")
def owners(call: Call, request: Message) -> Message:
    """Users and projects that share something with the caller; both where none is chosen."""
    both = not (request.inc_users or request.inc_projects)
    reply = pb.ListingReply()
    rows = call.db.execute(_SHARED, {"me": call.uid}).fetchall()
    for owner in sorted({row["owner"] for row in rows} - {call.uid}):
        if owner.startswith("u/") and (both or request.inc_users):
            title = display_name(user_row(call, owner))
        elif owner.startswith("p/") and (both or request.inc_projects):
            title = require_project(call, owner)["title"]
        else:
            continue
        reply.item.append(pb.ListingData(id=owner, title=title, owner=owner))
    reply.count = reply.total = len(reply.item)
    return reply


@handles("ACLSharedListItemsRequest")
def items(call: Call, request: Message) -> Message:
    """What an owner shares with the caller; an item inside a shared collection is left out."""
    owner = request.owner
    if owner.startswith("p/"):
        require_project(call, owner)
    else:
        owner = user_row(call, owner)["id"]
    rows = [
        row
        for row in call.db.execute(_SHARED, {"me": call.uid}).fetchall()
        if row["owner"] == owner
    ]
    shared = {row["id"] for row in rows}
    shown = [
        row
        for row in rows
        if not shared & {above["id"] for above in ancestors(call.db, [row["id"]])}
    ]
    shown.sort(key=lambda row: (row["kind"], row["title"].casefold()))
    return pb.ListingReply(
        item=[listing(call, row) for row in shown], count=len(shown), total=len(shown)
    )
