"""The catalog: a queryable index of the store's journal, and the log of runs."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    Text,
    cast,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, OperationalError

from motif.core.catalog import fulltext, tables
from motif.core.catalog.journal_format import FORMER_TABLES
from motif.core.catalog.rows import Derivation, MeasurementRow, Quarantined, RecordRow, Run
from motif.core.catalog.tables import batched
from motif.core.contracts import SyncState
from motif.core.errors import ConfigError, NotFoundError
from motif.core.query import Query, parse
from motif.core.records import FacetValue

__all__ = ["Catalog", "Derivation", "MeasurementRow", "Quarantined", "RecordRow", "Run", "now"]


_ROW = tuple(column for column in tables.measurements.c if column.name not in ("number", "changed"))
"""Columns of a `MeasurementRow`."""


FACET_COLUMNS = ("name", "text", "number", "unit", "origin", "raw_text")


def now() -> str:
    """The present time as ISO 8601 text in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Catalog:
    """Reads of the catalog. Journal lines are applied by `motif.core.catalog.journal`."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)

    def create(self) -> None:
        """Create the tables; those of another schema version are replaced. One process at a time.

        The next process that opens the workspace fills them from the store's journal.
        """
        if self.is_created:
            return
        if self._version() is not None:
            self._drop_journaled()
        tables.metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            fulltext.create(connection)
            connection.execute(
                insert(tables.state),
                [
                    {"key": "schema", "value": str(tables.VERSION)},
                    {"key": "build", "value": uuid4().hex},
                ],
            )

    @property
    def is_created(self) -> bool:
        """Whether the tables exist with this schema version."""
        return self._version() == str(tables.VERSION)

    def _version(self) -> str | None:
        try:
            if not inspect(self.engine).has_table(tables.state.name):
                return None
        except OperationalError as error:
            address = self.engine.url.render_as_string(hide_password=True)
            reason = str(error.orig).splitlines()[0]
            raise ConfigError(
                f"The catalog {address} cannot be opened ({reason}); check that it can be "
                "reached, or correct catalog.url in motif.toml."
            ) from error
        statement = select(tables.state.c.value).where(tables.state.c.key == "schema")
        with self.reading() as connection:
            return connection.execute(statement).scalar()

    def _drop_journaled(self) -> None:
        """Drop every table the journal can fill again, and those of earlier versions."""
        with self.engine.begin() as connection:
            fulltext.drop(connection)
            for table in (*tables.JOURNALED, tables.state):
                table.drop(connection, checkfirst=True)
            for name in FORMER_TABLES:
                connection.execute(text(f"DROP TABLE IF EXISTS {name}"))

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            yield connection

    @property
    def journal_length(self) -> int:
        """Journal lines applied so far."""
        statement = select(tables.state.c.value).where(tables.state.c.key == "journal")
        with self.reading() as connection:
            return int(connection.execute(statement).scalar() or 0)

    def query(self, text: str) -> Query:
        """Parse a filter; names and dimensions are checked against the catalog's facets."""
        return parse(text, known=self.facet_units())

    def condition(self, where: str) -> ColumnElement[bool]:
        """A filter as an SQL condition on rows of the measurements table."""
        search = fulltext.search_for(self.engine.dialect.name)
        return self.query(where).where(
            tables.measurements, tables.facets, search, tables.measurement_annotations
        )

    def facet_units(self) -> dict[str, str | None]:
        """All facets: name -> SI unit of its numbers ("bool" for flags, None for text)."""
        table = tables.facet_names
        statement = select(table).order_by(table.c.name, table.c.unit)
        units: dict[str, str] = {}
        numeric: dict[str, bool] = {}
        with self.reading() as connection:
            for name, unit, is_number, _ in connection.execute(statement):
                units[name] = unit
                numeric[name] = numeric.get(name, False) or is_number
        return {name: unit if numeric[name] else None for name, unit in units.items()}

    def select(
        self,
        collection: str | None = None,
        where: str | None = None,
        kind: str | None = None,
        ids: Sequence[str] | None = None,
    ) -> list[MeasurementRow]:
        """Live measurements that match, ordered by id."""
        table = tables.measurements
        statement = select(*_ROW).where(table.c.live).order_by(table.c.id)
        if collection is not None:
            statement = statement.where(table.c.collection == collection)
        if kind is not None:
            statement = statement.where(table.c.kind == kind)
        if where and where.strip():
            statement = statement.where(self.condition(where))
        if ids is None:
            return self._measurements(statement)
        rows = [
            row
            for part in batched(ids)
            for row in self._measurements(statement.where(table.c.id.in_(part)))
        ]
        return sorted(rows, key=lambda row: row.id)

    def measurement(self, measurement_id: str) -> MeasurementRow:
        table = tables.measurements
        rows = self._measurements(select(*_ROW).where(table.c.id == measurement_id))
        if not rows:
            raise NotFoundError(
                f'There is no measurement "{measurement_id}"; list them with motif measurements.'
            )
        return rows[0]

    def has_measurement(self, measurement_id: str) -> bool:
        """Whether this measurement is stored, live or not."""
        table = tables.measurements
        with self.reading() as connection:
            statement = select(table.c.id).where(table.c.id == measurement_id)
            return connection.execute(statement).first() is not None

    def measurements_of(self, record_id: str) -> list[MeasurementRow]:
        """Live measurements of one record, in the order of the file."""
        table = tables.measurements
        return self._measurements(
            select(*_ROW).where(table.c.record_id == record_id, table.c.live).order_by(table.c.row)
        )

    def record(self, record_id: str) -> RecordRow:
        table = tables.records
        with self.reading() as connection:
            row = connection.execute(select(table).where(table.c.id == record_id)).first()
        if row is None:
            raise NotFoundError(f'There is no record "{record_id}"; list them with motif records.')
        return RecordRow(**row._mapping)

    def records(self, source: str | None = None, collection: str | None = None) -> list[RecordRow]:
        """Live records, ordered by id."""
        table = tables.records
        statement = select(table).where(table.c.live).order_by(table.c.id)
        if source is not None:
            statement = statement.where(table.c.source == source)
        if collection is not None:
            statement = statement.where(table.c.collection == collection)
        with self.reading() as connection:
            return [RecordRow(**row._mapping) for row in connection.execute(statement)]

    def header(self, record_id: str) -> list[tuple[str, str]]:
        """The instrument's header of a record, in file order."""
        table = tables.headers
        with self.reading() as connection:
            packed = connection.execute(
                select(table.c.document).where(table.c.record_id == record_id)
            ).scalar()
        if packed is None:
            return []
        return [(key, value) for key, value in json.loads(zlib.decompress(packed))]

    def facets(self, ids: Sequence[str]) -> dict[str, dict[str, FacetValue]]:
        """Facet values of measurements: id -> {name: value}; numbers in SI base units."""
        values: dict[str, dict[str, FacetValue]] = {identity: {} for identity in ids}
        for row in self.facet_rows(ids):
            values[row.measurement_id][row.name] = facet_value(row)
        return values

    def facet_rows(self, ids: Sequence[str]) -> list[Row[Any]]:
        """Rows measurement_id, name, text, number, unit, origin, raw_text of the facets."""
        table, owners = tables.facets, tables.measurements
        columns: list[ColumnElement[Any]] = [owners.c.id.label("measurement_id")]
        columns += [table.c[name] for name in FACET_COLUMNS]
        statement: Select[Any] = (
            select(*columns)
            .join(owners, owners.c.number == table.c.measurement)
            .order_by(table.c.name)
        )
        with self.reading() as connection:
            return [
                row
                for part in batched(ids)
                for row in connection.execute(statement.where(owners.c.id.in_(part)))
            ]

    def sync_states(self, source: str) -> dict[str, SyncState]:
        """Native id -> fingerprints of what a source delivered, quarantined records included."""
        states: dict[str, SyncState] = {}
        with self.reading() as connection:
            for table in (tables.records, tables.quarantine):
                statement = select(
                    table.c.native_id, table.c.fingerprint, table.c.raw_fingerprint
                ).where(table.c.source == source)
                if table is tables.records:
                    statement = statement.where(table.c.live)
                for row in connection.execute(statement):
                    states[row.native_id] = SyncState(row.fingerprint, row.raw_fingerprint)
        return states

    def cursor(self, source: str) -> str:
        """Position a source returned with its last sync; empty before the first."""
        table = tables.cursors
        with self.reading() as connection:
            value = connection.execute(
                select(table.c.cursor).where(table.c.source == source)
            ).scalar()
        return value or ""

    def quarantined(self, source: str | None = None) -> list[Quarantined]:
        """Records in quarantine, ordered by source and native id."""
        table = tables.quarantine
        statement = select(table).order_by(table.c.source, table.c.native_id)
        if source is not None:
            statement = statement.where(table.c.source == source)
        with self.reading() as connection:
            return [Quarantined(**row._mapping) for row in connection.execute(statement)]

    def counts(self) -> dict[str, int]:
        """Live records, those of them whose file and record disagree, and those in quarantine."""
        records = select(func.count()).where(tables.records.c.live)
        disagree = records.where(cast(tables.records.c.disagreements, Text) != "[]")
        quarantined = select(func.count()).select_from(tables.quarantine)
        with self.reading() as connection:
            return {
                "records": connection.execute(records).scalar_one(),
                "disagreeing": connection.execute(disagree).scalar_one(),
                "quarantined": connection.execute(quarantined).scalar_one(),
            }

    def runs(self, limit: int = 100, job: str | None = None) -> list[Run]:
        """Runs of jobs, newest first."""
        table = tables.runs
        statement = select(table).order_by(table.c.started_at.desc()).limit(limit)
        if job is not None:
            statement = statement.where(table.c.job == job)
        with self.reading() as connection:
            return [Run(**row._mapping) for row in connection.execute(statement)]

    def collections(self) -> dict[str, dict[str, int]]:
        """Live measurements by collection and kind."""
        table = tables.measurements
        statement = (
            select(table.c.collection, table.c.kind, func.count())
            .where(table.c.live)
            .group_by(table.c.collection, table.c.kind)
            .order_by(table.c.collection)
        )
        counts: dict[str, dict[str, int]] = {}
        with self.reading() as connection:
            for collection, kind, count in connection.execute(statement):
                counts.setdefault(collection, {})[kind] = count
        return counts

    def _measurements(self, statement: Select[Any]) -> list[MeasurementRow]:
        with self.reading() as connection:
            return [MeasurementRow(**row._mapping) for row in connection.execute(statement)]


def facet_value(row: Row[Any]) -> FacetValue:
    """Value of a row of the facets table: text, flag or number."""
    if row.text is not None:
        return str(row.text)
    return bool(row.number) if row.unit == "bool" else float(row.number)


def sqlite_url(path: Path) -> str:
    """SQLAlchemy address of a SQLite file."""
    return f"sqlite:///{path}"


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(url)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"catalog.url needs the package {error.name}, which is not installed; "
            'for PostgreSQL run pip install "motif-lab[postgresql]".'
        ) from error
    except ArgumentError as error:
        raise ConfigError(f"catalog.url is not an address SQLAlchemy knows: {error}.") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    return engine


def _tune_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",  # a lost tail is replayed from the store's journal
        "busy_timeout=30000",
        "foreign_keys=ON",
        "cache_size=-65536",  # KiB
        "mmap_size=1073741824",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
