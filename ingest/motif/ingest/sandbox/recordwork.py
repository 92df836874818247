"""Creating and changing one record, for single requests and batches alike.

`given` holds the fields of a request under the names of the protocol; a field that is absent was
not set by the client.
"""

from __future__ import annotations

import json
from typing import Any

from motif.ingest.sandbox import fields
from motif.ingest.sandbox.access import (
    Permission,
    Row,
    administers,
    collection_named,
    permissions,
    record_named,
    require,
)
from motif.ingest.sandbox.accounts import root_of
from motif.ingest.sandbox.database import next_key
from motif.ingest.sandbox.dependencies import add_dependencies, remove_dependencies
from motif.ingest.sandbox.dispatch import Call
from motif.ingest.sandbox.items import (
    add_tags,
    insert_item,
    link,
    require_free_alias,
    require_room,
    unique_title,
    update_item,
)
from motif.ingest.sandbox.refusal import Refused, denied
from motif.ingest.sandbox.store import allocate
from motif.ingest.sandbox.validation import metadata_errors, schema_row

EXTERNAL_SIZE = 1_048_576
"""Size the service writes into every external record, whose true size it does not know."""


def create_record(call: Call, given: dict[str, Any]) -> tuple[Row, str]:
    """Make a record; give its row and the id of its collection."""
    parent = _parent(call, given.get("parent_id", ""))
    owner = parent["owner"]
    require_room(call, parent["id"], which="Parent collection")
    key = next_key(call.db)
    title = fields.TITLE.new(given.get("title"))
    values: dict[str, Any] = {
        "id": f"d/{key}",
        "kind": "d",
        "owner": owner,
        "creator": call.uid,
        "title": unique_title(call.db, parent["id"], "d", str(title), key),
        "alias": fields.ALIAS.new(given.get("alias")),
        "description": fields.DESCRIPTION.new(given.get("desc")) or "",
        "tags": json.dumps(fields.clean_tags(given.get("tags") or ())),
        "source": fields.SOURCE.new(given.get("source")),
        "ct": int(call.now),
        "ut": int(call.now),
        **_raw_data(call, owner, given),
    }
    if values["alias"]:
        require_free_alias(call, owner, values["alias"])
    metadata = None
    if given.get("metadata"):
        metadata = fields.parse_metadata(given["metadata"], call.service.limits)
        values["metadata"] = fields.dump_metadata(metadata)
    schema = fields.SCHEMA.new(given.get("sch_id"))
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
    extension = fields.dotted(fields.EXTENSION.new(given.get("ext")))
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
        values["title"] = fields.TITLE.changed(given["title"])
    if "desc" in given:
        values["description"] = fields.DESCRIPTION.changed(given["desc"]) or ""
    if "alias" in given:
        values["alias"] = fields.ALIAS.changed(given["alias"])
        if values["alias"]:
            require_free_alias(call, row["owner"], values["alias"], row["id"])
    if given.get("tags_clear"):
        values["tags"] = "[]"
    elif given.get("tags"):
        values["tags"] = json.dumps(fields.clean_tags(given["tags"]))
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
    source = fields.SOURCE.changed(given["source"]) if "source" in given else None
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
        return {"ext_auto": 0, "ext": fields.dotted(fields.EXTENSION.changed(given["ext"]))}
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
            change = fields.parse_metadata(given["metadata"], call.service.limits)
            old = {} if given.get("mdset") or not text else json.loads(text)
            text = fields.dump_metadata(fields.merge(old, change))
        else:
            text = None
        values["metadata"] = text
    schema = row["schema"]
    if "sch_id" in given:
        schema = values["schema"] = fields.SCHEMA.changed(given["sch_id"])
    if values or given.get("sch_enforce"):
        metadata = json.loads(text) if text else None
        values["metadata_error"] = _validate(call, schema, metadata, bool(given.get("sch_enforce")))
    return values
