"""Who may do what: resolving ids and aliases, permissions granted and inherited."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from enum import IntFlag

from motif.ingest.sandbox.dispatch import Call
from motif.ingest.sandbox.refusal import Refused, denied, missing

Row = sqlite3.Row

ROLE_NONE, ROLE_MEMBER, ROLE_MANAGER, ROLE_ADMIN = range(4)


class Permission(IntFlag):
    """Permission bits of access rules."""

    NONE = 0
    READ_RECORD = 0x0001
    READ_METADATA = 0x0002
    READ_DATA = 0x0004
    WRITE_RECORD = 0x0008
    WRITE_METADATA = 0x0010
    WRITE_DATA = 0x0020
    LIST = 0x0040
    LINK = 0x0080
    CREATE = 0x0100
    DELETE = 0x0200
    SHARE = 0x0400
    LOCK = 0x0800
    LABEL = 0x1000
    TAG = 0x2000
    ANNOTATE = 0x4000
    PUBLIC = 0x0047
    ALL = 0x7FFF


def item_named(call: Call, name: str, kind: str = "", context: str = "") -> Row:
    """Give the record or collection `name`: an id, an alias, or an alias with its owner
    (``u:user:alias``, ``p:project:alias``).

    Args:
        kind: 'd' or 'c' where only a record or a collection will do.
        context: user or project whose aliases a bare name means; the caller's where empty.
    """
    thing = {"d": "data record", "c": "collection"}.get(kind, "")
    if "/" in name:
        if name[:2] not in ("d/", "c/") or (kind and name[0] != kind):
            raise Refused(f"Invalid {thing} ID '{name}'" if thing else f"Invalid ID '{name}'")
        row = call.db.execute("SELECT * FROM item WHERE id = ?", (name,)).fetchone()
        if row is None:
            noun = "Data record" if name[0] == "d" else "Collection"
            raise missing(f"{noun} '{name}' does not exist.")
        return _as_row(row)
    owner, alias = _alias(name, context or call.uid)
    row = call.db.execute(
        "SELECT * FROM item WHERE owner = ? AND alias = ?", (owner, alias)
    ).fetchone()
    if row is None:
        raise missing(f"Alias '{name}' does not exist")
    if kind and row["kind"] != kind:
        raise Refused(f"Alias '{name}' does not identify a {thing}")
    return _as_row(row)


def _as_row(row: Row) -> Row:
    return row


def _alias(name: str, context: str) -> tuple[str, str]:
    parts = name.lower().split(":")
    if len(parts) == 1:
        return context, parts[0]
    if len(parts) == 3 and parts[0] in ("u", "p"):
        return f"{parts[0]}/{parts[1]}", parts[2]
    raise missing(f"Alias '{name}' does not exist")


def record_named(call: Call, name: str) -> Row:
    """Give the record `name`."""
    return item_named(call, name, "d")


def collection_named(call: Call, name: str, context: str = "") -> Row:
    """Give the collection `name`."""
    return item_named(call, name, "c", context)


def project_role(call: Call, project: str, uid: str = "") -> int:
    """Give the role of a user in a project."""
    account = uid or call.uid
    row = call.db.execute("SELECT owner FROM project WHERE id = ?", (project,)).fetchone()
    if row is None:
        return ROLE_NONE
    if row[0] == account:
        return ROLE_ADMIN
    role = call.db.execute(
        "SELECT role FROM project_role WHERE project = ? AND account = ?", (project, account)
    ).fetchone()
    return int(role[0]) if role else ROLE_NONE


def administers(call: Call, item: Row) -> bool:
    """Whether the caller may do everything with `item`."""
    owner = item["owner"]
    if owner == call.uid or call.admin:
        return True
    if item["kind"] == "d" and item["creator"] == call.uid:
        return True
    return owner.startswith("p/") and project_role(call, owner) >= ROLE_MANAGER


def permissions(call: Call, item: Row) -> Permission:
    """Give everything the caller may do with `item`, by itself and by its collections."""
    if administers(call, item):
        return Permission.ALL
    subjects = _subjects(call, item["owner"])
    granted = _granted(call, item["id"], item["topic"], subjects, below=False)
    for parent in ancestors(call.db, [item["id"]]):
        granted |= _granted(call, parent["id"], parent["topic"], subjects, below=True)
        if (
            parent["root"]
            and item["owner"].startswith("p/")
            and project_role(call, item["owner"]) == ROLE_MEMBER
        ):
            granted |= Permission.PUBLIC
    if item["root"] and project_role(call, item["owner"]) == ROLE_MEMBER:
        granted |= Permission.PUBLIC
    return granted


def _subjects(call: Call, owner: str) -> list[str]:
    groups = call.db.execute(
        "SELECT gid FROM party_member WHERE owner = ? AND account = ?", (owner, call.uid)
    )
    return [call.uid, *(f"g/{row[0]}" for row in groups)]


def _granted(
    call: Call, item: str, topic: str | None, subjects: list[str], *, below: bool
) -> Permission:
    granted = Permission.PUBLIC if topic else Permission.NONE
    marks = ",".join("?" * len(subjects))
    for row in call.db.execute(
        f"SELECT own, inherited FROM access WHERE item = ? AND subject IN ({marks})",
        (item, *subjects),
    ):
        granted |= Permission(row["inherited"] if below else row["own"] | row["inherited"])
    return granted


def require(call: Call, item: Row, wanted: Permission, message: str = "Permission Denied") -> None:
    """Refuse unless the caller has all of `wanted` on `item`."""
    if item["owner"] == call.uid:
        return
    if permissions(call, item) & wanted != wanted:
        raise denied(message)


def require_project(call: Call, project: str, role: int = ROLE_NONE) -> Row:
    """Give the project; refuse where there is none or the caller's role is lower than `role`."""
    row = call.db.execute("SELECT * FROM project WHERE id = ?", (project,)).fetchone()
    if row is None:
        raise missing(f"No such project '{project}'")
    if role and not call.admin and project_role(call, project) < role:
        raise denied()
    return _as_row(row)


def ancestors(db: sqlite3.Connection, ids: Iterable[str]) -> list[Row]:
    """Give every collection above the items `ids`, each once."""
    seen: dict[str, Row] = {}
    level = list(ids)
    while level:
        above = []
        for child in level:
            for row in db.execute(
                "SELECT item.* FROM link JOIN item ON item.id = link.parent WHERE link.child = ?",
                (child,),
            ):
                if row["id"] not in seen:
                    seen[row["id"]] = row
                    above.append(row["id"])
        level = above
    return list(seen.values())


def collections_below(db: sqlite3.Connection, ids: Iterable[str]) -> list[str]:
    """Give the collections `ids` and all collections inside them, each once."""
    seen = dict.fromkeys(ids)
    level = list(seen)
    while level:
        below = []
        for parent in level:
            for (child,) in db.execute(
                "SELECT child FROM link WHERE parent = ? AND kind = 'c'", (parent,)
            ):
                if child not in seen:
                    seen[child] = None
                    below.append(child)
        level = below
    return list(seen)
