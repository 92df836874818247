"""Collections: create, view, update, delete."""

from __future__ import annotations

import json
from typing import Any

from motif.ingest.sandbox import schema_validation
from motif.ingest.sandbox.access import (
    Permission,
    Row,
    collection_named,
    collections_below,
    require,
    root_of,
)
from motif.ingest.sandbox.handlers.record_handlers import delete_records
from motif.ingest.sandbox.items import (
    add_tags,
    forget_items,
    insert_item,
    link,
    require_free_alias,
    require_room,
    unique_title,
    update_item,
)
from motif.ingest.sandbox.reply_documents import collection_data, listing
from motif.ingest.sandbox.request_server.faults import Refused, denied
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles
from motif.ingest.sandbox.sandbox_database import next_key


@handles("CollViewRequest")
def view(call: Call, request: Message) -> Message:
    """One collection."""
    row = collection_named(call, request.id)
    require(call, row, Permission.READ_RECORD)
    return pb.CollDataReply(coll=[collection_data(call, row)])


@handles("CollCreateRequest", writes=True)
def create(call: Call, request: Message) -> Message:
    """A new collection inside another one."""
    parent = collection_named(call, request.parent_id or root_of(call.uid))
    require(call, parent, Permission.CREATE)
    owner = parent["owner"]
    _require_new_allowed(call, owner)
    require_room(call, parent["id"], which="Parent collection")
    key = next_key(call.db)
    title = str(schema_validation.TITLE.new(request.title))
    tags = schema_validation.clean_tags(request.tags)
    values: dict[str, Any] = {
        "id": f"c/{key}",
        "kind": "c",
        "owner": owner,
        "creator": call.uid,
        "title": unique_title(call.db, parent["id"], "c", title, key),
        "alias": schema_validation.ALIAS.new(request.alias),
        "description": schema_validation.DESCRIPTION.new(request.desc) or "",
        "topic": _topic(request.topic),
        "tags": json.dumps(tags),
        "ct": int(call.now),
        "ut": int(call.now),
    }
    if values["alias"]:
        require_free_alias(call, owner, values["alias"])
    insert_item(call, values)
    add_tags(call.db, values["id"], tags)
    link(call.db, parent["id"], "c", values["title"], values["id"])
    row = collection_named(call, values["id"])
    return pb.CollDataReply(coll=[collection_data(call, row, parent["id"])])


def _require_new_allowed(call: Call, owner: str) -> None:
    most = call.service.limits.collections_per_owner
    count = call.db.execute(
        "SELECT count(*) FROM item WHERE kind = 'c' AND owner = ? AND NOT root", (owner,)
    ).fetchone()[0]
    if count >= most:
        raise Refused(
            f"Collection limit reached ({most}). Contact system administrator to increase limit."
        )
    if not call.db.execute("SELECT 1 FROM allocation WHERE owner = ?", (owner,)).fetchone():
        raise Refused("An allocation is required to create a collection.")


def _topic(value: str) -> str | None:
    topic = schema_validation.TOPIC.clean(value)
    if topic and not all(topic.split(".")):
        raise Refused("Invalid category")
    return topic


@handles("CollUpdateRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Change a collection."""
    row = collection_named(call, request.id)
    require(call, row, Permission.WRITE_RECORD)
    values: dict[str, Any] = {}
    if request.HasField("title"):
        values["title"] = schema_validation.TITLE.changed(request.title)
    if request.HasField("desc"):
        values["description"] = schema_validation.DESCRIPTION.changed(request.desc) or ""
    if request.HasField("alias"):
        if row["root"]:
            raise denied("Cannot change the alias of a root collection")
        values["alias"] = schema_validation.ALIAS.changed(request.alias)
        if values["alias"]:
            require_free_alias(call, row["owner"], values["alias"], row["id"])
    if request.HasField("topic"):
        values["topic"] = _topic(request.topic)
    if request.tags_clear:
        values["tags"] = "[]"
    elif request.tags:
        values["tags"] = json.dumps(schema_validation.clean_tags(request.tags))
    update_item(call, row["id"], values)
    changed = collection_named(call, row["id"])
    return pb.CollDataReply(coll=[collection_data(call, changed)], update=[listing(call, changed)])


@handles("CollDeleteRequest", writes=True)
def delete(call: Call, request: Message) -> Message:
    """Delete collections and the items in no other one; a task removes raw data."""
    given = [collection_named(call, name) for name in request.id]
    for row in given:
        if row["root"]:
            raise denied(f"Cannot delete root collection {row['id']}")
        require(call, row, Permission.DELETE, f"Permission denied for collection {row['id']}")
    doomed = collections_below(call.db, [row["id"] for row in given])
    records = _only_inside(call, doomed)
    forget_items(call, doomed)
    return pb.TaskDataReply(task=[delete_records(call, records)])


def _only_inside(call: Call, collections: list[str]) -> list[Row]:
    """Give the records that lie in `collections` and nowhere else."""
    inside = set(collections)
    found: dict[str, Row] = {}
    for collection in collections:
        for row in call.db.execute(
            "SELECT item.* FROM link JOIN item ON item.id = link.child "
            "WHERE link.parent = ? AND link.kind = 'd'",
            (collection,),
        ).fetchall():
            parents = call.db.execute("SELECT parent FROM link WHERE child = ?", (row["id"],))
            if all(parent in inside for (parent,) in parents):
                found[row["id"]] = row
    return list(found.values())
