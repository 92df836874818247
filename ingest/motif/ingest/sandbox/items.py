"""Changes common to records and collections: links, tags, titles, aliases, deletion."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from typing import Any

from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.accounts import root_of
from motif.ingest.sandbox.dispatch import Call
from motif.ingest.sandbox.refusal import Refused


def insert_item(call: Call, values: dict[str, Any]) -> None:
    """Add a row to the items."""
    columns = {**values, "created": time.time(), "changed": time.time()}
    marks = ", ".join(f":{name}" for name in columns)
    call.db.execute(f"INSERT INTO item ({', '.join(columns)}) VALUES ({marks})", columns)


def update_item(call: Call, item: str, values: dict[str, Any]) -> None:
    """Change columns of an item; any change moves its update time."""
    columns = {**values, "ut": int(call.now), "changed": time.time()}
    setters = ", ".join(f"{name} = :{name}" for name in columns)
    call.db.execute(f"UPDATE item SET {setters} WHERE id = :id", {**columns, "id": item})
    if "title" in values:
        call.db.execute("UPDATE link SET title = ? WHERE child = ?", (values["title"], item))
    if "tags" in values:
        call.db.execute("DELETE FROM tag WHERE item = ?", (item,))
        add_tags(call.db, item, json.loads(values["tags"]))


def add_tags(db: sqlite3.Connection, item: str, tags: Iterable[str]) -> None:
    """Index the tags of an item."""
    db.executemany("INSERT OR IGNORE INTO tag VALUES (?, ?)", ((tag, item) for tag in tags))


def require_free_alias(call: Call, owner: str, alias: str, item: str = "") -> None:
    """Refuse an alias that another item of `owner` has."""
    row = call.db.execute(
        "SELECT id FROM item WHERE owner = ? AND alias = ?", (owner, alias)
    ).fetchone()
    if row is not None and row[0] != item:
        raise Refused(f"Alias, {owner.replace('/', ':')}:{alias}, already in use")


def unique_title(db: sqlite3.Connection, parent: str, kind: str, title: str, key: int) -> str:
    """Give `title`, with the key of the new item behind it where `parent` holds the same title."""
    taken = db.execute(
        "SELECT 1 FROM link WHERE parent = ? AND kind = ? AND title = ? "
        "AND title = ? COLLATE BINARY LIMIT 1",
        (parent, kind, title, title),
    ).fetchone()
    return f"{title}_{key}" if taken else title


def link(db: sqlite3.Connection, parent: str, kind: str, title: str, child: str) -> None:
    """Put an item into a collection."""
    db.execute("INSERT INTO link VALUES (?, ?, ?, ?)", (parent, kind, title, child))


def unlink(db: sqlite3.Connection, parent: str, child: str) -> None:
    """Take an item out of a collection."""
    db.execute("DELETE FROM link WHERE child = ? AND parent = ?", (child, parent))


def require_room(call: Call, parent: str, more: int = 1, which: str = "Collection") -> None:
    """Refuse where `parent` cannot hold `more` further items."""
    most = call.service.limits.items_per_collection
    count = call.db.execute("SELECT count(*) FROM link WHERE parent = ?", (parent,)).fetchone()[0]
    if count + more > most:
        raise Refused(f"{which} item limit exceeded ({most} items)")


def linked(db: sqlite3.Connection, child: str, parent: str = "") -> bool:
    """Whether an item lies in `parent`, or in any collection where none is named."""
    if parent:
        row = db.execute("SELECT 1 FROM link WHERE child = ? AND parent = ?", (child, parent))
    else:
        row = db.execute("SELECT 1 FROM link WHERE child = ? LIMIT 1", (child,))
    return row.fetchone() is not None


def relink_to_root(call: Call, items: Iterable[Row]) -> list[Row]:
    """Put items that lie in no collection any more into their owner's root; give those."""
    loose = [item for item in items if not linked(call.db, item["id"])]
    for item in loose:
        link(call.db, root_of(item["owner"]), item["kind"], item["title"], item["id"])
    return loose


def forget_items(call: Call, items: Iterable[str]) -> None:
    """Delete items with their links, tags, dependencies, rules and notes."""
    for item in items:
        for statement in (
            "DELETE FROM link WHERE child = ?",
            "DELETE FROM link WHERE parent = ?",
            "DELETE FROM tag WHERE item = ?",
            "DELETE FROM dependency WHERE source = ?",
            "DELETE FROM dependency WHERE target = ?",
            "DELETE FROM access WHERE item = ?",
            "DELETE FROM note WHERE subject = ?",
            "DELETE FROM item WHERE id = ?",
        ):
            call.db.execute(statement, (item,))
