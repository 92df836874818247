"""Facets of a measurement from its file and its record, and where the two disagree.

The raw file's header has precedence over the record's metadata; disagreements are stored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from motif.core.config.settings import FacetConfig
from motif.core.facets.clock import Clock, iso_moment
from motif.core.facets.privacy import Privacy
from motif.core.records import STANDARD_FACETS, Facet, FacetValue, Header, Measurement
from motif.core.units import si

DIMENSIONAL = {"scan_size": "m", "temperature": "K"}
"""Standard facets that are quantities: a number without a unit is refused."""

AGREEMENT = 1e-3
"""Relative difference below which two numbers agree."""

_QUANTITY = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s].*?)\s*$")


DECLARED = "declared "
"""Begins the origin of a facet that ``motif.toml`` declares."""


class Mapper:
    """Maps record metadata and headers to facets by the rules of one workspace."""

    def __init__(
        self,
        declared: Mapping[str, FacetConfig],
        privacy: Privacy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._declared = declared
        self.privacy = privacy or Privacy("keep", Path())
        self.clock = clock or Clock()

    @property
    def reads_headers(self) -> bool:
        """Whether any declared facet is taken from the instrument's header."""
        return any(rule.path.startswith("header:") for rule in self._declared.values())

    def record_facets(self, metadata: Mapping[str, Any]) -> tuple[list[Facet], list[str]]:
        """Standard and declared facets of record metadata, and warnings about unusable values."""
        facets, warnings = [], []
        for name in STANDARD_FACETS:
            if name in metadata and name not in self._declared:
                value = _number_and_unit(metadata, name)
                facet = standard_facet(name, *value)
                if facet is not None:
                    facets.append(facet)
                elif metadata[name] not in (None, ""):
                    warnings.append(f"{name} = {metadata[name]!r} in the record is not a {name}")
        for name, rule in self._declared.items():
            kind, _, path = rule.path.partition(":")
            if kind == "record":
                facet = _declared_facet(name, rule, lookup(metadata, path))
                if facet is not None:
                    facets.append(facet)
        return facets, warnings

    def header_facets(self, header: Header) -> list[Facet]:
        """Facets the workspace declares with a path into the instrument's header."""
        first: dict[str, str] = {}
        for key, value in header:
            first.setdefault(key, value)
        facets = []
        for name, rule in self._declared.items():
            kind, _, path = rule.path.partition(":")
            if kind == "header" and path in first:
                facet = _declared_facet(name, rule, first[path])
                if facet is not None:
                    facets.append(facet)
        return facets


def merge(
    from_file: Sequence[Facet], from_record: Sequence[Facet]
) -> tuple[list[Facet], list[dict[str, Any]]]:
    """One facet per name, the file's where both have one; and the disagreements of the two."""
    merged = {facet.name: facet for facet in from_record}
    disagreements = []
    for facet in from_file:
        other = merged.get(facet.name)
        if other is not None and not agree(facet.value, other.value):
            disagreements.append(
                {"facet": facet.name, "header": facet.value, "record": other.value}
            )
        merged[facet.name] = facet
    return list(merged.values()), disagreements


def composition_facets(measurement: Measurement) -> list[Facet]:
    """Atomic fractions and figures of merit as facets, so that queries can use them."""
    facets = [
        Facet(element, float(fraction), "composition")
        for element, fraction in measurement.composition.items()
    ]
    for name, (value, unit) in measurement.targets.items():
        if math.isfinite(value):
            number, base = si(value, unit)
            facets.append(Facet(name, number, "target", base))
    return facets


def standard_facet(name: str, value: Any, unit: str = "") -> Facet | None:
    """A standard facet from a metadata value, or None where the value cannot be one."""
    origin = f"record:{name}"
    if name == "acquired_at":
        text = iso_moment(value)
        return Facet(name, text, origin, raw_text=str(value)) if text else None
    if name in DIMENSIONAL:
        quantity = as_quantity(value, unit)
        if quantity is None or quantity[1] != DIMENSIONAL[name]:
            return None
        return Facet(name, quantity[0], origin, quantity[1])
    if isinstance(value, bool):
        return Facet(name, value, origin)
    if isinstance(value, int | float):
        return Facet(name, float(value), origin) if math.isfinite(value) else None
    if isinstance(value, list):
        return Facet(name, ", ".join(map(str, value)), origin)
    return Facet(name, str(value), origin) if value not in (None, "") else None


def as_quantity(value: Any, unit: str = "") -> tuple[float, str] | None:
    """``(2.5, "V")`` from ``2500`` with ``mV``, or from ``"2500 mV"``; None without a unit."""
    if isinstance(value, str):
        match = _QUANTITY.match(value)
        if match is None:
            return None
        value, unit = float(match[1]), match[2]
    if isinstance(value, bool) or not isinstance(value, int | float) or not unit:
        return None
    try:
        return si(float(value), unit) if math.isfinite(value) else None
    except ValueError:
        return None


def agree(first: FacetValue, second: FacetValue) -> bool:
    """Whether two values are equal up to letter case and rounding."""
    if isinstance(first, str) and isinstance(second, str):
        return first.strip().casefold() == second.strip().casefold()
    if isinstance(first, str) or isinstance(second, str):
        return False
    return math.isclose(first, second, rel_tol=AGREEMENT)


def lookup(metadata: Mapping[str, Any], path: str) -> Any:
    """Value at a dotted path in nested metadata; None where there is none."""
    value: Any = metadata
    for key in path.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


def _declared_facet(name: str, rule: FacetConfig, value: Any) -> Facet | None:
    if value is None or isinstance(value, Mapping):
        return None
    origin = DECLARED + rule.path
    if rule.unit:
        quantity = as_quantity(value, rule.unit)
        if quantity is None and isinstance(value, str):
            quantity = _plain_number(value, rule.unit)
        return None if quantity is None else Facet(name, quantity[0], origin, quantity[1])
    if isinstance(value, bool):
        return Facet(name, value, origin)
    if isinstance(value, int | float):
        return Facet(name, float(value), origin) if math.isfinite(value) else None
    return Facet(name, str(value), origin)


def _plain_number(text: str, unit: str) -> tuple[float, str] | None:
    try:
        return as_quantity(float(text), unit)
    except ValueError:
        return None


def _number_and_unit(metadata: Mapping[str, Any], name: str) -> tuple[Any, str]:
    """A value, and its unit where the record has ``{"value": ..., "unit": ...}``."""
    value = metadata[name]
    if isinstance(value, Mapping) and "value" in value:
        return value["value"], str(value.get("unit", ""))
    return value, ""
