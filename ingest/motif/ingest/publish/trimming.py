"""Metadata within the size DataFed takes; what does not fit is handed back, never dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from motif.ingest.datafed.metadata import to_json

LIMIT = 100_000
"""Bytes of metadata as JSON that a record is given; the service's nominal limit is 102,400."""


def size_of(content: Any) -> int:
    """Bytes of a value as the JSON that is sent."""
    return len(json.dumps(to_json(content), allow_nan=False, ensure_ascii=False).encode())


def fit(
    content: Mapping[str, Any], places: Sequence[tuple[str, ...]], limit: int = LIMIT
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata of at most `limit` bytes, and what was taken out of it.

    Args:
        content: metadata as they should be.
        places: paths of mappings inside it from which the largest entries may go, in the order
            in which they are emptied.

    Returns:
        the metadata that fit, and what was removed, in nested mappings of the same shape.
    """
    kept = json.loads(json.dumps(to_json(content), allow_nan=False))
    removed: dict[str, Any] = {}
    excess = size_of(kept) - limit
    for place in places:
        inside = _at(kept, place)
        sizes = {key: size_of(key) + size_of(value) + 4 for key, value in inside.items()}
        for key in sorted(sizes, key=lambda key: (-sizes[key], key)):
            if excess <= 0:
                return kept, removed
            _at(removed, place, make=True)[key] = inside.pop(key)
            excess -= sizes[key]
    return kept, removed


def _at(value: dict[str, Any], place: Sequence[str], *, make: bool = False) -> dict[str, Any]:
    for key in place:
        inner = value.setdefault(key, {}) if make else value.get(key)
        if not isinstance(inner, dict):
            return {}
        value = inner
    return value
