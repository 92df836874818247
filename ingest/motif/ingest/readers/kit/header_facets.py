"""Facets from the values of a header: text, numbers in SI units, moments, processing steps.

Every function returns a list of one facet, or an empty one where the value states nothing. The
origin of the facet is ``header:KEY``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from motif.core.facets.clock import iso_text
from motif.core.records import Facet, Header
from motif.core.units import si

MAX_TEXT_LENGTH = 200
"""Characters of a text facet; the whole text stays in the header."""
PLACEHOLDERS = frozenset({"", "?", ".", "-", "n/a", "none"})
"""Values, in lower case, that state nothing."""
_QUANTITY = re.compile(
    r"[^\d+.-]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\W\d]\w*|%|°C?)?"
)
FacetRule = tuple[str, str, str | None]
"""Name of the facet, key of the header, and unit of a number without one; None for a text."""


def text_facets(name: str, text: str, key: str) -> list[Facet]:
    """A text facet; white space is collapsed, quotation marks around the text are removed."""
    plain = " ".join(text.replace("\0", " ").split()).strip('"').strip()
    if plain.lower() in PLACEHOLDERS:
        return []
    return [Facet(name, plain[:MAX_TEXT_LENGTH], f"header:{key}")]


def number_facets(name: str, value: float | None, unit: str, key: str) -> list[Facet]:
    """A number that is already in the SI unit `unit`, kept to the last digit."""
    if value is None or not math.isfinite(value):
        return []
    return [Facet(name, float(value), f"header:{key}", unit)]


def quantity_facets(name: str, value: float | None, unit: str, key: str) -> list[Facet]:
    """A number in any unit, converted to SI units; an unknown unit gives no facet."""
    if value is not None and math.isfinite(value):
        with suppress(ValueError):
            number, base = si(value, unit)
            # Twelve digits remove the rounding error of the conversion: 5.32e-07, not 5.3200…1e-07.
            return number_facets(name, float(f"{number:.12g}"), base, key)
    return []


def quantity_text_facets(name: str, text: str, unit: str, key: str) -> list[Facet]:
    """The first number of a text such as ``Laser: 785 nm``.

    Args:
        name: name of the facet.
        text: the text.
        unit: unit of a number that has none; a number in a unit of another dimension gives no
            facet.
        key: key of the header.
    """
    match = _QUANTITY.match(text)
    if match is None:
        return []
    number = float(match[1])
    with_own_unit = quantity_facets(name, number, match[2], key) if match[2] else []
    with_default_unit = quantity_facets(name, number, unit, key)
    if with_own_unit and with_default_unit and with_own_unit[0].unit != with_default_unit[0].unit:
        return []
    return with_own_unit if with_own_unit and with_default_unit else with_default_unit


def moment_facets(text: str, key: str, patterns: Iterable[str]) -> list[Facet]:
    """The facet ``acquired_at`` from a text in one of the `patterns` of `datetime.strptime`.

    The time zone is kept where the text states one.
    """
    plain = " ".join(text.split())
    for pattern in patterns:
        with suppress(ValueError):
            return datetime_facets(datetime.strptime(plain, pattern), key, plain)
    return []


def datetime_facets(moment: datetime, key: str, raw_text: str = "") -> list[Facet]:
    """The facet ``acquired_at`` of a moment between 1970 and 2100."""
    if not 1970 <= moment.year <= 2100:
        return []
    return [Facet("acquired_at", iso_text(moment), f"header:{key}", raw_text=raw_text)]


def filetime_facets(ticks: int, key: str) -> list[Facet]:
    """The facet ``acquired_at`` of a Windows FILETIME: units of 100 ns since 1601, UTC."""
    if not 0 < ticks < 1 << 58:
        return []
    moment = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
    return datetime_facets(moment, key, str(ticks))


def facets_by_rules(header: Header, rules: Iterable[FacetRule]) -> list[Facet]:
    """Facets of the keys in `rules`, letter case ignored; the first value of a key counts."""
    first: dict[str, str] = {}
    for key, value in header:
        first.setdefault(key.casefold(), value)
    facets: list[Facet] = []
    for name, key, unit in rules:
        value = first.get(key.casefold(), "")
        if unit is None:
            facets += text_facets(name, value, key)
        else:
            facets += quantity_text_facets(name, value, unit, key)
    return facets


def first_of_each_name(facets: Iterable[Facet]) -> list[Facet]:
    """The first facet of every name, in order."""
    first: dict[str, Facet] = {}
    for facet in facets:
        first.setdefault(facet.name, facet)
    return list(first.values())


SETTING_OFF = frozenset({"", "-1", "0", "false", "n/a", "na", "no", "none", "not applied", "off"})
"""Values of a setting, in lower case, by which a processing step was not applied."""
SETTING_ON = frozenset({"1", "applied", "on", "true", "yes"})
"""Values that state nothing but that the step was applied."""


def processing_facets(steps: Iterable[str], key: str) -> list[Facet]:
    """The facet ``processing``: steps applied before the file was saved, joined by semicolons."""
    applied = "; ".join(dict.fromkeys(filter(None, steps)))
    return [Facet("processing", applied[:MAX_TEXT_LENGTH], f"header:{key}")] if applied else []


def processing_by_settings(header: Header, rules: Sequence[tuple[str, str]]) -> list[Facet]:
    """The steps whose settings are on: ``spike filter single accum.; dark correction``.

    Args:
        header: a value may repeat its key (``Cosmic ray removal: 1``).
        rules: key of the header and name of the step.
    """
    first: dict[str, str] = {}
    for key, value in header:
        first.setdefault(key.casefold(), value.rpartition(":")[2].strip())
    settings = [(key, step, first.get(key.casefold(), "")) for key, step in rules]
    applied = [setting for setting in settings if setting[2].casefold() not in SETTING_OFF]
    steps = [
        step if value.casefold() in SETTING_ON else f"{step} {value}" for _, step, value in applied
    ]
    return processing_facets(steps, applied[0][0] if applied else "")
