"""Records to be: checked before they are sent, in as few requests as the server takes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from motif.ingest.datafed import documents, metadata
from motif.ingest.datafed.errors import DataFedError

log = logging.getLogger(__name__)

BATCH_RECORDS = 150
BATCH_BYTES = 800_000
"""Metadata sent in one batch request (the client's own limit is 1 MiB)."""
TITLE_LENGTH = 80
"""Longer titles would be cut, and equal ones renamed, without a word."""


@dataclass(frozen=True)
class Draft:
    """A record to create."""

    title: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    tags: Sequence[str] = ()
    alias: str = ""
    dependencies: Sequence[tuple[str, str]] = ()
    """(type, record id) with the types ``der``, ``comp`` and ``ver``."""


def checked_title(title: str) -> str:
    text = title.strip()
    if not 1 <= len(text) <= TITLE_LENGTH:
        raise DataFedError(
            f"Title {text[:30]!r}… has {len(text)} characters; DataFed takes 1 to {TITLE_LENGTH}."
        )
    return text


def given(**fields: Any) -> dict[str, Any]:
    """Only what is there: an empty field that is sent would overwrite."""
    return {name: value for name, value in fields.items() if value}


def json_text(content: Mapping[str, Any], what: str) -> str:
    """Metadata as JSON; what had to be rewritten is logged."""
    notes: list[str] = []
    text = json.dumps(metadata.to_json(content, notes), allow_nan=False, ensure_ascii=False)
    if notes:
        log.info("Metadata of %s: %s", what, "; ".join(notes))
    return text


def dependencies(dependencies: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """As messages; a type the client does not know would silently mean ``der``."""
    for kind, record_id in dependencies:
        if kind not in documents.DEPENDENCIES:
            raise DataFedError(
                f"Dependency type {kind!r} on {record_id} is unknown; use one of "
                f"{', '.join(documents.DEPENDENCIES)}."
            )
    return [
        {"type": documents.DEPENDENCIES.index(kind), "id": record_id}
        for kind, record_id in dependencies
    ]


def batch_item(draft: Draft, collection: str) -> str:
    item = {
        "title": checked_title(draft.title),
        "parent": collection,
    } | given(
        desc=draft.description,
        tags=list(draft.tags),
        alias=draft.alias,
        deps=dependencies(draft.dependencies),
    )
    fields = json.dumps(item, ensure_ascii=False)
    return f'{fields[:-1]}, "md": {json_text(draft.metadata, draft.title)}}}'


def batches(items: Sequence[str]) -> Iterator[list[str]]:
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
