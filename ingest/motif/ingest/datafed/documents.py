"""Records as dictionaries, whichever message they came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motif.ingest.datafed import metadata
from motif.ingest.datafed.errors import DataFedError

DEPENDENCIES = ("der", "comp", "ver")
"""Names of the dependency types: derived from, component of, new version of."""
LARGEST = 2**53
OUTGOING = 1
"""Direction of a dependency on another record."""


def from_view(data: Mapping[str, Any]) -> dict[str, Any]:
    """A ``RecordData`` message (as `wire.plain` gives it) in the form of this package."""
    text = data.get("metadata") or "{}"
    return _document(data, _object(text, str(data.get("id"))), data.get("deps") or ())


def from_export(text: str) -> dict[str, Any]:
    """One line of a bulk export in the form of this package."""
    data = _object(text, "an exported record")
    content = data.get("md", data.get("metadata")) or {}
    if isinstance(content, str):
        content = _object(content, str(data.get("id")))
    return _document(data, content, data.get("deps") or ())


def whole(value: Any) -> int:
    """A count, size or time as an integer; numbers come as doubles.

    Raises:
        DataFedError: it is none.
    """
    if isinstance(value, int | float) and 0 <= value <= LARGEST:
        return int(value)
    raise DataFedError(f"DataFed sent {value!r} where a size or time belongs.")


def _document(data: Mapping[str, Any], content: Any, deps: Any) -> dict[str, Any]:
    try:
        return _checked(data, content, deps)
    except (AttributeError, TypeError, ValueError) as error:
        raise DataFedError(
            f"DataFed described record {str(data.get('id'))[:40]} in an unknown form ({error})."
        ) from error


def _checked(data: Mapping[str, Any], content: Any, deps: Any) -> dict[str, Any]:
    record_id = str(data.get("id") or data.get("_id") or "")
    if not record_id:
        raise DataFedError("DataFed described a record without an id; check the server's log.")
    return {
        "id": record_id,
        "title": str(data.get("title") or ""),
        "alias": str(data.get("alias") or ""),
        "description": str(data.get("desc") or ""),
        "tags": [str(tag) for tag in data.get("tags") or ()],
        "metadata": dict(content),
        "size": whole(data.get("size") or 0),
        "source": str(data.get("source") or ""),
        "ext": str(data.get("ext") or ""),
        "external": bool(data.get("external")),
        "created": whole(data.get("ct") or 0),
        "updated": whole(data.get("ut") or 0),
        "uploaded": whole(data.get("dt") or 0),
        "owner": str(data.get("owner") or ""),
        "creator": str(data.get("creator") or ""),
        "repository": str(data.get("repo_id") or data.get("repo") or ""),
        "schema": str(data.get("sch_id") or ""),
        "dependencies": sorted(
            (_dependency(item) for item in deps if item.get("dir", OUTGOING) in (OUTGOING, "out")),
            key=lambda item: (item["type"], item["id"]),
        ),
    }


def _dependency(item: Mapping[str, Any]) -> dict[str, str]:
    kind = item.get("type", 0)
    name = DEPENDENCIES[kind] if isinstance(kind, int) and 0 <= kind < 3 else str(kind)
    return {"id": str(item.get("id") or ""), "type": name}


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        value = metadata.loads(text)
    except ValueError as error:
        raise DataFedError(f"DataFed sent {what} as broken JSON ({error}).") from error
    if not isinstance(value, dict):
        raise DataFedError(f"DataFed sent {what} as a JSON {type(value).__name__}, not an object.")
    return value
