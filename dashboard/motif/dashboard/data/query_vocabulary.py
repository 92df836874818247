"""The vocabulary of queries on one collection, and corrections of wrong names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

import numpy as np

from motif.core.errors import QueryError
from motif.core.query import BUILT_IN, parse
from motif.core.query.nodes import spelled
from motif.core.query.values import plain, quoted
from motif.dashboard.data.facet_table import Column, FacetTable
from motif.dashboard.data.number_format import PREFIXED, quantity, written

WordKind: TypeAlias = Literal["text", "number", "date", "flag"]

MOST_VALUES = 120
LONGEST_VALUE = 80
MEANT = 3
"""Largest number of names offered instead of an unknown one."""
RESEMBLANCE = 0.5
PREFIXES = ("n", "u", "m", "", "k", "M")
PLACE = re.compile(r"^At character \d+: ")
"""The position in an error message, which the mark in the text already shows."""
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"?|\'(?:\\.|[^\'\\])*\'?|[^\W\d][\w.]*|[\d.]+|[<>=!]+|\S')


@dataclass(frozen=True)
class Word:
    """One facet as offered by the query box."""

    name: str
    """The name as written in a query."""
    kind: WordKind
    about: str
    """Its unit and range, or how many values it has."""
    values: tuple[str, ...]
    """Values as written in a query; examples for numbers and dates."""
    units: tuple[str, ...] = ()
    """Units in which its numbers may be given."""

    def document(self) -> dict[str, Any]:
        """The JSON form sent to the browser."""
        return {
            "name": self.name, "kind": self.kind, "about": self.about,
            "values": list(self.values), "units": list(self.units),
        }  # fmt: skip


@dataclass(frozen=True)
class Mistake:
    """The error in a query, and corrected queries."""

    start: int
    end: int
    message: str
    instead: tuple[tuple[str, str], ...]
    """(what replaces the wrong part, the query with it)."""

    def document(self) -> dict[str, Any]:
        """The JSON form sent to the browser."""
        return {
            "start": self.start, "end": self.end, "message": self.message,
            "instead": [{"part": part, "query": query} for part, query in self.instead],
        }  # fmt: skip


def vocabulary(table: FacetTable) -> list[Word]:
    """The facets of a collection, those of every measurement last."""
    words = [_word(column) for column in table.columns.values()]
    own = [Word(name, "text", "of every measurement", ()) for name in BUILT_IN]
    taken = {word.name for word in words}
    return [*words, *(word for word in own if word.name not in taken)]


def mistake(error: QueryError, table: FacetTable) -> Mistake:
    """The span of an error in the text, with the nearest facets if a name is unknown."""
    text, start = error.query, min(error.position, len(error.query))
    found = TOKEN.match(text, start)
    end = found.end() if found else start
    instead: list[tuple[str, str]] = []
    names = [*table.columns, *BUILT_IN]
    part = text[start:end].strip("\"'")
    if part and "no facet" in str(error) and part not in names:
        by_lower = {name.lower(): name for name in names}
        near = get_close_matches(part.lower(), by_lower, n=MEANT, cutoff=RESEMBLANCE)
        instead = [
            (by_lower[candidate], text[:start] + spelled(by_lower[candidate]) + text[end:])
            for candidate in near
        ]
    return Mistake(start, end, PLACE.sub("", str(error)), tuple(instead))


def _word(column: Column) -> Word:
    name = spelled(column.name)
    if column.kind == "category":
        if column.unit == "bool":
            return Word(name, "flag", "true or false", ("true", "false"))
        counts = column.counts(np.ones(len(column.codes), np.bool_))
        order = sorted(range(len(counts)), key=lambda code: (-counts[code], column.labels[code]))
        short = [column.labels[code] for code in order if len(column.labels[code]) <= LONGEST_VALUE]
        number = len(column.labels)
        about = f"{number:,} value{'' if number == 1 else 's'}"
        return Word(name, "text", about, tuple(quoted(label) for label in short[:MOST_VALUES]))
    known = column.values[np.isfinite(column.values)]
    if not known.size:
        return Word(name, column.kind, written(column.unit), ())
    ends = [float(one) for one in np.quantile(known, (0.0, 0.5, 1.0), method="nearest")]
    if column.kind == "date":
        days = [datetime.fromtimestamp(example, UTC).strftime("%Y-%m-%d") for example in ends]
        return Word(name, "date", f"{days[0]} – {days[-1]}", tuple(dict.fromkeys(days)))
    return _number(column, name, ends)


def _number(column: Column, name: str, ends: list[float]) -> Word:
    unit = column.unit
    low, high = quantity(ends[0], unit), quantity(ends[-1], unit)
    units = tuple(prefix + unit for prefix in PREFIXES) if unit in PREFIXED else (unit,)
    known = {column.name: unit}
    offered = [_spelled(value, unit) for value in ends]
    return Word(
        name, "number", f"{low} – {high}",
        tuple(offer for offer in dict.fromkeys(offered) if _is_read(f"{name} = {offer}", known)),
        tuple(symbol for symbol in units if symbol and _is_read(f"{name} = 1 {symbol}", known)),
    )  # fmt: skip


def _spelled(value: float, unit: str) -> str:
    if unit in PREFIXED:
        return quantity(value, unit).replace("µ", "u")
    return f"{plain(float(f'{value:.4g}'))} {unit}".strip()


def _is_read(query: str, known: dict[str, str]) -> bool:
    try:
        parse(query, known)
    except QueryError:
        return False
    return True
