"""Metadata schemas."""

from __future__ import annotations

import json
from typing import Any

from motif.ingest.sandbox import schema_validation
from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.request_server.faults import Refused, denied, page
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles
from motif.ingest.sandbox.schema_validation import (
    metadata_errors,
    newer,
    parse_definition,
    references,
    related,
    schema_data,
    schema_name,
    schema_row,
    uses,
)
from motif.ingest.sandbox.searching import normal

_LARGEST_PAGE = 100
_JSON_SCHEMA = ("", "json-schema")


def _require_owner(call: Call, row: Row) -> None:
    if not call.admin and row["owner"] != call.uid:
        raise denied()


def _require_unused(call: Call, row: Row) -> None:
    if uses(call, row):
        raise denied("Schema is associated with data records - cannot update.")
    if related(call, row, "source", "target"):
        raise denied("Schema is referenced by another schema - cannot update.")


def _require_system_right(call: Call, request: Message, public: bool) -> None:
    if request.sys and not call.admin:
        raise denied("Creating a system schema requires admin privileges.")
    if request.sys and not public:
        raise Refused("System schemas cannot be private.")


def _refer(call: Call, row: Row) -> None:
    """Write down which other schemas a definition refers to."""
    call.db.execute("DELETE FROM schema_reference WHERE source = ?", (schema_name(row),))
    for target in set(references(json.loads(row["definition"]))):
        if ":" not in target:
            raise Refused(f"Invalid reference ID '{target}' in schema (expected id:ver).")
        try:
            name = schema_name(schema_row(call, target))
        except Refused as error:
            raise Refused(f"Referenced schema '{target}' does not exist.") from error
        if name == schema_name(row):
            raise Refused("Schema references self.")
        call.db.execute("INSERT INTO schema_reference VALUES (?, ?)", (schema_name(row), name))


def _insert(call: Call, values: dict[str, Any]) -> Row:
    columns = {**values, "ct": int(call.now), "ut": int(call.now)}
    call.db.execute(
        f"INSERT INTO metadata_schema ({', '.join(columns)}) "
        f"VALUES ({', '.join(f':{name}' for name in columns)})",
        columns,
    )
    row = schema_row(call, f"{values['id']}:{values['version']}")
    _refer(call, row)
    return row


@handles("SchemaCreateRequest", writes=True)
def create(call: Call, request: Message) -> Message:
    """A new schema, version 0."""
    if request.type not in _JSON_SCHEMA or request.format not in ("", "json"):
        raise Refused("The sandbox knows schemas of type 'json-schema' in format 'json' only.")
    given = request.id.rpartition(":")[0] or request.id
    name = schema_validation.SCHEMA.new(given)
    if not name or ":" in name:
        raise Refused("Missing required field 'schema'.")
    if call.db.execute("SELECT 1 FROM metadata_schema WHERE id = ?", (name,)).fetchone():
        raise Refused("Conflicting ID or alias")
    _require_system_right(call, request, request.pub)
    definition = getattr(request, "def")
    parse_definition(definition)
    row = _insert(
        call,
        {
            "id": name,
            "version": 0,
            "owner": None if request.sys else call.uid,
            "description": schema_validation.DESCRIPTION.clean(request.desc) or "",
            "public": int(request.pub),
            "definition": definition,
            "type": "json-schema",
            "format": "json",
        },
    )
    return pb.SchemaDataReply(schema=[schema_data(call, row)])


@handles("SchemaReviseRequest", writes=True)
def revise(call: Call, request: Message) -> Message:
    """The next version of a schema; the older one stays."""
    row = schema_row(call, request.id)
    _require_owner(call, row)
    if newer(call, row):
        raise denied(f"A revision of schema '{request.id}' already exists.")
    public = request.pub if request.HasField("pub") else bool(row["public"])
    _require_system_right(call, request, public)
    definition = row["definition"]
    if request.HasField("def"):
        definition = getattr(request, "def")
        parse_definition(definition)
    text = row["description"]
    if request.HasField("desc"):
        text = schema_validation.DESCRIPTION.clean(request.desc) or ""
    new = _insert(
        call,
        {
            "id": row["id"],
            "version": row["version"] + 1,
            "owner": None if request.sys else row["owner"] or call.uid,
            "description": text,
            "public": int(public),
            "definition": definition,
            "type": row["type"],
            "format": row["format"],
        },
    )
    return pb.SchemaDataReply(schema=[schema_data(call, new)])


