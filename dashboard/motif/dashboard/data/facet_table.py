"""Facets of a collection as columns: counted, binned and filtered in numpy."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.columns import facet_columns as core
from motif.core.columns.column_table import FLAG, MISSING
from motif.dashboard.data.number_format import quantity

ColumnKind: TypeAlias = Literal["category", "number", "date"]


@dataclass(frozen=True)
class Column:
    """One facet over all measurements of a collection (n).

    Attributes:
        values: (n,) numbers in SI units, or seconds since 1970 for dates; NaN where missing.
        codes: (n,) index into `labels` for categories; -1 where missing.
        member: (labels, n) where a measurement may have several of the labels; its code is then
            the first of them.
    """

    name: str
    kind: ColumnKind
    unit: str
    labels: Sequence[str]
    codes: NDArray[np.int32]
    values: NDArray[np.float64]
    member: NDArray[np.bool_] | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where the facet has a value."""
        return self.codes >= 0 if self.kind == "category" else np.isfinite(self.values)

    def counts(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Measurements of each category among those of the mask."""
        if self.member is not None:
            return np.asarray(np.count_nonzero(self.member[:, mask], axis=1), np.int64)
        chosen = self.codes[mask & (self.codes >= 0)]
        return np.bincount(chosen, minlength=len(self.labels))

    def having(self, labels: Collection[str]) -> NDArray[np.bool_]:
        """Measurements (n,) with one of these labels."""
        codes = [code for code, label in enumerate(self.labels) if label in labels]
        if self.member is not None:
            return np.asarray(self.member[codes].any(axis=0))
        return np.isin(self.codes, codes)

    def text_at(self, row: int) -> str:
        """The value of one measurement as text, empty when missing."""
        if not self.known[row]:
            return ""
        if self.member is not None:
            return ", ".join(self.labels[int(k)] for k in np.flatnonzero(self.member[:, row]))
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
        source: the column table it was created from, which evaluates queries.
    """

    ids: Sequence[str]
    titles: Sequence[str]
    kinds: Sequence[str]
    index: Mapping[str, int]
    columns: Mapping[str, Column]
    source: core.FacetColumns | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def words(self, row: int, names: Sequence[str]) -> list[str]:
        """Texts of some facets of one measurement, missing ones left out."""
        texts = [self.columns[name].text_at(row) for name in names if name in self.columns]
        return [text for text in texts if text]


def table_of(columns: core.FacetColumns) -> FacetTable:
    """The live measurements of a collection with their facets."""
    ids = columns.first(columns.mask(None))
    titles, kinds = (
        [labels[code] for code in codes.tolist()]
        for labels, codes in (columns.column(name).categories for name in ("title", "kind"))
    )
    index = {identity: position for position, identity in enumerate(ids)}
    shown = {name: _column(name, columns.column(name)) for name in columns.names}
    return FacetTable(ids, titles, kinds, index, shown, columns)


def _column(name: str, found: core.FacetColumn) -> Column:
    n = len(found.known)
    if found.kind in ("date", "number"):
        kind: ColumnKind = "date" if found.kind == "date" else "number"
        return Column(name, kind, found.unit, (), np.full(n, MISSING, np.int32), found.values)
    if found.groups is not None and found.codes is not None:
        member = np.vstack([found.groups, np.zeros(len(found.labels), np.bool_)])[found.codes].T
        first = np.where(member.any(axis=0), member.argmax(axis=0), MISSING).astype(np.int32)
        return Column(name, "category", "", list(found.labels), first, np.full(n, np.nan), member)
    labels, codes = found.categories
    unit = FLAG if found.kind == "flag" and found.unit == FLAG else ""
    return Column(name, "category", unit, list(labels), codes, np.full(n, np.nan))


BINS = 24
LOG_FROM = 50.0
"""Ratio of largest to smallest quantity above which bins widen in proportion."""

DAY = 86_400.0


@dataclass(frozen=True)
class Bins:
    """Edges (b + 1,) in the column's own numbers, and how they are written."""

    edges: NDArray[np.float64]
    kind: str
    unit: str

    def texts(self) -> list[str]:
        """Edges as displayed."""
        return [self._text(float(edge)) for edge in self.edges]

    def counts(self, values: NDArray[np.float64]) -> list[int]:
        """Counts (b,) of values per bin; missing values are not counted."""
        known = values[np.isfinite(values)]
        slack = np.abs(self.edges[[0, -1]]) * 1e-9
        edges = self.edges.copy()
        edges[0] -= slack[0]
        edges[-1] += slack[1]
        return [int(n) for n in np.histogram(known, edges)[0]]

    def nearest(self, value: float) -> int:
        """The edge closest to a value."""
        return int(np.abs(self.edges - value).argmin())

    def spelled(self, low: int, high: int) -> str:
        """The range between two edges as written in a URL: SI numbers, or first and last day."""
        start, end = float(self.edges[int(low)]), float(self.edges[int(high)])
        if self.kind == "date":
            return f"{self._text(start)}..{self._text(end - DAY)}"
        return f"{start:.10g}..{end:.10g}"

    def _text(self, value: float) -> str:
        if self.kind == "date":
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
        return quantity(value, self.unit)


def bins_for(column: Column) -> Bins | None:
    """Bins that cover a column; None when all its values are equal."""
    known = column.values[np.isfinite(column.values)]
    if known.size == 0 or known.min() == known.max():
        return None
    low, high = float(known.min()), float(known.max())
    if column.kind == "date":
        low, high = np.floor(low / DAY) * DAY, np.ceil(high / DAY) * DAY
        days = max(1, round((high - low) / DAY))
        edges = low + np.unique(np.linspace(0, days, min(BINS, days) + 1).round()) * DAY
        return Bins(edges, column.kind, column.unit)
    if column.unit and low > 0 and high / low > LOG_FROM:
        return Bins(np.geomspace(low, high, BINS + 1), column.kind, column.unit)
    return Bins(np.linspace(low, high, BINS + 1), column.kind, column.unit)
