"""Queries of the catalog for single purposes: search candidates, pinned views, overviews, sync.

Each is a function of the catalog and of plain values, so that other packages need no SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select
from sqlalchemy.schema import CreateTable

from motif.core.catalog import tables
from motif.core.catalog.database import Catalog
from motif.core.catalog.journal_format import ANNOTATION_STAGE
from motif.core.catalog.rows import RecordRow
from motif.core.catalog.tables import batched


def matching_ids(catalog: Catalog, collection: str, kind: str, where: str = "") -> list[str]:
    """Ids of the live measurements of one kind that match the query `where`, ascending."""
    table = tables.measurements
    statement = (
        select(table.c.id)
        .where(table.c.live, table.c.collection == collection, table.c.kind == kind)
        .order_by(table.c.id)
    )
    if where.strip():
        statement = statement.where(catalog.condition(where))
    with catalog.reading() as connection:
        return list(connection.scalars(statement))


def text_facets(
    catalog: Catalog, ids: Sequence[str], names: Collection[str]
) -> dict[str, dict[str, str]]:
    """Measurement id -> text of each of the facets `names` that it has."""
    facets, measurements = tables.facets, tables.measurements
    values: dict[str, dict[str, str]] = {identity: {} for identity in ids}
    statement = (
        select(measurements.c.id, facets.c.name, facets.c.text)
        .join(facets, facets.c.measurement == measurements.c.number)
        .where(facets.c.name.in_(sorted(names)), facets.c.text.is_not(None))
    )
    with catalog.reading() as connection:
        for part in batched(ids):
            for identity, name, text in connection.execute(
                statement.where(measurements.c.id.in_(part))
            ):
                values[identity][name] = text
    return values


def text_facet_counts(
    catalog: Catalog, collection: str, kind: str
) -> tuple[int, Counter[tuple[str, str]]]:
    """Number of live measurements of one kind, and of those with each (facet, text)."""
    facets, measurements = tables.facets, tables.measurements
    chosen = (
        measurements.c.live, measurements.c.collection == collection, measurements.c.kind == kind,
    )  # fmt: skip
    statement = (
        select(facets.c.name, facets.c.text, func.count())
        .join(measurements, facets.c.measurement == measurements.c.number)
        .where(*chosen, facets.c.text.is_not(None))
        .group_by(facets.c.name, facets.c.text)
    )
    with catalog.reading() as connection:
        size = connection.scalar(select(func.count()).select_from(measurements).where(*chosen))
        rows = connection.execute(statement)
        return int(size or 0), Counter({(name, text): count for name, text, count in rows})


def measurement_ids_of(catalog: Catalog, record_ids: Collection[str]) -> frozenset[str]:
    """Ids of everything ever measured in these records, deleted measurements included."""
    table = tables.measurements
    with catalog.reading() as connection:
        return frozenset(
            identity
            for part in batched(list(record_ids))
            for identity in connection.scalars(
                select(table.c.id).where(table.c.record_id.in_(part))
            )
        )


def records_of(catalog: Catalog, measurement_ids: Sequence[str]) -> list[RecordRow]:
    """The records of these measurements, deleted ones included, ordered by id."""
    records, measurements = tables.records, tables.measurements
    rows: dict[str, RecordRow] = {}
    with catalog.reading() as connection:
        for part in batched(measurement_ids):
            owners = select(measurements.c.record_id).where(measurements.c.id.in_(part))
            for row in connection.execute(select(records).where(records.c.id.in_(owners))):
                rows[row.id] = RecordRow(**row._mapping)
    return [rows[identity] for identity in sorted(rows)]


def matching_records(
    catalog: Catalog, collection: str | None = None, where: str = ""
) -> list[RecordRow]:
    """Live records, ordered by id; with a query, those of which a live measurement matches it."""
    records, measurements = tables.records, tables.measurements
    statement = select(records).where(records.c.live).order_by(records.c.id)
    if collection is not None:
        statement = statement.where(records.c.collection == collection)
    if where.strip():
        owners = select(measurements.c.record_id).where(
            measurements.c.live, catalog.condition(where)
        )
        statement = statement.where(records.c.id.in_(owners))
    with catalog.reading() as connection:
        return [RecordRow(**row._mapping) for row in connection.execute(statement)]


def measurement_counts(catalog: Catalog, record_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Record id -> number of its live measurements by kind."""
    table = tables.measurements
    counts: dict[str, dict[str, int]] = {identity: {} for identity in record_ids}
    statement = (
        select(table.c.record_id, table.c.kind, func.count())
        .where(table.c.live)
        .group_by(table.c.record_id, table.c.kind)
    )
    with catalog.reading() as connection:
        for part in batched(record_ids):
            for identity, kind, count in connection.execute(
                statement.where(table.c.record_id.in_(part))
            ):
                counts[identity][kind] = count
    return counts


def next_row(catalog: Catalog, array: str) -> int:
    """First free row of an array; to be called while the workspace is locked for a commit."""
    table = tables.measurements
    statement = select(func.max(table.c.row)).where(table.c.array == array)
    with catalog.reading() as connection:
        last = connection.execute(statement).scalar()
    return 0 if last is None else int(last) + 1


