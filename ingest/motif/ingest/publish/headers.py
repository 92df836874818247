"""An instrument's header as record metadata: every key, numbers as numbers, nothing rounded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from motif.core.records import STANDARD_FACETS, FacetValue, Header, Measurement, Reading

NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
"""Plain decimal numbers; ``007`` is a name, ``1,5`` and ``0x10`` are text."""
WHOLE = re.compile(r"[+-]?\d+")
SPECIAL = {"nan": "nan", "inf": "inf", "+inf": "inf", "-inf": "-inf", "infinity": "inf",
           "-infinity": "-inf"}  # fmt: skip
DIGITS_OF_A_DOUBLE = 17


def header_document(header: Header) -> dict[str, Any]:
    """Header keys with their values; a key that repeats has the list of its values in order."""
    found: dict[str, list[Any]] = {}
    for key, value in header:
        found.setdefault(key, []).append(parsed(value))
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def parsed(text: str) -> Any:
    """The number a text spells, if a double or an integer can hold it; else the text itself."""
    plain = text.strip()
    if plain.lower() in SPECIAL:
        return float(SPECIAL[plain.lower()])
    if not NUMBER.fullmatch(plain):
        return text
    if WHOLE.fullmatch(plain) and plain != "-0":
        return int(plain)
    digits = re.sub(r"[eE].*", "", plain).lstrip("+-").replace(".", "").lstrip("0")
    number = float(plain)
    beyond = number in (float("inf"), float("-inf")) or (number == 0 and digits)
    return text if beyond or len(digits) > DIGITS_OF_A_DOUBLE else number


def facet_document(reading: Reading) -> dict[str, Any]:
    """Standard facets all measurements of a file agree on, quantities with their SI unit."""
    each = [_facets(measurement) for measurement in reading.measurements]
    if not each:
        return {}
    return {
        name: value if not unit else {"value": value, "unit": unit}
        for name, (value, unit) in each[0].items()
        if all(other.get(name) == (value, unit) for other in each)
    }


def contents(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """What a file holds, in short."""
    kinds = [measurement.kind for measurement in measurements]
    first = measurements[0].data if measurements else None
    told: dict[str, Any] = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    if first is not None:
        told["shape"] = list(first.shape)
        told["dims"] = [str(dim) for dim in first.dims]
        if "channel" in first.coords:
            told["channels"] = [str(name) for name in first.coords["channel"].values]
            told["units"] = [str(unit) for unit in first.coords["unit"].values]
    return told


def _facets(measurement: Measurement) -> dict[str, tuple[FacetValue, str]]:
    return {
        facet.name: (facet.value, facet.unit)
        for facet in measurement.facets
        if facet.name in STANDARD_FACETS
    }
