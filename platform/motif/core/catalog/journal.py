"""Applies the store's journal to the catalog: each line once, in order, in one transaction."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from motif.core.catalog import fulltext, tables
from motif.core.catalog.database import Catalog
from motif.core.catalog.journal_format import ANNOTATION_STAGE, NOTE, current_line
from motif.core.catalog.tables import batched
from motif.core.query import LABEL
from motif.core.store.repository import Snapshot

Line = Mapping[str, Any]
RECORD_PARTS = frozenset({"header", "measurements", "masks"})
MEASUREMENT_PARTS = frozenset({"facets", "raw_facets", "raw_title", "content_signatures"})
"""Parts of a journaled record or measurement that are stored in tables of their own."""
SIGNATURE_COLUMNS = ("channel", "form", "first", "second", "third")


def catch_up(catalog: Catalog, snapshot: Snapshot) -> int:
    """Apply the lines the catalog has not seen; returns how many."""
    applied = catalog.journal_length
    count = 0
    if snapshot.journal_length > applied:
        for number, line in snapshot.journal(applied):
            apply(catalog, number, current_line(line))
            count += 1
    return count


def rebuild(catalog: Catalog, snapshot: Snapshot) -> int:
    """Empty every journaled table and replay the whole journal."""
    catalog.create()
    with catalog.engine.begin() as connection:
        for table in tables.JOURNALED:
            connection.execute(delete(table))
        state = tables.state
        connection.execute(delete(state).where(state.c.key == "journal"))
        connection.execute(update(state).where(state.c.key == "build").values(value=uuid4().hex))
    return catch_up(catalog, snapshot)


def apply(catalog: Catalog, number: int, line: Line) -> None:
    """Apply line `number`, in its present spelling; a line applied before is skipped."""
    with catalog.engine.begin() as connection:
        if not _claim(connection, number):
            return
        if line["what"] == "sync":
            _apply_sync(connection, number, line)
        else:
            _apply_derivation(connection, number, line)


def _claim(connection: Connection, number: int) -> bool:
    """Move the journal position from `number` to `number + 1`, unless it is past that."""
    state = tables.state
    if number == 0:
        seen = connection.execute(select(state.c.value).where(state.c.key == "journal")).scalar()
        if seen is None:
            connection.execute(insert(state).values(key="journal", value="1"))
        return seen is None
    moved = connection.execute(
        update(state)
        .where(state.c.key == "journal", state.c.value == str(number))
        .values(value=str(number + 1))
    )
    return moved.rowcount == 1


def _apply_sync(connection: Connection, number: int, line: Line) -> None:
    source, at = line["source"], line["at"]
    stored = [row["native_id"] for row in line["records"]]
    retired = [*line["deleted"], *(row["native_id"] for row in line["quarantined"])]
    _delete_where(connection, tables.quarantine, "native_id", [*stored, *line["deleted"]], source)
    _retire(connection, number, source, retired, at)
    _upsert_records(connection, line["records"], at)
    _write_measurements(connection, number, line["records"])
    fulltext.store(connection, line["records"])
    for row in line["quarantined"]:
        _quarantine(connection, source, row, at)
    if line.get("cursor") is not None:
        connection.execute(delete(tables.cursors).where(tables.cursors.c.source == source))
        connection.execute(
            insert(tables.cursors).values(source=source, cursor=line["cursor"], updated_at=at)
        )


def _retire(
    connection: Connection, number: int, source: str, native_ids: Sequence[str], at: str
) -> None:
    """Remove records that are deleted, or no longer readable, from every listing."""
    records, measurements = tables.records, tables.measurements
    for part in batched(native_ids):
        chosen = select(records.c.id).where(
            records.c.source == source, records.c.native_id.in_(part)
        )
        connection.execute(
            update(measurements)
            .where(measurements.c.record_id.in_(chosen), measurements.c.live)
            .values(live=False, changed=number)
        )
        connection.execute(
            update(records)
            .where(records.c.source == source, records.c.native_id.in_(part), records.c.live)
            .values(live=False, updated_at=at)
        )


def _upsert_records(connection: Connection, lines: Sequence[Line], at: str) -> None:
    """Insert or update records, and the headers that were read, in few statements."""
    records, headers = tables.records, tables.headers
    rows = {line["id"]: line for line in lines}
    existing: set[str] = set()
    for part in batched(list(rows)):
        existing.update(connection.scalars(select(records.c.id).where(records.c.id.in_(part))))
    new, changed = [], []
    for identity, line in rows.items():
        values = {key: line[key] for key in line if key not in RECORD_PARTS}
        stem = PurePath(line["file_name"]).stem.casefold()
        values |= {"stem": stem, "live": True, "updated_at": at}
        if identity in existing:
            changed.append({**values, "of": identity})
        else:
            new.append({**values, "first_seen": at, "revision": 1})
    if new:
        connection.execute(insert(records), new)
    if changed:
        statement = update(records).where(records.c.id == bindparam("of"))
        connection.execute(statement.values(revision=records.c.revision + 1), changed)
    with_header = [identity for identity, line in rows.items() if "header" in line]
    _delete_where(connection, headers, "record_id", with_header)
    if with_header:
        connection.execute(insert(headers), [_header(rows[identity]) for identity in with_header])


def _header(line: Line) -> dict[str, Any]:
    document = zlib.compress(json.dumps(line["header"]).encode(), 6)
    return {"record_id": line["id"], "document": document}


def _write_measurements(connection: Connection, number: int, records: Sequence[Line]) -> None:
    """Insert new measurements, revive returned ones, retire those the record no longer has."""
    table = tables.measurements
    rows = [row for record in records for row in record["measurements"]]
    if not records:
        return
    record_ids = [record["id"] for record in records]
    for part in batched(record_ids):
        connection.execute(
            update(table)
            .where(table.c.record_id.in_(part), table.c.live)
            .values(live=False, changed=number)
        )
    last = connection.execute(select(func.max(table.c.number))).scalar() or 0
    new = [
        {key: row[key] for key in row if key not in MEASUREMENT_PARTS}
        | {"number": position, "live": True, "changed": number}
        for position, row in enumerate((row for row in rows if "array" in row), last + 1)
    ]
    if new:
        connection.execute(insert(table), new)
    existing = [row["id"] for row in rows if "array" not in row]
    for part in batched(existing):
        connection.execute(
            update(table).where(table.c.id.in_(part)).values(live=True, changed=number)
        )
    titles = [
        {"of": row["id"], "new_title": row["title"]}
        for row in rows
        if "array" not in row and "title" in row
    ]
    if titles:
        statement = update(table).where(table.c.id == bindparam("of"))
        connection.execute(statement.values(title=bindparam("new_title")), titles)
    _write_facets(connection, rows)


def _write_facets(connection: Connection, rows: Sequence[Line]) -> None:
    """Replace the facets of measurements, and keep count of their names and units."""
    table, measurements = tables.facets, tables.measurements
    numbers: dict[str, int] = {}
    counts: Counter[tuple[str, str, bool]] = Counter()
    is_number = table.c.number.is_not(None)
    for part in batched([row["id"] for row in rows]):
        chosen = select(measurements.c.id, measurements.c.number).where(measurements.c.id.in_(part))
        batch: dict[str, int] = {row.id: row.number for row in connection.execute(chosen)}
        numbers |= batch
        old = table.c.measurement.in_(list(batch.values()))
        for name, unit, numeric, count in connection.execute(
            select(table.c.name, table.c.unit, is_number, func.count())
            .where(old)
            .group_by(table.c.name, table.c.unit, is_number)
        ):
            counts[name, unit, bool(numeric)] -= count
        connection.execute(delete(table).where(old))
    facets = [
        {"measurement": numbers[row["id"]], **facet_row(facet)}
        for row in rows
        for facet in row["facets"]
    ]
    if facets:
        connection.execute(insert(table), facets)
    counts.update((row["name"], row["unit"], row["number"] is not None) for row in facets)
    _count_names(connection, counts)
    _write_raw_facets(connection, rows, numbers)
    _write_signatures(connection, rows, numbers)


def _write_raw_facets(
    connection: Connection, rows: Sequence[Line], numbers: Mapping[str, int]
) -> None:
    """Replace the raw facets of measurements whose journal line states them."""
    stated = [row for row in rows if "raw_facets" in row]
    table = tables.raw_facets
    for part in batched([numbers[row["id"]] for row in stated]):
        connection.execute(delete(table).where(table.c.measurement.in_(part)))
    values = [
        {"measurement": numbers[row["id"]], "title": row["raw_title"], "facets": row["raw_facets"]}
        for row in stated
        if row["raw_title"] or row["raw_facets"]
    ]
    if values:
        connection.execute(insert(table), values)


def _write_signatures(
    connection: Connection, rows: Sequence[Line], numbers: Mapping[str, int]
) -> None:
    """Replace the content signatures of measurements whose journal line states them."""
    stated = [row for row in rows if "content_signatures" in row]
    table = tables.content_signatures
    for part in batched([numbers[row["id"]] for row in stated]):
        connection.execute(delete(table).where(table.c.measurement.in_(part)))
    values = [
        {"measurement": numbers[row["id"]], **dict(zip(SIGNATURE_COLUMNS, signature, strict=True))}
        for row in stated
        for signature in row["content_signatures"]
    ]
    if values:
        connection.execute(insert(table), values)


def _count_names(connection: Connection, counts: Mapping[tuple[str, str, bool], int]) -> None:
    table = tables.facet_names
    for (name, unit, is_number), count in counts.items():
        if count == 0:
            continue
        key = (table.c.name == name, table.c.unit == unit, table.c.is_number == is_number)
        changed = connection.execute(
            update(table).where(*key).values(facets=table.c.facets + count)
        )
        if changed.rowcount == 0:
            connection.execute(
                insert(table).values(name=name, unit=unit, is_number=is_number, facets=count)
            )
        elif count < 0:
            connection.execute(delete(table).where(*key, table.c.facets <= 0))


def facet_row(facet: Line) -> dict[str, Any]:
    """A journaled facet as columns of the facets table."""
    value = facet["value"]
    is_text = isinstance(value, str)
    return {
        "name": facet["name"],
        "text": value if is_text else None,
        "number": None if is_text else float(value),
        "unit": "bool" if isinstance(value, bool) else facet["unit"],
        "origin": facet["origin"],
        "raw_text": facet.get("raw_text", ""),
    }


def _quarantine(connection: Connection, source: str, row: Line, at: str) -> None:
    table = tables.quarantine
    key = (table.c.source == source, table.c.native_id == row["native_id"])
    before = connection.execute(select(table.c.first_seen, table.c.attempts).where(*key)).first()
    connection.execute(delete(table).where(*key))
    connection.execute(
        insert(table).values(
            **row,
            source=source,
            first_seen=before.first_seen if before else at,
            last_seen=at,
            attempts=before.attempts + 1 if before else 1,
        )
    )


def _apply_derivation(connection: Connection, number: int, line: Line) -> None:
    row = dict(line["derivation"])
    inputs = row.pop("inputs")
    table = tables.derivations
    if connection.execute(select(table.c.id).where(table.c.id == row["id"])).first():
        return
    connection.execute(insert(table).values(**row, created_at=line["at"], number=number))
    if inputs:
        connection.execute(
            insert(tables.derivation_inputs),
            [
                {"derivation_id": row["id"], "position": position, "input_id": identity}
                for position, identity in enumerate(inputs)
            ],
        )
    if row["stage"] == ANNOTATION_STAGE:
        _apply_annotation(connection, number, row, inputs)


def _apply_annotation(
    connection: Connection, number: int, row: Line, measurement_ids: Sequence[str]
) -> None:
    """Add a label or note to measurements, or remove a label from them."""
    table, measurements = tables.measurement_annotations, tables.measurements
    parameters = row["parameters"]
    kind = LABEL if LABEL in parameters else NOTE
    text = parameters[kind]
    if parameters["action"] == "remove":
        same = (table.c.kind == kind, table.c.text == text)
        for part in batched(measurement_ids):
            connection.execute(delete(table).where(table.c.measurement.in_(part), *same))
    else:
        annotation = {
            "derivation": row["id"], "kind": kind, "text": text,
            "who": parameters["who"], "at": parameters["at"],
        }  # fmt: skip
        connection.execute(
            insert(table),
            [{**annotation, "measurement": identity} for identity in measurement_ids],
        )
    for part in batched(measurement_ids):
        connection.execute(
            update(measurements).where(measurements.c.id.in_(part)).values(changed=number)
        )


def _delete_where(
    connection: Connection,
    table: Table,
    column: str,
    values: Sequence[str],
    source: str | None = None,
) -> None:
    for part in batched(values):
        statement = delete(table).where(table.c[column].in_(part))
        if source is not None:
            statement = statement.where(table.c.source == source)
        connection.execute(statement)
