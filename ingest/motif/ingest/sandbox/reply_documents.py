"""Rows of the database as messages of the protocol."""

from __future__ import annotations

import json
from typing import Any

from motif.ingest.sandbox.access import Row, administers
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call

SEARCH_DESCRIPTION = 120
"""Characters of a description shown in search results."""


def schema_parts(schema: str | None) -> tuple[str, int]:
    """Split ``id:version``."""
    if not schema:
        return "", 0
    name, _, version = schema.rpartition(":")
    return name, int(version)


def record_data(call: Call, row: Row, parent: str = "") -> Message:
    """Give a record with its dependencies in both directions."""
    reply = pb.RecordData(
        id=row["id"],
        title=row["title"],
        alias=row["alias"],
        desc=row["description"],
        tags=json.loads(row["tags"]),
        metadata=row["metadata"],
        external=bool(row["external"]),
        source=row["source"],
        repo_id=row["repository"],
        size=row["size"],
        ext=row["ext"],
        ext_auto=bool(row["ext_auto"]),
        ct=row["ct"],
        ut=row["ut"],
        dt=row["dt"],
        owner=row["owner"],
        creator=row["creator"],
        locked=bool(row["locked"]),
        notes=note_mask(call, row),
        md_err_msg=row["metadata_error"],
        parent_id=parent,
    )
    if row["schema"]:
        reply.sch_id = row["schema"]
        reply.sch_ver = schema_parts(row["schema"])[1]
    reply.deps.extend(dependencies(call, row["id"]))
    return reply


def dependencies(call: Call, record: str) -> list[Message]:
    """Give what the record depends on (outgoing first), then what depends on it."""
    return [
        pb.DependencyData(
            id=row["id"],
            alias=row["alias"],
            type=row["type"],
            dir=pb.DIR_OUT if row["dir"] else pb.DIR_IN,
            notes=row["public_notes"],
        )
        for row in call.db.execute(
            "SELECT item.id, item.alias, item.public_notes, type, 1 AS dir FROM dependency "
            "JOIN item ON item.id = target WHERE dependency.source = :id UNION ALL "
            "SELECT item.id, item.alias, item.public_notes, type, 0 FROM dependency "
            "JOIN item ON item.id = dependency.source WHERE target = :id ORDER BY dir DESC, type",
            {"id": record},
        )
    ]


def collection_data(call: Call, row: Row, parent: str = "") -> Message:
    """Give a collection."""
    return pb.CollData(
        id=row["id"],
        title=row["title"],
        alias=row["alias"],
        desc=row["description"],
        tags=json.loads(row["tags"]),
        topic=row["topic"],
        owner=row["owner"],
        creator=row["creator"],
        ct=row["ct"],
        ut=row["ut"],
        parent_id=parent,
        notes=note_mask(call, row),
    )


def note_mask(call: Call, row: Row) -> int:
    """Give the bits that summarise an item's notes as the caller may see them."""
    if row["notes"] == row["public_notes"]:
        return int(row["notes"])
    return int(row["notes"] if administers(call, row) else row["public_notes"])


def listing(call: Call, row: Row) -> Message:
    """Give an item as an entry of a list."""
    return pb.ListingData(
        id=row["id"],
        title=row["title"],
        alias=row["alias"],
        owner=row["owner"],
        creator=row["creator"],
        size=row["size"],
        external=bool(row["external"]),
        locked=bool(row["locked"]),
        notes=note_mask(call, row),
    )


def search_entry(call: Call, row: Row, owner_name: str) -> Message:
    """Give an item as an entry of a search result, with the head of its description."""
    entry = listing(call, row)
    text = row["description"]
    entry.desc = text if len(text) <= SEARCH_DESCRIPTION else f"{text[:SEARCH_DESCRIPTION]} ..."
    entry.owner_name = owner_name
    return entry


def exported(row: Row, depends: list[dict[str, Any]]) -> str:
    """Give a record as one JSON text, metadata included.

    Metadata is spliced in as stored: parsing and writing it again would dominate the export of
    many records.
    """
    document: dict[str, Any] = {
        "id": row["id"],
        "title": row["title"],
        "owner": row["owner"],
        "creator": row["creator"],
        "ct": row["ct"],
        "ut": row["ut"],
        "size": int(row["size"]),
        "deps": depends,
    }
    optional = {
        "alias": row["alias"],
        "desc": row["description"],
        "source": row["source"],
        "ext": row["ext"],
        "dt": row["dt"],
        "sch_id": row["schema"],
        "md_err_msg": row["metadata_error"],
    }
    document.update({key: value for key, value in optional.items() if value})
    if row["tags"] != "[]":
        document["tags"] = json.loads(row["tags"])
    if row["external"]:
        document["external"] = True
    else:
        document["ext_auto"] = bool(row["ext_auto"])
    if row["locked"]:
        document["locked"] = True
    text = json.dumps(document)
    return f'{text[:-1]}, "md": {row["metadata"]}}}' if row["metadata"] else text