def last_update(catalog: Catalog, collection: str | None = None) -> str:
    """When a record last changed, as ISO 8601 text in UTC; empty where there are no records."""
    table = tables.records
    statement = select(func.max(table.c.updated_at))
    if collection is not None:
        statement = statement.where(table.c.collection == collection)
    with catalog.reading() as connection:
        return connection.execute(statement).scalar() or ""


def latest_measurements(
    catalog: Catalog, kind: str | None = None, limit: int = 16
) -> list[tuple[str, str]]:
    """(id, collection) of the live measurements whose records changed last, newest first."""
    table, records = tables.measurements, tables.records
    statement = (
        select(table.c.id, table.c.collection)
        .join(records, records.c.id == table.c.record_id)
        .where(table.c.live)
        .order_by(records.c.updated_at.desc(), table.c.id)
        .limit(limit)
    )
    if kind is not None:
        statement = statement.where(table.c.kind == kind)
    with catalog.reading() as connection:
        return [(identity, collection) for identity, collection in connection.execute(statement)]


@dataclass(frozen=True)
class CatalogChanges:
    """How much changed since a moment of the workspace.

    Attributes:
        new: measurements that were added.
        updated: older measurements that changed; changed labels and notes do not count.
        deleted: older measurements that are no longer live.
        results: derived results, labels and notes excepted.
    """

    new: int
    updated: int
    deleted: int
    results: int


def newest_measurement(catalog: Catalog) -> int:
    """Number of the measurement added last; 0 where there is none."""
    with catalog.reading() as connection:
        number = connection.execute(select(func.max(tables.measurements.c.number))).scalar()
    return int(number or 0)


def ids_added_since(catalog: Catalog, collection: str, lines: int, newest: int) -> list[str]:
    """Ids of a collection's measurements added after a moment.

    Args:
        collection: of the measurements.
        lines: journal lines there were at that moment.
        newest: number of the newest measurement at that moment.
    """
    table = tables.measurements
    statement = select(table.c.id).where(
        table.c.collection == collection, table.c.changed >= lines, table.c.number > newest
    )
    with catalog.reading() as connection:
        return list(connection.scalars(statement))


def changes_since(catalog: Catalog, lines: int, newest: int) -> CatalogChanges:
    """What changed after a moment, given as in `ids_added_since`."""
    table, results = tables.measurements, tables.derivations
    annotations = select(results.c.number).where(
        results.c.number >= lines, results.c.stage == ANNOTATION_STAGE
    )
    is_new = table.c.number > newest
    changed = (
        select(is_new, table.c.live, func.count())
        .where(table.c.changed >= lines, table.c.changed.not_in(annotations))
        .group_by(is_new, table.c.live)
    )
    derived = select(func.count()).where(
        results.c.number >= lines, results.c.stage != ANNOTATION_STAGE
    )
    with catalog.reading() as connection:
        rows = connection.execute(changed).all()
        number_of_results = int(connection.execute(derived).scalar() or 0)
    counts = {(bool(new), bool(live)): int(count) for new, live, count in rows}
    return CatalogChanges(
        counts.get((True, True), 0), counts.get((False, True), 0), counts.get((False, False), 0),
        number_of_results,
    )  # fmt: skip


class FetchFailures:
    """Number of syncs in which files of one source could not be fetched.

    The count of a file starts again when its raw data change.
    """

    def __init__(self, catalog: Catalog, source: str) -> None:
        self._engine = catalog.engine
        self._source = source
        with self._engine.begin() as connection:
            connection.execute(CreateTable(tables.fetch_failures, if_not_exists=True))

    def add(self, raw_fingerprints: Mapping[str, str]) -> dict[str, int]:
        """Count one more failure of each file (native id -> raw fingerprint); the counts so far."""
        table = tables.fetch_failures
        counts: dict[str, int] = {}
        with self._engine.begin() as connection:
            for native_id, raw_fingerprint in raw_fingerprints.items():
                key = (table.c.source == self._source, table.c.native_id == native_id)
                same = (*key, table.c.raw_fingerprint == raw_fingerprint)
                before = connection.execute(select(table.c.runs).where(*same)).scalar() or 0
                counts[native_id] = before + 1
                connection.execute(delete(table).where(*key))
                connection.execute(
                    insert(table).values(
                        source=self._source, native_id=native_id,
                        raw_fingerprint=raw_fingerprint, runs=before + 1,
                    )
                )  # fmt: skip
        return counts

    def forget(self, native_ids: Sequence[str]) -> None:
        """Delete the counts of files that were fetched or that are deleted."""
        table = tables.fetch_failures
        own = select(table.c.native_id).where(table.c.source == self._source)
        with self._engine.connect() as connection:
            counted = set(connection.scalars(own)) & set(native_ids)
        if not counted:
            return
        with self._engine.begin() as connection:
            for part in batched(sorted(counted)):
                connection.execute(
                    delete(table).where(table.c.source == self._source, table.c.native_id.in_(part))
                )
