"""Facets of a collection as columns in memory: filters, counts and histograms in an instant.

The catalog is the truth; what is kept here under ``cache/columns`` is made from it again at any
time, and after an ingest only the measurements that changed are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from motif.core import fulltext, schema
from motif.core.catalog import Catalog
from motif.core.columns_file import Kept, load, save
from motif.core.columns_labels import Labels
from motif.core.columns_query import Evaluation
from motif.core.columns_read import one_moment, read_change
from motif.core.columns_table import Column, Mask, Table
from motif.core.errors import NotFoundError, UnsuitableDataError
from motif.core.query import LABEL, Query

__all__ = ["Column", "Columns", "Mask", "open_columns"]


class Columns:
    """The live measurements of one collection (n) at one moment, ordered by id."""

    def __init__(self, catalog: Catalog, kept: Kept) -> None:
        self._catalog = catalog
        self.kept = kept
        self._table = kept.table

    def __len__(self) -> int:
        return len(self._table.ids)

    @property
    def collection(self) -> str:
        return self.kept.collection

    @property
    def position(self) -> int:
        """Journal lines the columns know of."""
        return self.kept.position

    @property
    def ids(self) -> NDArray[np.bytes_]:
        """Ids (n,) in order."""
        return self._table.ids

    @property
    def names(self) -> Sequence[str]:
        """Facets that any of the measurements has, the standard ones first."""
        return tuple(self._table.facets)

    def column(self, name: str) -> Column:
        """The column of a facet or of a built-in name; `NotFoundError` names those there are."""
        found = self._column(name)
        if found is None:
            raise NotFoundError(
                f'"{self.collection}" has no facet "{name}"; '
                f"it has {', '.join(self.names) or 'none'}."
            )
        return found

    def mask(self, query: Query | str | None) -> Mask:
        """(n,) where a filter matches, as `Workspace.select` finds it."""
        asked = self._catalog.query(query or "") if not isinstance(query, Query) else query
        return Evaluation(len(self), self._column, self._phrase).of(asked.node)

    def first(self, mask: Mask, count: int | None = None) -> list[str]:
        """Ids of the first so many measurements of a mask, in order; all of them by default."""
        places = np.flatnonzero(mask)[:count]
        return [one.decode() for one in self._table.ids[places].tolist()]

    def rows(self, ids: Iterable[str]) -> NDArray[np.intp]:
        """Rows of those of the ids that are here."""
        return self._table.places(np.array([one.encode() for one in ids], self._table.ids.dtype))

    def counts(self, name: str, mask: Mask | None = None) -> dict[str, int]:
        """Value in words -> its measurements among those of the mask, the most frequent first."""
        return self.column(name).counts(mask)

    def histogram(
        self, name: str, mask: Mask | None = None, bins: int | NDArray[np.float64] = 24
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Counts (b,) and edges (b + 1,) of numbers in SI units or of dates in seconds.

        The edges cover the whole collection, so that they stay while a filter changes.
        """
        column = self.column(name)
        if column.kind not in ("number", "date"):
            raise UnsuitableDataError(
                f'"{name}" is neither a number nor a date; count its values instead.'
            )
        values = column.values
        edges = bins if isinstance(bins, np.ndarray) else _edges(values, bins)
        chosen = values if mask is None else values[mask]
        return np.histogram(chosen[np.isfinite(chosen)], edges)[0].astype(np.int64), edges

    def _column(self, name: str) -> Column | None:
        if name == "id":
            return self._ids
        if name == "collection":
            return self._collection
        if name == LABEL and name in self._table.facets:
            return self._table.facets[name].grouped
        return self._table.own.get(name) or self._table.facets.get(name)

    @cached_property
    def _ids(self) -> Column:
        return Column(np.arange(len(self), dtype=np.int32), Labels.of_ids(self._table.ids))

    @cached_property
    def _collection(self) -> Column:
        return Column(np.zeros(len(self), np.int32), Labels.of([self.collection]))

    def _phrase(self, phrase: str) -> Mask:
        with self._catalog.reading() as connection:
            search = fulltext.search_for(connection.dialect.name)
            found = np.zeros(len(self), np.bool_)
            table = schema.measurements
            statement = select(table.c.id).where(
                table.c.live, table.c.collection == self.collection, search(phrase)
            )
            found[self.rows(connection.scalars(statement))] = True
        return found


def open_columns(
    catalog: Catalog, folder: Path, collection: str, before: Columns | None = None
) -> Columns:
    """Columns of a collection as the catalog is now.

    Args:
        catalog: where the measurements are.
        folder: keeps one file a collection; made when missing.
        collection: one that may be empty.
        before: columns opened earlier in this process, if any.
    """
    path = folder / f"{quote(collection, safe='')}.safetensors"
    with one_moment(catalog) as connection:
        made, position = _moment(connection)
        kept = before.kept if before else load(path)
        if kept is not None and not kept.leads_to(collection, made, position):
            kept = None
        if before is not None and kept is not None and kept.position == position:
            return before
        change = read_change(connection, collection, kept.position if kept else 0)
    if kept is not None and not len(change.touched):
        return Columns(catalog, Kept(kept.table, collection, made, position))
    table = (kept.table if kept else Table.empty()).updated(change.touched, change.live)
    fresh = Kept(table, collection, made, position)
    save(path, fresh)
    return Columns(catalog, fresh)


def _moment(connection: Connection) -> tuple[str, int]:
    """What names this making of the catalog, and the journal lines applied to it."""
    state = schema.state
    statement = select(state.c.key, state.c.value).where(state.c.key.in_(["made", "journal"]))
    told = {row.key: row.value for row in connection.execute(statement)}
    return told.get("made", ""), int(told.get("journal", 0))


def _edges(values: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    known = values[np.isfinite(values)]
    if not known.size:
        return np.linspace(0.0, 1.0, bins + 1)
    return np.histogram_bin_edges(known, bins)
