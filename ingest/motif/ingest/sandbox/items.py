"""Changes common to records and collections: links, tags, titles, aliases, deletion."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from typing import Any

from motif.ingest.sandbox import schema_validation
from motif.ingest.sandbox.access import (
    Permission,
    Row,
    administers,
    collection_named,
    permissions,
    record_named,
    require,
    root_of,
)
from motif.ingest.sandbox.dependencies import add_dependencies, remove_dependencies
from motif.ingest.sandbox.request_server.faults import Refused, denied
from motif.ingest.sandbox.request_server.request_dispatch import Call
from motif.ingest.sandbox.sandbox_database import allocate, next_key
from motif.ingest.sandbox.schema_validation import metadata_errors, schema_row


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
    """Whether an item is linked in `parent`, or in any collection where none is named."""
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


EXTERNAL_SIZE = 1_048_576
"""Size the service writes into every external record, whose true size it does not know."""


def create_record(call: Call, given: dict[str, Any]) -> tuple[Row, str]:
    """Make a record; give its row and the id of its collection."""
    parent = _parent(call, given.get("parent_id", ""))
    owner = parent["owner"]
    require_room(call, parent["id"], which="Parent collection")
    key = next_key(call.db)
    title = schema_validation.TITLE.new(given.get("title"))
    values: dict[str, Any] = {
        "id": f"d/{key}",
        "kind": "d",
        "owner": owner,
        "creator": call.uid,
        "title": unique_title(call.db, parent["id"], "d", str(title), key),
        "alias": schema_validation.ALIAS.new(given.get("alias")),
        "description": schema_validation.DESCRIPTION.new(given.get("desc")) or "",
        "tags": json.dumps(schema_validation.clean_tags(given.get("tags") or ())),
        "source": schema_validation.SOURCE.new(given.get("source")),
        "ct": int(call.now),
        "ut": int(call.now),
        **_raw_data(call, owner, given),
    }
    if values["alias"]:
        require_free_alias(call, owner, values["alias"])
    metadata = None
    if given.get("metadata"):
        metadata = schema_validation.parse_metadata(given["metadata"], call.service.limits)
        values["metadata"] = schema_validation.dump_metadata(metadata)
    schema = schema_validation.SCHEMA.new(given.get("sch_id"))
    values["schema"] = schema
    values["metadata_error"] = _validate(call, schema, metadata, bool(given.get("sch_enforce")))
    insert_item(call, values)
    add_tags(call.db, values["id"], json.loads(values["tags"]))
    link(call.db, parent["id"], "d", values["title"], values["id"])
    add_dependencies(call, values["id"], given.get("deps") or (), single=True)
    return record_named(call, values["id"]), parent["id"]


def _parent(call: Call, name: str) -> Row:
    parent = collection_named(call, name or root_of(call.uid))
    require(call, parent, Permission.CREATE)
    return parent


def _raw_data(call: Call, owner: str, given: dict[str, Any]) -> dict[str, Any]:
    """Give the columns that say where raw data lie."""
    if given.get("external"):
        source = given.get("source")
        if source:
            _require_full_path(source)
        return {"external": 1, "size": EXTERNAL_SIZE if source else 0}
    if given.get("source"):
        raise Refused("Raw data source cannot be specified for managed data records.")
    extension = schema_validation.dotted(schema_validation.EXTENSION.new(given.get("ext")))
    return {
        "repository": allocate(call, owner, given.get("repo_id", "")),
        "ext": extension,
        "ext_auto": int(extension is None),
    }


def _require_full_path(source: str) -> None:
    endpoint, slash, path = source.partition("/")
    if not (endpoint and slash and path) or path.endswith("/"):
        raise Refused("Source must be a full Globus path to a file.")


def _validate(
    call: Call, schema: str | None, metadata: dict[str, Any] | None, enforce: bool
) -> str | None:
    if enforce and not (schema and metadata is not None):
        raise Refused("Enforce schema option specified, but metadata and/or schema ID is missing.")
    if not schema:
        return None
    row = schema_row(call, schema)
    if metadata is None:
        return None
    errors = metadata_errors(call, row, metadata)
    if errors and enforce:
        raise Refused(errors)
    return errors or None


def update_record(call: Call, name: str, given: dict[str, Any]) -> Row:
    """Change a record; give its new row."""
    row = record_named(call, name)
    _require_update(call, row, given)
    values: dict[str, Any] = {}
    if "title" in given:
        values["title"] = schema_validation.TITLE.changed(given["title"])
    if "desc" in given:
        values["description"] = schema_validation.DESCRIPTION.changed(given["desc"]) or ""
    if "alias" in given:
        values["alias"] = schema_validation.ALIAS.changed(given["alias"])
        if values["alias"]:
            require_free_alias(call, row["owner"], values["alias"], row["id"])
    if given.get("tags_clear"):
        values["tags"] = "[]"
    elif given.get("tags"):
        values["tags"] = json.dumps(schema_validation.clean_tags(given["tags"]))
    values.update(_changed_raw_data(row, given))
    values.update(_changed_metadata(call, row, given))
    update_item(call, row["id"], values)
    remove_dependencies(call, row["id"], given.get("dep_rem") or ())
    add_dependencies(call, row["id"], given.get("dep_add") or (), single=False)
    return record_named(call, row["id"])


def _require_update(call: Call, row: Row, given: dict[str, Any]) -> None:
    if administers(call, row):
        return
    wanted = Permission.WRITE_METADATA if "metadata" in given else Permission.NONE
    if any(given.get(name) is not None for name in ("title", "alias", "desc", "tags", "source")):
        wanted |= Permission.WRITE_RECORD
    if given.get("dep_add") or given.get("dep_rem") or given.get("tags_clear"):
        wanted |= Permission.WRITE_RECORD
    wanted = wanted or Permission.WRITE_RECORD
    if row["locked"] or permissions(call, row) & wanted != wanted:
        raise denied()


def _changed_raw_data(row: Row, given: dict[str, Any]) -> dict[str, Any]:
    source = schema_validation.SOURCE.changed(given["source"]) if "source" in given else None
    if row["external"]:
        if source is None:
            return {}
        _require_full_path(source)
        return {"source": source, "size": EXTERNAL_SIZE}
    if source:
        raise Refused("Raw data source cannot be specified for managed data records.")
    if given.get("ext_auto"):
        return {"ext_auto": 1, "ext": extension_of(row["source"] or "")}
    if "ext" in given:
        return {
            "ext_auto": 0,
            "ext": schema_validation.dotted(schema_validation.EXTENSION.changed(given["ext"])),
        }
    return {}


def extension_of(source: str) -> str | None:
    """Give the extension of an uploaded file: from the last dot of its name."""
    stem, dot, extension = source.rsplit("/", 1)[-1].rpartition(".")
    return f".{extension}" if dot and stem and extension else None


def _changed_metadata(call: Call, row: Row, given: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    text = row["metadata"]
    if "metadata" in given:
        if given["metadata"]:
            change = schema_validation.parse_metadata(given["metadata"], call.service.limits)
            old = {} if given.get("mdset") or not text else json.loads(text)
            text = schema_validation.dump_metadata(schema_validation.merge(old, change))
        else:
            text = None
        values["metadata"] = text
    schema = row["schema"]
    if "sch_id" in given:
        schema = values["schema"] = schema_validation.SCHEMA.changed(given["sch_id"])
    if values or given.get("sch_enforce"):
        metadata = json.loads(text) if text else None
        values["metadata_error"] = _validate(call, schema, metadata, bool(given.get("sch_enforce")))
    return values
