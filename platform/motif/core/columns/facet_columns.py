"""Facets of a collection as columns in memory: filters, counts and histograms without SQL.

The catalog is authoritative; the files in ``cache/columns`` can be rebuilt from it at any time.
After an ingest only the measurements that changed are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from motif.core.catalog import fulltext, tables
from motif.core.catalog.database import Catalog
from motif.core.columns.column_file import CachedTable, load, save
from motif.core.columns.column_query import ColumnEvaluation
from motif.core.columns.column_reading import consistent_connection, read_change
from motif.core.columns.column_table import ColumnTable, FacetColumn, Mask, TextDictionary
from motif.core.errors import NotFoundError, UnsuitableDataError
from motif.core.query import LABEL, Query

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FacetColumn", "FacetColumns", "Mask", "open_columns"]


class FacetColumns:
    """The live measurements of one collection (n) at one moment, ordered by id."""

    def __init__(self, catalog: Catalog, cached: CachedTable) -> None:
        self._catalog = catalog
        self.cached = cached
        self._table = cached.table

    def __len__(self) -> int:
        return len(self._table.ids)

    @property
    def collection(self) -> str:
        return self.cached.collection

    @property
    def position(self) -> int:
        """Journal lines that the columns include."""
        return self.cached.position

    @property
    def ids(self) -> NDArray[np.bytes_]:
        """Ids (n,) in order."""
        return self._table.ids

    @property
    def names(self) -> Sequence[str]:
        """Facets that any of the measurements has, the standard ones first."""
        return tuple(self._table.facets)

    def column(self, name: str) -> FacetColumn:
        """The column of a facet or built-in name; `NotFoundError` lists the facets there are."""
        column = self._column(name)
        if column is None:
            raise NotFoundError(
                f'"{self.collection}" has no facet "{name}"; '
                f"it has {', '.join(self.names) or 'none'}."
            )
        return column

    def mask(self, query: Query | str | None) -> Mask:
        """(n,) where a query matches, as in `Workspace.select`."""
        parsed = query if isinstance(query, Query) else self._catalog.query(query or "")
        return ColumnEvaluation(len(self), self._column, self._phrase).of(parsed.node)

    def first(self, mask: Mask, count: int | None = None) -> list[str]:
        """Ids of the first `count` measurements of a mask in order of id; all by default."""
        rows = np.flatnonzero(mask)[:count]
        return [identity.decode() for identity in self._table.ids[rows].tolist()]

    def rows(self, ids: Iterable[str]) -> NDArray[np.intp]:
        """Rows of those of the ids that are in the collection."""
        encoded = np.array([identity.encode() for identity in ids], self._table.ids.dtype)
        return self._table.rows_of(encoded)

    def counts(self, name: str, mask: Mask | None = None) -> dict[str, int]:
        """Value as text -> number of measurements within the mask, the most frequent first."""
        return self.column(name).counts(mask)

    def histogram(
        self, name: str, mask: Mask | None = None, bins: int | NDArray[np.float64] = 24
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Counts (b,) and edges (b + 1,) of numbers in SI units or of dates in seconds.

        The edges cover the whole collection, so that they stay the same while a filter changes.
        """
        column = self.column(name)
        if column.kind not in ("number", "date"):
            raise UnsuitableDataError(
                f'"{name}" is not a number or date; count its values instead.'
            )
        values = column.values
        edges = bins if isinstance(bins, np.ndarray) else _edges(values, bins)
        chosen = values if mask is None else values[mask]
        return np.histogram(chosen[np.isfinite(chosen)], edges)[0].astype(np.int64), edges

    def to_arrow(self, names: Iterable[str] | None = None) -> pa.Table:
        """An Arrow table of n rows: ``id`` and the columns `names`, all facets by default.

        Texts are dictionary-coded and missing values null; the unit of a column of numbers is in
        the metadata of its field. See `FacetColumn.to_arrow` for the types.
        """
        import pyarrow as pa

        chosen = [name for name in (self.names if names is None else names) if name != "id"]
        columns = {name: self.column(name) for name in chosen}
        arrays = [self._ids.labels.to_arrow(), *(each.to_arrow() for each in columns.values())]
        fields = [pa.field("id", arrays[0].type)]
        for array, (name, column) in zip(arrays[1:], columns.items(), strict=True):
            fields.append(pa.field(name, array.type, metadata={"units": column.unit}))
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    def _column(self, name: str) -> FacetColumn | None:
        if name == "id":
            return self._ids
        if name == "collection":
            return self._collection
        if name == LABEL and name in self._table.facets:
            return self._table.facets[name].grouped
        return self._table.own.get(name) or self._table.facets.get(name)

    @cached_property
    def _ids(self) -> FacetColumn:
        codes = np.arange(len(self), dtype=np.int32)
        return FacetColumn(codes, TextDictionary.of_ids(self._table.ids))

    @cached_property
    def _collection(self) -> FacetColumn:
        return FacetColumn(np.zeros(len(self), np.int32), TextDictionary.of([self.collection]))

    def _phrase(self, phrase: str) -> Mask:
        with self._catalog.reading() as connection:
            search = fulltext.search_for(connection.dialect.name)
            mask = np.zeros(len(self), np.bool_)
            table = tables.measurements
            statement = select(table.c.id).where(
                table.c.live, table.c.collection == self.collection, search(phrase)
            )
            mask[self.rows(connection.scalars(statement))] = True
        return mask


def open_columns(
    catalog: Catalog, folder: Path, collection: str, before: FacetColumns | None = None
) -> FacetColumns:
    """Columns of a collection as the catalog is now.

    Args:
        catalog: where the measurements are.
        folder: of the cache, one file per collection; created when missing.
        collection: may be empty.
        before: columns opened earlier in this process, if any.
    """
    path = folder / f"{quote(collection, safe='')}.safetensors"
    with consistent_connection(catalog) as connection:
        build, position = _moment(connection)
        cached = before.cached if before else load(path)
        if cached is not None and not cached.leads_to(collection, build, position):
            cached = None
        if before is not None and cached is not None and cached.position == position:
            return before
        change = read_change(connection, collection, cached.position if cached else 0)
    if cached is not None and not len(change.ids):
        return FacetColumns(catalog, CachedTable(cached.table, collection, build, position))
    table = (cached.table if cached else ColumnTable.empty()).updated(change.ids, change.live)
    updated = CachedTable(table, collection, build, position)
    save(path, updated)
    return FacetColumns(catalog, updated)


def _moment(connection: Connection) -> tuple[str, int]:
    """Id of this build of the catalog, and the number of journal lines applied to it."""
    state = tables.state
    statement = select(state.c.key, state.c.value).where(state.c.key.in_(["build", "journal"]))
    values = {row.key: row.value for row in connection.execute(statement)}
    return values.get("build", ""), int(values.get("journal", 0))


def _edges(values: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    known = values[np.isfinite(values)]
    if not known.size:
        return np.linspace(0.0, 1.0, bins + 1)
    return np.histogram_bin_edges(known, bins)
