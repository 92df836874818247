"""Facets of a collection as columns: counted, binned and filtered in numpy."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core import columns as core
from motif.core.columns_table import FLAG, MISSING
from motif.dashboard.quantities import quantity

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
        """The value of one measurement in words, empty when missing."""
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
        source: the columns it was made of, which answer the query language.
    """

    ids: Sequence[str]
    titles: Sequence[str]
    kinds: Sequence[str]
    index: Mapping[str, int]
    columns: Mapping[str, Column]
    source: core.Columns | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def words(self, row: int, names: Sequence[str]) -> list[str]:
        """Texts of some facets of one measurement, missing ones left out."""
        texts = [self.columns[name].text_at(row) for name in names if name in self.columns]
        return [text for text in texts if text]


def table_of(columns: core.Columns) -> FacetTable:
    """The live measurements of a collection with their facets."""
    ids = columns.first(columns.mask(None))
    titles, kinds = (
        [labels[code] for code in codes.tolist()]
        for labels, codes in (columns.column(name).categories for name in ("title", "kind"))
    )
    index = {one: position for position, one in enumerate(ids)}
    shown = {name: _column(name, columns.column(name)) for name in columns.names}
    return FacetTable(ids, titles, kinds, index, shown, columns)


def _column(name: str, found: core.Column) -> Column:
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
