"""Facets from the text and numbers of a header: SI units, plain text, moments."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from motif.core.clock import spelled
from motif.core.records import Facet, Header
from motif.core.units import si

LONGEST = 200
"""Characters of a text facet; longer text stays in the header."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_QUANTITY = re.compile(rf"[^\d+.-]*({_NUMBER.pattern})\s*([^\W\d]\w*|%|°C?)?")

Rule = tuple[str, str, str | None]
"""Facet, key of the header, unit of a bare number; None marks a text."""


def quantity(name: str, value: float, unit: str, origin: str) -> Iterator[Facet]:
    """A number in SI units, nothing where it is not finite or its unit unknown."""
    if math.isfinite(value):
        with suppress(ValueError):
            number, base = si(value, unit)
            if math.isfinite(number):
                # What converting rounds off is taken back: 532 nm, not 532.0000000001 nm.
                yield Facet(name, float(f"{number:.12g}"), f"header:{origin}", base)


def text(name: str, value: str, origin: str) -> Iterator[Facet]:
    """A text, nothing where it is empty or only says that nothing is known."""
    plain = " ".join(value.replace("\0", " ").split())
    if plain and plain not in ("?", ".", "-", "N/A", "n/a"):
        yield Facet(name, plain[:LONGEST], f"header:{origin}")


def measured(name: str, value: str, unit: str, origin: str) -> Iterator[Facet]:
    """The first number of a text with the unit behind it, or else `unit`: ``Laser: 785 nm``.

    Nothing where the text gives a unit of another dimension.
    """
    found = _QUANTITY.match(value)
    if found is None:
        return
    number = float(found[1])
    told = next(quantity(name, number, found[2], origin), None) if found[2] else None
    bare = next(quantity(name, number, unit, origin), None)
    if told is None and bare is not None:
        yield bare
    elif told is not None and bare is not None and told.unit == bare.unit:
        yield told


def moment(value: str, origin: str, patterns: Sequence[str]) -> Iterator[Facet]:
    """``acquired_at`` from a text in one of the patterns, with its zone where that is told."""
    plain = " ".join(value.split())
    for pattern in patterns:
        with suppress(ValueError):
            yield from instant(datetime.strptime(plain, pattern), origin, plain)
            return


def instant(when: datetime, origin: str, told: str = "") -> Iterator[Facet]:
    """``acquired_at`` of a moment, nothing where it is not of our times."""
    if 1970 <= when.year <= 2100:
        yield Facet("acquired_at", spelled(when), f"header:{origin}", told=told)


def filetime(ticks: int, origin: str) -> Iterator[Facet]:
    """``acquired_at`` of a Windows FILETIME: units of 100 ns since 1601, UTC."""
    if 0 < ticks < 1 << 58:
        epoch = datetime(1601, 1, 1, tzinfo=UTC)
        yield from instant(epoch + timedelta(microseconds=ticks // 10), origin, str(ticks))


def by_rules(header: Header, rules: Iterable[Rule]) -> Iterator[Facet]:
    """Facets of the header keys in `rules`; where a key repeats, its first value counts."""
    first: dict[str, str] = {}
    for key, value in header:
        first.setdefault(key.casefold(), value)
    for name, key, unit in rules:
        value = first.get(key.casefold(), "")
        yield from text(name, value, key) if unit is None else measured(name, value, unit, key)


def once(facets: Iterable[Facet]) -> list[Facet]:
    """The first facet of every name."""
    found: dict[str, Facet] = {}
    for facet in facets:
        found.setdefault(facet.name, facet)
    return list(found.values())
