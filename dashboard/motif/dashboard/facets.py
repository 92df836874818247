"""Facets of a collection as columns: counted, binned and filtered in numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from motif.core import schema
from motif.core.catalog import Catalog
from motif.core.records import STANDARD_FACETS
from motif.dashboard.quantities import quantity

ColumnKind: TypeAlias = Literal["category", "number", "date"]

MISSING = -1
DATES = frozenset({"acquired_at"})


@dataclass(frozen=True)
class Column:
    """One facet over all measurements of a collection (n).

    Attributes:
        values: (n,) numbers in SI units, or seconds since 1970 for dates; NaN where missing.
        codes: (n,) index into `labels` for categories; -1 where missing.
    """

    name: str
    kind: ColumnKind
    unit: str
    labels: Sequence[str]
    codes: NDArray[np.int32]
    values: NDArray[np.float64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where the facet has a value."""
        return self.codes >= 0 if self.kind == "category" else np.isfinite(self.values)

    def counts(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Measurements of each category among those of the mask."""
        chosen = self.codes[mask & (self.codes >= 0)]
        return np.bincount(chosen, minlength=len(self.labels))

    def text_at(self, row: int) -> str:
        """The value of one measurement in words, empty when missing."""
        if not self.known[row]:
            return ""
        if self.kind == "category":
            return self.labels[int(self.codes[row])]
        value = float(self.values[row])
        if self.kind == "date":
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
        return quantity(value, self.unit)


@dataclass(frozen=True)
class FacetTable:
    """Facets of the live measurements of a collection at one moment.

    Attributes:
        ids: measurement ids (n) in order.
        titles: (n,) titles.
        kinds: (n,) ``image`` or ``spectrum``.
    """

    ids: Sequence[str]
    titles: Sequence[str]
    kinds: Sequence[str]
    index: Mapping[str, int]
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.ids)

    def words(self, row: int, names: Sequence[str]) -> list[str]:
        """Texts of some facets of one measurement, missing ones left out."""
        texts = [self.columns[name].text_at(row) for name in names if name in self.columns]
        return [text for text in texts if text]


def load_table(catalog: Catalog, collection: str) -> FacetTable:
    """Read every live measurement of a collection with its facets."""
    measurements, facets = schema.measurements, schema.facets
    here = (measurements.c.collection == collection) & measurements.c.live
    with catalog.reading() as connection:
        head = connection.execute(
            select(measurements.c.id, measurements.c.title, measurements.c.kind)
            .where(here)
            .order_by(measurements.c.id)
        ).all()
        index = {row[0]: position for position, row in enumerate(head)}
        found: dict[str, list[tuple[int, str | None, float | None, str]]] = {}
        for name, one, text, number, unit in connection.execute(
            select(
                facets.c.name,
                measurements.c.id,
                facets.c.text,
                facets.c.number,
                facets.c.unit,
            )
            .join(measurements, measurements.c.number == facets.c.measurement)
            .where(here)
        ):
            found.setdefault(name, []).append((index[one], text, number, unit))
    columns = {name: _column(name, found[name], len(head)) for name in _in_order(found)}
    return FacetTable(
        [row[0] for row in head], [row[1] for row in head], [row[2] for row in head], index, columns
    )


def _in_order(names: Mapping[str, object]) -> list[str]:
    rank = {name: place for place, name in enumerate(STANDARD_FACETS)}
    return sorted(names, key=lambda name: (rank.get(name, len(rank)), name))


def _column(
    name: str, cells: Sequence[tuple[int, str | None, float | None, str]], n: int
) -> Column:
    codes = np.full(n, MISSING, np.int32)
    values = np.full(n, np.nan)
    units = {unit for _, text, _, unit in cells if text is None}
    if name in DATES:
        for row, text, _, _ in cells:
            values[row] = _seconds(text or "")
        return Column(name, "date", "", (), codes, values)
    if all(text is None for _, text, _, _ in cells) and "bool" not in units:
        for row, _, number, _ in cells:
            values[row] = np.nan if number is None else number
        return Column(name, "number", next(iter(units), ""), (), codes, values)
    words = [_word(text, number, unit) for _, text, number, unit in cells]
    labels = sorted(set(words))
    code = {label: place for place, label in enumerate(labels)}
    for (row, _, _, _), word in zip(cells, words, strict=True):
        codes[row] = code[word]
    return Column(name, "category", "bool" if units == {"bool"} else "", labels, codes, values)


def _word(text: str | None, number: float | None, unit: str) -> str:
    if text is not None:
        return text
    if unit == "bool":
        return "true" if number else "false"
    return f"{number:g} {unit}".strip()


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return float("nan")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
