"""Batches: many records from one JSON text."""

from __future__ import annotations

import json
from typing import Any

from motif.ingest.sandbox.items import create_record, update_record
from motif.ingest.sandbox.reply_documents import listing, record_data
from motif.ingest.sandbox.request_server.faults import Refused
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles

_RENAMED = {"parent": "parent_id", "repo": "repo_id", "md": "metadata"}
_TEXT = ("title", "desc", "alias", "parent_id", "repo_id", "source", "ext", "sch_id")
_FLAGS = ("external", "ext_auto", "mdset", "tags_clear", "sch_enforce")
_KINDS = {"der": 0, "comp": 1, "ver": 2}


@handles("RecordCreateBatchRequest", writes=True)
def create(call: Call, request: Message) -> Message:
    """New records from a JSON array, all of them or none."""
    reply = pb.RecordDataReply()
    for document in _documents(request.records):
        row, parent = create_record(call, _fields(document))
        reply.data.append(record_data(call, row, parent))
    return reply


@handles("RecordUpdateBatchRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Changes to records from a JSON array, all of them or none."""
    reply = pb.RecordDataReply()
    for document in _documents(request.records):
        if not isinstance(document.get("id"), str):
            raise Refused("Missing required field 'id'.")
        row = update_record(call, document["id"], _fields(document))
        reply.data.append(record_data(call, row))
        reply.update.append(listing(call, row))
    return reply


def _documents(text: str) -> list[dict[str, Any]]:
    try:
        documents = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"JSON parse error: {error}") from error
    if not isinstance(documents, list) or not all(isinstance(each, dict) for each in documents):
        raise Refused("Batch records must be an array of JSON objects.")
    return documents


def _fields(document: dict[str, Any]) -> dict[str, Any]:
    """Give the fields of one record under the names single requests use, types checked."""
    given: dict[str, Any] = {}
    for name, value in document.items():
        field = _RENAMED.get(name, name)
        if field in _TEXT:
            given[field] = _typed(name, value, str)
        elif field in _FLAGS:
            given[field] = _typed(name, value, bool)
        elif field == "metadata":
            given[field] = value if isinstance(value, str) else json.dumps(value)
        elif field == "tags":
            given[field] = [_typed(name, tag, str) for tag in _typed(name, value, list)]
        elif field in ("deps", "dep_add", "dep_rem"):
            given[field] = [_dependency(name, each) for each in _typed(name, value, list)]
    return given


def _typed(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise Refused(f"Field '{name}' must be of type {kind.__name__}.")
    return value


def _dependency(name: str, value: Any) -> tuple[str, int]:
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise Refused(f"Field '{name}' must hold objects with 'id' and 'type'.")
    kind = value.get("type", 0)
    number = _KINDS.get(kind) if isinstance(kind, str) else kind
    if not isinstance(number, int) or number not in _KINDS.values():
        raise Refused(f"Invalid dependency type '{kind}'.")
    return value["id"], number
