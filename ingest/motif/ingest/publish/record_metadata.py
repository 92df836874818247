"""Metadata of uploaded records: an instrument's header and facets as JSON of a limited size."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from motif.core.records import STANDARD_FACETS, FacetValue, Header, Measurement, Reading
from motif.ingest.datafed.metadata_json import to_json

NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
"""Plain decimal numbers; ``007``, ``1,5`` and ``0x10`` stay text."""
INTEGER = re.compile(r"[+-]?\d+")
SPECIAL = {"nan": "nan", "inf": "inf", "+inf": "inf", "-inf": "-inf", "infinity": "inf",
           "-infinity": "-inf"}  # fmt: skip
DIGITS_OF_A_DOUBLE = 17
SIZE_LIMIT = 100_000
"""Bytes of metadata as JSON that a record is given; the service's nominal limit is 102,400."""


def header_document(header: Header) -> dict[str, Any]:
    """Header values by key, numbers as numbers; a repeated key has the list of its values."""
    values: dict[str, list[Any]] = {}
    for key, value in header:
        values.setdefault(key, []).append(parse_value(value))
    return {key: items[0] if len(items) == 1 else items for key, items in values.items()}


def parse_value(text: str) -> Any:
    """The number in a text if a double or an integer holds it exactly; else the text itself."""
    plain = text.strip()
    if plain.lower() in SPECIAL:
        return float(SPECIAL[plain.lower()])
    if not NUMBER.fullmatch(plain):
        return text
    if INTEGER.fullmatch(plain) and plain != "-0":
        return int(plain)
    digits = re.sub(r"[eE].*", "", plain).lstrip("+-").replace(".", "").lstrip("0")
    number = float(plain)
    out_of_range = number in (float("inf"), float("-inf")) or (number == 0 and digits)
    return text if out_of_range or len(digits) > DIGITS_OF_A_DOUBLE else number


def facet_document(reading: Reading) -> dict[str, Any]:
    """Standard facets that all measurements of a file share, quantities with their SI unit."""
    facets = [_standard_facets(measurement) for measurement in reading.measurements]
    if not facets:
        return {}
    return {
        name: value if not unit else {"value": value, "unit": unit}
        for name, (value, unit) in facets[0].items()
        if all(other.get(name) == (value, unit) for other in facets)
    }


def describe_contents(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """Number of measurements by kind; shape, dimensions, channels and units of the first."""
    kinds = [measurement.kind for measurement in measurements]
    first = measurements[0].data if measurements else None
    contents: dict[str, Any] = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    if first is not None:
        contents["shape"] = list(first.shape)
        contents["dims"] = [str(dim) for dim in first.dims]
        if "channel" in first.coords:
            contents["channels"] = [str(name) for name in first.coords["channel"].values]
            contents["units"] = [str(unit) for unit in first.coords["unit"].values]
    return contents


def size_of(content: Any) -> int:
    """Bytes of a value as the JSON text that is sent."""
    return len(json.dumps(to_json(content), allow_nan=False, ensure_ascii=False).encode())


def fit_metadata(
    content: Mapping[str, Any], shrinkable: Sequence[tuple[str, ...]], limit: int = SIZE_LIMIT
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata of at most `limit` bytes, and the entries that were removed.

    Args:
        content: the complete metadata.
        shrinkable: paths of mappings in it whose largest entries may be removed, in the order
            in which they are used.
        limit: bytes of the result as JSON.

    Returns:
        the remaining metadata, and the removed entries in nested mappings of the same shape.
    """
    kept = json.loads(json.dumps(to_json(content), allow_nan=False))
    removed: dict[str, Any] = {}
    excess = size_of(kept) - limit
    for path in shrinkable:
        mapping = _mapping_at(kept, path)
        sizes = {key: size_of(key) + size_of(value) + 4 for key, value in mapping.items()}
        for key in sorted(sizes, key=lambda key: (-sizes[key], key)):
            if excess <= 0:
                return kept, removed
            _mapping_at(removed, path, create=True)[key] = mapping.pop(key)
            excess -= sizes[key]
    return kept, removed


def _mapping_at(
    value: dict[str, Any], path: Sequence[str], *, create: bool = False
) -> dict[str, Any]:
    for key in path:
        inner = value.setdefault(key, {}) if create else value.get(key)
        if not isinstance(inner, dict):
            return {}
        value = inner
    return value


def _standard_facets(measurement: Measurement) -> dict[str, tuple[FacetValue, str]]:
    return {
        facet.name: (facet.value, facet.unit)
        for facet in measurement.facets
        if facet.name in STANDARD_FACETS
    }
