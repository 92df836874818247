"""Reads what changed in a collection since a journal line, as columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from motif.core import remarks, schema
from motif.core.catalog import Catalog
from motif.core.columns_labels import Codes, Labels
from motif.core.columns_table import DATES, MISSING, SEPARATOR, Column, Table, in_order
from motif.core.query import LABEL
from motif.core.records import ID_LENGTH
from motif.core.schema import batched


@dataclass(frozen=True)
class Change:
    """Measurements touched since a journal line: all their ids, and those that are live."""

    touched: NDArray[np.bytes_]
    live: Table


@contextmanager
def one_moment(catalog: Catalog) -> Iterator[Connection]:
    """A connection whose statements all see the catalog at the same moment."""
    with catalog.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def read_change(connection: Connection, collection: str, since: int) -> Change:
    """What journal lines from number `since` on did to a collection; 0 reads all of it."""
    table = schema.measurements
    here = [table.c.collection == collection]
    here += [table.c.changed >= since] if since else [table.c.live]
    head = connection.execute(
        select(table.c.number, table.c.id, table.c.live, table.c.kind, table.c.title,
               table.c.record_id)
        .where(*here).order_by(table.c.id)
    ).all()  # fmt: skip
    live = [row for row in head if row.live]
    ids = np.array([row.id.encode() for row in live], f"S{ID_LENGTH}")
    own = {
        "kind": _texts([row.kind for row in live]),
        "title": _texts([row.title for row in live]),
        "record": _texts([row.record_id for row in live]),
    }
    numbers = np.array([row.number for row in live], np.int64)
    touched = np.array([row.id.encode() for row in head], f"S{ID_LENGTH}")
    del head, live
    facets = _facets(connection, numbers)
    labels = remarks.labels_in(connection, collection, since)
    if labels:
        facets[LABEL] = _labels(ids, labels)
    return Change(touched, Table(ids, own, in_order(facets)))


def _labels(ids: NDArray[np.bytes_], labels: Mapping[str, list[str]]) -> Column:
    """The labels of each measurement (n,) as one text."""
    owners = np.array([one.encode() for one in labels], ids.dtype)
    joined = _texts(SEPARATOR.join(one) for one in labels.values())
    codes = np.full(len(ids), MISSING, np.int32)
    codes[np.searchsorted(ids, owners)] = joined.categories[1]
    return Column(codes, joined.labels)


def _facets(connection: Connection, numbers: NDArray[np.int64]) -> dict[str, Column]:
    """Columns of every facet of measurements, given by their numbers (n,)."""
    table, rows = schema.facets, _Rows(numbers)
    asked = select(table.c.measurement, table.c.name, table.c.text, table.c.number, table.c.unit)
    cells: dict[str, _Cells] = {}
    for part in batched(rows.numbers.tolist()):
        for owner, name, text, number, unit in connection.execute(
            asked.where(table.c.measurement.in_(part))
        ):
            if name not in cells:
                cells[name] = _Cells()
            if text is not None:
                cells[name].take_text(owner, text)
            elif number is not None:
                cells[name].take_number(owner, number, unit)
    return {name: one.column(name, rows) for name, one in cells.items() if one.holds_any}


class _Rows:
    """Rows of measurements by their numbers (n,), which are held in rising order."""

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        self.count = len(numbers)
        self._order = np.argsort(numbers)
        self.numbers = numbers[self._order]

    def of(self, owners: array[int]) -> NDArray[np.intp]:
        return self._order[np.searchsorted(self.numbers, np.asarray(owners))]


class _Cells:
    """Cells of one facet as they come."""

    def __init__(self) -> None:
        self._owners = array("q")
        self._codes = array("i")
        self._codes_of: dict[str, int] = {}
        self._numbers: dict[str, tuple[array[int], array[float]]] = {}

    def take_text(self, owner: int, text: str) -> None:
        self._owners.append(owner)
        self._codes.append(self._codes_of.setdefault(text, len(self._codes_of)))

    def take_number(self, owner: int, number: float, unit: str) -> None:
        if unit not in self._numbers:
            self._numbers[unit] = (array("q"), array("d"))
        owners, values = self._numbers[unit]
        owners.append(owner)
        values.append(number)

    @property
    def holds_any(self) -> bool:
        return bool(self._owners or self._numbers)

    def column(self, name: str, rows: _Rows) -> Column:
        numbers = {}
        for unit, (owners, values) in sorted(self._numbers.items()):
            numbers[unit] = np.full(rows.count, np.nan)
            numbers[unit][rows.of(owners)] = np.asarray(values)
        if not self._owners:
            return Column(numbers=numbers)
        places = rows.of(self._owners)
        labels, ranks = _ordered(self._codes_of)
        codes = np.full(rows.count, MISSING, np.int32)
        codes[places] = ranks[np.asarray(self._codes)]
        seconds = None
        if name in DATES:
            seconds = np.array([_seconds(text) for text in labels.texts] + [np.nan])[codes]
        return Column(codes, labels, numbers, seconds)


def _texts(values: Iterable[str]) -> Column:
    codes_of: dict[str, int] = {}
    codes = array("i", (codes_of.setdefault(value, len(codes_of)) for value in values))
    labels, ranks = _ordered(codes_of)
    return Column(ranks[np.asarray(codes, np.int32)], labels)


def _ordered(codes_of: Mapping[str, int]) -> tuple[Labels, Codes]:
    """Texts in order, and the place of each former code."""
    texts = sorted(codes_of)
    ranks = np.empty(len(texts), np.int32)
    ranks[np.fromiter((codes_of[text] for text in texts), np.intp, len(texts))] = np.arange(
        len(texts), dtype=np.int32
    )
    return Labels.of(texts), ranks


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return float("nan")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
