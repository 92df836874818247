"""JSON schemas: checking them, what they refer to, and metadata against them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import referencing
import referencing.exceptions
from referencing.jsonschema import DRAFT7

from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.handlers.user_handlers import display_name
from motif.ingest.sandbox.request_server.faults import Limits, Refused, missing
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call

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


def schema_name(row: Row) -> str:
    """Give ``id:version``."""
    return f"{row['id']}:{row['version']}"


def uses(call: Call, row: Row) -> int:
    """Give how many records follow the schema."""
    return int(
        call.db.execute(
            "SELECT count(*) FROM item WHERE schema = ?", (schema_name(row),)
        ).fetchone()[0]
    )


def related(call: Call, row: Row, wanted: str, by: str) -> list[str]:
    """Give schemas that this one refers to (`wanted` is target) or that refer to it (source)."""
    rows = call.db.execute(
        f"SELECT {wanted} FROM schema_reference WHERE {by} = ? ORDER BY 1", (schema_name(row),)
    )
    return [name for (name,) in rows]


def newer(call: Call, row: Row) -> bool:
    """Whether there is a later version."""
    found = call.db.execute(
        "SELECT 1 FROM metadata_schema WHERE id = ? AND version > ?", (row["id"], row["version"])
    )
    return found.fetchone() is not None


def schema_data(call: Call, row: Row, *, details: bool = True) -> Message:
    """Give a schema as a message; `details` adds definition and relations."""
    data = pb.SchemaData(
        id=row["id"],
        ver=row["version"],
        depr=newer(call, row),
        cnt=uses(call, row),
        ref=bool(related(call, row, "source", "target")),
        own_id=row["owner"],
        desc=row["description"],
        pub=bool(row["public"]),
        type=row["type"],
        format=row["format"],
    )
    if row["owner"]:
        owner = call.db.execute("SELECT * FROM account WHERE id = ?", (row["owner"],)).fetchone()
        data.own_nm = display_name(owner) if owner else ""
    if details:
        setattr(data, "def", row["definition"])
        for field, names in (
            (data.uses, related(call, row, "target", "source")),
            (data.used_by, related(call, row, "source", "target")),
        ):
            for name in names:
                schema, _, version = name.rpartition(":")
                field.add(id=schema, ver=int(version))
    return data


@dataclass(frozen=True, slots=True)
class RecordField:
    """What a text field may hold."""

    label: str
    longest: int
    required: bool = False
    lower: bool = False
    extra: str | None = None
    """Characters allowed in addition to letters and digits; none: any."""

    def clean(self, value: str | None) -> str | None:
        """Give the trimmed value, or nothing where it is empty.

        Raises:
            Refused: too long, or a character that is not allowed.
        """
        text = (value or "").strip()
        if not text:
            return None
        if len(text) > self.longest:
            raise Refused(
                f"'{self.label}' field is too long. Maximum length is {self.longest}.",
            )
        if self.lower:
            text = text.lower()
        if self.extra is not None and any(
            not (letter.isascii() and letter.isalnum()) and letter not in self.extra
            for letter in text
        ):
            raise Refused(f"Invalid character(s) in '{self.label}' field.")
        return text

    def new(self, value: str | None) -> str | None:
        """Check the value of something being created."""
        text = self.clean(value)
        if text is None and self.required:
            raise Refused(f"Missing required field '{self.label}'.")
        return text

    def changed(self, value: str) -> str | None:
        """Check a new value of something that exists; empty takes the value away."""
        text = self.clean(value)
        if text is None and self.required:
            raise Refused(f"Required field '{self.label}' cannot be deleted.")
        return text


TITLE = RecordField("title", 80, required=True)
DESCRIPTION = RecordField("description", 2000)
ALIAS = RecordField("alias", 40, lower=True, extra="_-.")
TOPIC = RecordField("topic", 500, lower=True, extra="_-.")
SOURCE = RecordField("source", 4096)
EXTENSION = RecordField("extension", 40)
IDENTIFIER = RecordField("ID", 40, required=True, lower=True, extra="_-.")
GROUP = RecordField("group ID", 40, required=True, lower=True, extra="_-.")
COMMENT = RecordField("comment", 2000, required=True)
SCHEMA = RecordField("schema", 120, lower=True, extra="_-.:")
_TAG = RecordField("tag", 40, lower=True, extra="_-.")


def dotted(extension: str | None) -> str | None:
    """Give a file name extension with its leading dot."""
    if extension and not extension.startswith("."):
        return f".{extension}"
    return extension


def clean_tags(values: Iterable[str]) -> list[str]:
    """Give tags in lower case, each once, in the order given."""
    found: dict[str, None] = {}
    for value in values:
        if len(value.strip()) > _TAG.longest:
            raise Refused("Tag too long (max 40 characters).")
        try:
            tag = _TAG.clean(value)
        except Refused as error:
            raise Refused("Invalid character(s) in tag.") from error
        if tag:
            found[tag] = None
    return list(found)


def parse_metadata(text: str, limits: Limits) -> dict[str, Any]:
    """Read a record's metadata.

    Raises:
        Refused: too long, not JSON (``NaN`` and ``Infinity`` are not), or no object.
    """
    if len(text) > limits.metadata_bytes:
        raise Refused(
            f"Metadata is too long ({len(text)} bytes). Maximum is {limits.metadata_bytes}."
        )
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"Unexpected exception: SyntaxError: {error}") from error
    if isinstance(value, list):
        raise Refused("Metadata cannot be an array")
    if not isinstance(value, dict):
        raise Refused("Metadata must be a JSON object")
    return value


def dump_metadata(value: dict[str, Any]) -> str:
    """Write metadata as JSON text.

    Raises:
        Refused: a number too large for JSON became infinite, or text holds half a surrogate pair.
    """
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        text.encode()
    except (ValueError, RecursionError) as error:
        raise Refused(f"Unexpected exception: SyntaxError: {error}") from error
    return text


def _no_constant(name: str) -> None:
    raise ValueError(f"Unexpected token {name} in JSON")


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Merge `new` into `old` at every depth; a null takes its key away."""
    merged = dict(old)
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    """Give metadata as it is stored by an update: keys that hold null are left out."""
    return merge({}, value)
