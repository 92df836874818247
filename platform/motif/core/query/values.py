"""The values of comparisons: text, numbers with units, dates, true and false.

Each value orders a facet relative to itself (`order`, the reference in plain Python) and gives the
interval of the column that it covers (`low`, `high`), from which the SQL condition is built.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

TOLERANCE = 1e-9
"""Relative width of a number: instruments and unit prefixes round differently."""

DIGITS = ("0", ":")
"""Bounds of all texts that start with a digit: only these are compared with dates."""

Column: TypeAlias = Literal["text", "number"]


@dataclass(frozen=True)
class Text:
    """Text, compared letter by letter, case included."""

    value: str

    def __str__(self) -> str:
        return quoted(self.value)

    def order(self, facet: object) -> int | None:
        """-1, 0, 1 for a `facet` below, at or above this value; None if not comparable."""
        return compared(facet, self.value) if isinstance(facet, str) else None


@dataclass(frozen=True)
class Number:
    """A number in the coherent SI unit, as wide as `TOLERANCE`."""

    si: float
    value: float = field(compare=False)
    unit: str = field(compare=False, default="")

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.unit}".strip()

    @property
    def low(self) -> float:
        return self.si - abs(self.si) * TOLERANCE

    @property
    def high(self) -> float:
        return self.si + abs(self.si) * TOLERANCE

    def order(self, facet: object) -> int | None:
        """As `Text.order`; true and false count as 1 and 0, NaN is not comparable."""
        if isinstance(facet, str) or not isinstance(facet, int | float) or math.isnan(facet):
            return None
        number = float(facet)
        return -1 if number < self.low else 1 if number > self.high else 0


@dataclass(frozen=True)
class Flag:
    """True or false, stored as the numbers 1 and 0."""

    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"

    @property
    def low(self) -> float:
        return float(self.value)

    @property
    def high(self) -> float:
        return float(self.value)

    def order(self, facet: object) -> int | None:
        """As `Text.order`."""
        if isinstance(facet, str) or not isinstance(facet, int | float) or math.isnan(facet):
            return None
        return (facet > self.value) - (facet < self.value)


@dataclass(frozen=True)
class Date:
    """An interval of time as long as the precision of the date: a month, a day, a second.

    `low` and `high` are ISO 8601 text in UTC; the interval is ``low <= text < high``. Texts
    that do not start with a digit are not dates and are not comparable.
    """

    low: str
    high: str

    def __str__(self) -> str:
        return self.low

    def order(self, facet: object) -> int | None:
        """As `Text.order`."""
        if not isinstance(facet, str) or not DIGITS[0] <= facet < DIGITS[1]:
            return None
        return -1 if facet < self.low else 0 if facet < self.high else 1


Value: TypeAlias = Text | Number | Flag | Date


def date(text: str) -> Date:
    """Read ``2019-01``, ``2019-01-31`` or ``2019-01-31T12:30[:15[.5]][Z|+02:00]`` (UTC if bare).

    Raises:
        ValueError: the calendar has no such day or time.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not a date")
    year, month, day, clock, seconds, fraction, zone = match.groups()
    if day is None:
        first = datetime(int(year), int(month), 1)
        return _interval(first, timedelta(days=32), 7)
    if clock is None:
        return _interval(datetime(int(year), int(month), int(day)), timedelta(days=1), 10)
    written = f"{year}-{month}-{day}T{clock}{seconds or ''}{fraction or ''}"
    moment = datetime.fromisoformat(f"{written}{zone or 'Z'}").astimezone(UTC).replace(tzinfo=None)
    if fraction:
        digits = len(fraction) - 1
        return _interval(moment, timedelta(microseconds=10 ** (6 - digits)), 20 + digits)
    step, length = (timedelta(seconds=1), 19) if seconds else (timedelta(minutes=1), 16)
    return _interval(moment, step, length)


_DATE = re.compile(
    r"(\d{4})-(\d{2})(?:-(\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?((?<=:\d\d:\d\d)\.\d{1,6})?"
    r"(Z|[+-]\d{2}:?\d{2})?)?)?"
)


def _interval(start: datetime, step: timedelta, length: int) -> Date:
    try:
        end = (start + step).isoformat(timespec="microseconds")[:length]
    except OverflowError:  # the last interval of the year 9999
        end = DIGITS[1]
    return Date(start.isoformat(timespec="microseconds")[:length], end)


def compared(first: str, second: str) -> int:
    """-1, 0 or 1 by code points, as SQLite compares."""
    return (first > second) - (first < second)


def plain(number: float) -> str:
    """The shortest spelling that reads back as the same number."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def quoted(text: str) -> str:
    """`text` as a string of the language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquoted(literal: str) -> str:
    """The text of a string literal: a backslash escapes quotes and backslashes only."""
    return re.sub(r"\\([\"'\\])", r"\1", literal[1:-1])


def listed(values: Sequence[Value]) -> str:
    """``("a", "b")``"""
    return "(" + ", ".join(str(value) for value in values) + ")"
