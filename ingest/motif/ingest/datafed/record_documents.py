"""DataFed records as dictionaries: parsed from replies; drafted and checked before sending."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from motif.ingest.datafed.datafed_errors import DataFedError
from motif.ingest.datafed.metadata_json import parse_json, to_json

log = logging.getLogger(__name__)

DEPENDENCIES = ("der", "comp", "ver")
"""Names of the dependency types: derived from, component of, new version of."""
LARGEST = 2**53
OUTGOING = 1
"""Direction of a dependency on another record."""
BATCH_RECORDS = 150
BATCH_BYTES = 800_000
"""Metadata sent in one batch request (the client's own limit is 1 MiB)."""
TITLE_LENGTH = 80
"""The server silently cuts longer titles, and renames equal ones."""


@dataclass(frozen=True)
class RecordDraft:
    """A record to create."""

    title: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    tags: Sequence[str] = ()
    alias: str = ""
    dependencies: Sequence[tuple[str, str]] = ()
    """(type, record id) with the types ``der``, ``comp`` and ``ver``."""


def from_view(data: Mapping[str, Any]) -> dict[str, Any]:
    """A ``RecordData`` message (as `datafed_session.plain` gives it) as a record document."""
    text = data.get("metadata") or "{}"
    return _document(data, _parse_object(text, str(data.get("id"))), data.get("deps") or ())


def from_export(text: str) -> dict[str, Any]:
    """One line of a bulk export as a record document."""
    data = _parse_object(text, "an exported record")
    content = data.get("md", data.get("metadata")) or {}
    if isinstance(content, str):
        content = _parse_object(content, str(data.get("id")))
    return _document(data, content, data.get("deps") or ())


def whole_number(value: Any) -> int:
    """A count, size or time as an integer; DataFed sends all numbers as doubles.

    Raises:
        DataFedError: the value is not a number between 0 and 2⁵³.
    """
    if isinstance(value, int | float) and 0 <= value <= LARGEST:
        return int(value)
    raise DataFedError(f"DataFed sent {value!r} where a size or time was expected.")


def checked_title(title: str) -> str:
    """The title without surrounding blanks.

    Raises:
        DataFedError: DataFed would cut it or refuse it.
    """
    text = title.strip()
    if not 1 <= len(text) <= TITLE_LENGTH:
        raise DataFedError(
            f"Title {text[:30]!r}… has {len(text)} characters; DataFed takes 1 to {TITLE_LENGTH}."
        )
    return text


def nonempty(**fields: Any) -> dict[str, Any]:
    """Only the fields that have a value: an empty field that is sent would overwrite."""
    return {name: value for name, value in fields.items() if value}


def json_text(content: Mapping[str, Any], title: str) -> str:
    """Metadata as JSON text; values that had to be rewritten are logged."""
    notes: list[str] = []
    text = json.dumps(to_json(content, notes), allow_nan=False, ensure_ascii=False)
    if notes:
        log.info("Metadata of %s: %s", title, "; ".join(notes))
    return text


def dependency_messages(dependencies: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Dependencies as fields of protocol messages.

    Raises:
        DataFedError: a type is unknown; the client would silently take it for ``der``.
    """
    for kind, record_id in dependencies:
        if kind not in DEPENDENCIES:
            raise DataFedError(
                f"Dependency type {kind!r} on {record_id} is unknown; use one of "
                f"{', '.join(DEPENDENCIES)}."
            )
    return [{"type": DEPENDENCIES.index(kind), "id": record_id} for kind, record_id in dependencies]


def batch_item(draft: RecordDraft, collection: str) -> str:
    """The JSON text of one record of a batch request."""
    item = {
        "title": checked_title(draft.title),
        "parent": collection,
    } | nonempty(
        desc=draft.description,
        tags=list(draft.tags),
        alias=draft.alias,
        deps=dependency_messages(draft.dependencies),
    )
    fields = json.dumps(item, ensure_ascii=False)
    return f'{fields[:-1]}, "md": {json_text(draft.metadata, draft.title)}}}'


def batch_items(items: Sequence[str]) -> Iterator[list[str]]:
    """Items in lists of at most `BATCH_RECORDS` items and `BATCH_BYTES` bytes."""
    batch: list[str] = []
    size = 0
    for item in items:
        length = len(item.encode())
        if batch and (size + length > BATCH_BYTES or len(batch) >= BATCH_RECORDS):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch


def _document(data: Mapping[str, Any], content: Any, dependencies: Any) -> dict[str, Any]:
    try:
        return _checked_document(data, content, dependencies)
    except (AttributeError, TypeError, ValueError) as error:
        raise DataFedError(
            f"DataFed described record {str(data.get('id'))[:40]} in an unknown form ({error})."
        ) from error


def _checked_document(data: Mapping[str, Any], content: Any, dependencies: Any) -> dict[str, Any]:
    record_id = str(data.get("id") or data.get("_id") or "")
    if not record_id:
        raise DataFedError("DataFed described a record without an id; check the server's log.")
    outgoing = (item for item in dependencies if item.get("dir", OUTGOING) in (OUTGOING, "out"))
    return {
        "id": record_id,
        "title": str(data.get("title") or ""),
        "alias": str(data.get("alias") or ""),
        "description": str(data.get("desc") or ""),
        "tags": [str(tag) for tag in data.get("tags") or ()],
        "metadata": dict(content),
        "size": whole_number(data.get("size") or 0),
        "source": str(data.get("source") or ""),
        "ext": str(data.get("ext") or ""),
        "external": bool(data.get("external")),
        "created": whole_number(data.get("ct") or 0),
        "updated": whole_number(data.get("ut") or 0),
        "uploaded": whole_number(data.get("dt") or 0),
        "owner": str(data.get("owner") or ""),
        "creator": str(data.get("creator") or ""),
        "repository": str(data.get("repo_id") or data.get("repo") or ""),
        "schema": str(data.get("sch_id") or ""),
        "dependencies": sorted(
            map(_dependency, outgoing),
            key=lambda dependency: (dependency["type"], dependency["id"]),
        ),
    }


def _dependency(item: Mapping[str, Any]) -> dict[str, str]:
    kind = item.get("type", 0)
    name = DEPENDENCIES[kind] if isinstance(kind, int) and 0 <= kind < 3 else str(kind)
    return {"id": str(item.get("id") or ""), "type": name}


def _parse_object(text: str, subject: str) -> dict[str, Any]:
    try:
        value = parse_json(text)
    except ValueError as error:
        raise DataFedError(f"DataFed sent {subject} as broken JSON ({error}).") from error
    if not isinstance(value, dict):
        raise DataFedError(
            f"DataFed sent {subject} as a JSON {type(value).__name__}, not an object."
        )
    return value