@handles("SchemaUpdateRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Change a schema that no record and no other schema uses."""
    row = schema_row(call, request.id)
    _require_unused(call, row)
    _require_owner(call, row)
    public = request.pub if request.HasField("pub") else bool(row["public"])
    _require_system_right(call, request, public)
    name = row["id"]
    if request.HasField("id_new"):
        name = schema_validation.SCHEMA.clean(request.id_new.partition(":")[0]) or name
        if name != row["id"]:
            _require_new_name(call, row, name)
    definition = getattr(request, "def") if request.HasField("def") else row["definition"]
    parse_definition(definition)
    text = request.desc if request.HasField("desc") else row["description"]
    call.db.execute("DELETE FROM schema_reference WHERE source = ?", (schema_name(row),))
    call.db.execute(
        "UPDATE metadata_schema SET id = ?, description = ?, public = ?, definition = ?, "
        "owner = ?, ut = ? WHERE id = ? AND version = ?",
        (
            name,
            schema_validation.DESCRIPTION.clean(text) or "",
            int(public),
            definition,
            None if request.sys else row["owner"],
            int(call.now),
            row["id"],
            row["version"],
        ),
    )
    changed = schema_row(call, f"{name}:{row['version']}")
    _refer(call, changed)
    return pb.SchemaDataReply(schema=[schema_data(call, changed)])


def _require_new_name(call: Call, row: Row, name: str) -> None:
    if row["version"] or newer(call, row):
        raise denied("Cannot change schema ID once revisions exist.")
    if call.db.execute("SELECT 1 FROM metadata_schema WHERE id = ?", (name,)).fetchone():
        raise Refused("Conflicting ID or alias")


@handles("SchemaViewRequest")
def view(call: Call, request: Message) -> Message:
    """One schema; on request with the definitions it refers to under ``_refs``."""
    row = schema_row(call, request.id)
    if not (row["public"] or call.admin or row["owner"] == call.uid):
        raise denied()
    data = schema_data(call, row)
    if request.resolve:
        definition = json.loads(row["definition"])
        definition["_refs"] = _resolved(call, row)
        setattr(data, "def", json.dumps(definition))
    return pb.SchemaDataReply(schema=[data])


def _resolved(call: Call, row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    names = related(call, row, "target", "source")
    while names:
        name = names.pop()
        if name not in found:
            other = schema_row(call, name)
            found[name] = json.loads(other["definition"])
            names += related(call, other, "target", "source")
    return found


@handles("SchemaDeleteRequest", writes=True)
def delete(call: Call, request: Message) -> Message:
    """Delete an unused schema: the oldest or newest of its versions."""
    row = schema_row(call, request.id)
    _require_owner(call, row)
    _require_unused(call, row)
    older = call.db.execute(
        "SELECT 1 FROM metadata_schema WHERE id = ? AND version < ?", (row["id"], row["version"])
    ).fetchone()
    if older and newer(call, row):
        raise denied("Cannot delete intermediate schema revisions.")
    call.db.execute("DELETE FROM schema_reference WHERE source = ?", (schema_name(row),))
    call.db.execute(
        "DELETE FROM metadata_schema WHERE id = ? AND version = ?", (row["id"], row["version"])
    )
    return pb.AckReply()


@handles("SchemaSearchRequest")
def search(call: Call, request: Message) -> Message:
    """Public schemas and the caller's own, by id, text or owner, in pages."""
    offset, count = page(request)
    order = {pb.SORT_OWNER: "owner", pb.SORT_TIME_CREATE: "ct", pb.SORT_TIME_UPDATE: "ut"}
    down = "DESC" if request.sort_rev else ""
    rows = call.db.execute(
        "SELECT * FROM metadata_schema WHERE (public OR owner = :me OR :admin) "
        f"ORDER BY {order.get(request.sort, 'id')} {down}, id {down}, version",
        {"me": call.uid, "admin": call.admin},
    ).fetchall()
    if request.HasField("owner"):
        owner = request.owner.lower()
        rows = [row for row in rows if row["owner"] in (owner, f"u/{owner}")]
    if request.id:
        rows = [row for row in rows if request.id.lower() in row["id"]]
    if request.text:
        words = normal(request.text)
        rows = [row for row in rows if words in normal(row["description"])]
    shown = rows[offset : offset + min(count, _LARGEST_PAGE)]
    return pb.SchemaDataReply(
        schema=[schema_data(call, row, details=False) for row in shown],
        offset=offset,
        count=len(shown),
        total=len(rows),
    )


@handles("MetadataValidateRequest")
def validate(call: Call, request: Message) -> Message:
    """What is wrong with metadata by a schema; empty where nothing is."""
    row = schema_row(call, request.sch_id)
    metadata = schema_validation.parse_metadata(request.metadata, call.service.limits)
    return pb.MetadataValidateReply(errors=metadata_errors(call, row, metadata))
