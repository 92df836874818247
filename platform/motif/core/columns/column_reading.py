"""Reads from the catalog what changed in a collection since a journal line, as columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from motif.core.catalog import tables
from motif.core.catalog.database import Catalog
from motif.core.catalog.tables import batched
from motif.core.columns.column_table import (
    DATES,
    MISSING,
    SEPARATOR,
    Codes,
    ColumnTable,
    FacetColumn,
    TextDictionary,
    in_order,
)
from motif.core.query import LABEL
from motif.core.records import ID_LENGTH


@dataclass(frozen=True)
class ColumnChange:
    """Measurements changed since a journal line: the ids of all, and a table of the live ones."""

    ids: NDArray[np.bytes_]
    live: ColumnTable


@contextmanager
def consistent_connection(catalog: Catalog) -> Iterator[Connection]:
    """A connection whose statements all see the catalog at the same moment."""
    with catalog.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def read_change(connection: Connection, collection: str, since: int) -> ColumnChange:
    """What journal lines from number `since` on changed in a collection; 0 reads all of it."""
    table = tables.measurements
    conditions = [table.c.collection == collection]
    conditions += [table.c.changed >= since] if since else [table.c.live]
    rows = connection.execute(
        select(table.c.number, table.c.id, table.c.live, table.c.kind, table.c.title,
               table.c.record_id)
        .where(*conditions).order_by(table.c.id)
    ).all()  # fmt: skip
    live = [row for row in rows if row.live]
    ids = np.array([row.id.encode() for row in live], f"S{ID_LENGTH}")
    own = {
        "kind": _text_column(row.kind for row in live),
        "title": _text_column(row.title for row in live),
        "record": _text_column(row.record_id for row in live),
    }
    numbers = np.array([row.number for row in live], np.int64)
    changed_ids = np.array([row.id.encode() for row in rows], f"S{ID_LENGTH}")
    del rows, live
    facets = _facet_columns(connection, numbers)
    labels = _labels_since(connection, collection, since)
    if labels:
        facets[LABEL] = _label_column(ids, labels)
    return ColumnChange(changed_ids, ColumnTable(ids, own, in_order(facets)))


def _labels_since(connection: Connection, collection: str, since: int) -> dict[str, list[str]]:
    """Measurement id -> its labels in order, of live measurements changed since a journal line."""
    table, measurements = tables.measurement_annotations, tables.measurements
    conditions = [measurements.c.collection == collection, measurements.c.live]
    conditions += [measurements.c.changed >= since] if since else []
    statement = (
        select(table.c.measurement, table.c.text)
        .distinct()
        .join(measurements, measurements.c.id == table.c.measurement)
        .where(table.c.kind == LABEL, *conditions)
        .order_by(table.c.measurement, table.c.text)
    )
    labels: dict[str, list[str]] = {}
    for identity, text in connection.execute(statement):
        labels.setdefault(identity, []).append(text)
    return labels


def _label_column(ids: NDArray[np.bytes_], labels: Mapping[str, list[str]]) -> FacetColumn:
    """The labels of each measurement (n,) joined to one text."""
    owners = np.array([identity.encode() for identity in labels], ids.dtype)
    joined = _text_column(SEPARATOR.join(texts) for texts in labels.values())
    codes = np.full(len(ids), MISSING, np.int32)
    codes[np.searchsorted(ids, owners)] = joined.categories[1]
    return FacetColumn(codes, joined.labels)


def _facet_columns(connection: Connection, numbers: NDArray[np.int64]) -> dict[str, FacetColumn]:
    """Columns of every facet of measurements, given by their numbers (n,)."""
    table, rows = tables.facets, _RowIndex(numbers)
    statement = select(
        table.c.measurement, table.c.name, table.c.text, table.c.number, table.c.unit
    )
    builders: dict[str, _ColumnBuilder] = {}
    for part in batched(rows.numbers.tolist()):
        for owner, name, text, number, unit in connection.execute(
            statement.where(table.c.measurement.in_(part))
        ):
            if name not in builders:
                builders[name] = _ColumnBuilder()
            if text is not None:
                builders[name].add_text(owner, text)
            elif number is not None:
                builders[name].add_number(owner, number, unit)
    return {
        name: builder.column(name, rows) for name, builder in builders.items() if builder.has_values
    }


class _RowIndex:
    """Row of each measurement by its number; `numbers` (n,) are sorted."""

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        self.count = len(numbers)
        self._order = np.argsort(numbers)
        self.numbers = numbers[self._order]

    def of(self, owners: array[int]) -> NDArray[np.intp]:
        return self._order[np.searchsorted(self.numbers, np.asarray(owners))]


class _ColumnBuilder:
    """Collects the values of one facet in the order of the catalog."""

    def __init__(self) -> None:
        self._owners = array("q")
        self._codes = array("i")
        self._code_of: dict[str, int] = {}
        self._numbers: dict[str, tuple[array[int], array[float]]] = {}

    def add_text(self, owner: int, text: str) -> None:
        self._owners.append(owner)
        self._codes.append(self._code_of.setdefault(text, len(self._code_of)))

    def add_number(self, owner: int, number: float, unit: str) -> None:
        if unit not in self._numbers:
            self._numbers[unit] = (array("q"), array("d"))
        owners, values = self._numbers[unit]
        owners.append(owner)
        values.append(number)

    @property
    def has_values(self) -> bool:
        return bool(self._owners or self._numbers)

    def column(self, name: str, rows: _RowIndex) -> FacetColumn:
        numbers = {}
        for unit, (owners, values) in sorted(self._numbers.items()):
            numbers[unit] = np.full(rows.count, np.nan)
            numbers[unit][rows.of(owners)] = np.asarray(values)
        if not self._owners:
            return FacetColumn(numbers=numbers)
        labels, new_codes = _sorted_dictionary(self._code_of)
        codes = np.full(rows.count, MISSING, np.int32)
        codes[rows.of(self._owners)] = new_codes[np.asarray(self._codes)]
        seconds = None
        if name in DATES:
            seconds = np.array([_seconds(text) for text in labels.texts] + [np.nan])[codes]
        return FacetColumn(codes, labels, numbers, seconds)


def _text_column(values: Iterable[str]) -> FacetColumn:
    code_of: dict[str, int] = {}
    codes = array("i", (code_of.setdefault(value, len(code_of)) for value in values))
    labels, new_codes = _sorted_dictionary(code_of)
    return FacetColumn(new_codes[np.asarray(codes, np.int32)], labels)


def _sorted_dictionary(code_of: Mapping[str, int]) -> tuple[TextDictionary, Codes]:
    """Dictionary of the texts in order, and the new code of each former code."""
    texts = sorted(code_of)
    new_codes = np.empty(len(texts), np.int32)
    former = np.fromiter((code_of[text] for text in texts), np.intp, len(texts))
    new_codes[former] = np.arange(len(texts), dtype=np.int32)
    return TextDictionary.of(texts), new_codes


def _seconds(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 time, taken as UTC without a zone; NaN for other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return float("nan")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
