"""JSON schemas: checking them, what they refer to, and metadata against them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import referencing
import referencing.exceptions
from referencing.jsonschema import DRAFT7

from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.dispatch import Call
from motif.ingest.sandbox.refusal import Refused, missing

_PROPERTY = re.compile(r"_*[A-Za-z][A-Za-z0-9_]*")
_MOST_ERRORS = 20


def schema_row(call: Call, name: str) -> Row:
    """Give the schema ``id:version``."""
    schema, colon, version = name.lower().rpartition(":")
    if not colon:
        raise Refused("Schema ID missing version number suffix.")
    row: Row | None = call.db.execute(
        "SELECT * FROM metadata_schema WHERE id = ? AND version = ?",
        (schema, int(version) if version.isdigit() else -1),
    ).fetchone()
    if row is None:
        raise missing(f"Schema '{name}' does not exist")
    return row


def parse_definition(text: str) -> dict[str, Any]:
    """Read and check the definition of a schema.

    Raises:
        Refused: no JSON, no schema of an object, or a property the query language cannot name.
    """
    try:
        definition = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"Schema parse error: {error}") from error
    if not isinstance(definition, dict):
        raise Refused("Schema must be a JSON object.")
    if "properties" not in definition:
        raise Refused("Schema is missing required 'properties' field.")
    if not isinstance(definition["properties"], dict):
        raise Refused("Schema properties field must be a JSON object.")
    if definition.get("type") != "object":
        raise Refused("Schema is missing required 'type' field, which must be 'object'.")
    try:
        jsonschema.Draft7Validator.check_schema(definition)
    except jsonschema.SchemaError as error:
        raise Refused(f"Invalid metadata schema: {error.message}") from error
    except RecursionError as error:
        raise Refused("Invalid metadata schema: nested too deeply") from error
    _check_names(definition["properties"])
    return definition


def _check_names(properties: dict[str, Any]) -> None:
    for name, value in properties.items():
        if not _PROPERTY.fullmatch(name):
            raise Refused(f"Illegal character(s) in property '{name}'.")
        if not isinstance(value, dict):
            continue
        items = value.get("items")
        inner = items if isinstance(items, list) else [value]
        for part in inner:
            if isinstance(part, dict) and isinstance(part.get("properties"), dict):
                _check_names(part["properties"])


def references(definition: Any) -> Iterator[str]:
    """Give the other schemas (``id:version``) that a definition refers to."""
    if isinstance(definition, dict):
        for key, value in definition.items():
            if key == "$ref" and isinstance(value, str):
                if not value.startswith("#"):
                    yield value.split("#")[0]
            else:
                yield from references(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from references(value)


def _retriever(call: Call) -> Callable[[str], referencing.Resource[Any]]:
    def retrieve(uri: str) -> referencing.Resource[Any]:
        try:
            row = schema_row(call, uri)
        except Refused as error:
            raise referencing.exceptions.NoSuchResource(uri) from error
        return DRAFT7.create_resource(json.loads(row["definition"]))

    return retrieve


def metadata_errors(call: Call, schema: Row, metadata: dict[str, Any]) -> str:
    """Give what is wrong with `metadata` by `schema`, a line each; empty where nothing is."""
    registry: referencing.Registry[Any] = referencing.Registry(
        retrieve=_retriever(call)  # type: ignore[call-arg]
    )
    validator = jsonschema.Draft7Validator(json.loads(schema["definition"]), registry=registry)
    lines = []
    try:
        for error in validator.iter_errors(metadata):
            lines.append(f"At {error.json_path}: {error.message}")
            if len(lines) == _MOST_ERRORS:
                break
    except (referencing.exceptions.Unresolvable, RecursionError) as error:
        lines.append(f"Metadata schema error: {error}")
    return "\n".join(lines)
