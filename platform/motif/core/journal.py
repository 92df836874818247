"""Applies the store's journal to the catalog: each line in one transaction, in order, once."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from motif.core import fulltext, remarks, schema
from motif.core.catalog import Catalog
from motif.core.schema import batched
from motif.core.store import Snapshot

Line = Mapping[str, Any]
NOT_OF_RECORDS = frozenset({"header", "measurements", "masks"})
NOT_OF_MEASUREMENTS = frozenset({"facets", "facts", "told_title", "outlines"})
"""Parts of the journal's documents that are kept elsewhere than in the row of their name."""
OUTLINE = ("channel", "form", "first", "second", "third")


def catch_up(catalog: Catalog, snapshot: Snapshot) -> int:
    """Apply the lines the catalog has not seen; returns how many."""
    applied = catalog.journal_length
    count = 0
    if snapshot.journal_length > applied:
        for number, line in snapshot.journal(applied):
            apply(catalog, number, line)
            count += 1
    return count


def rebuild(catalog: Catalog, snapshot: Snapshot) -> int:
    """Empty every journaled table and replay the whole journal."""
    catalog.create()
    with catalog.engine.begin() as connection:
        for table in schema.JOURNALED:
            connection.execute(delete(table))
        state = schema.state
        connection.execute(delete(state).where(state.c.key == "journal"))
        connection.execute(update(state).where(state.c.key == "made").values(value=uuid4().hex))
    return catch_up(catalog, snapshot)


def apply(catalog: Catalog, number: int, line: Line) -> None:
    """Apply line `number`; a line applied before is left alone."""
    with catalog.engine.begin() as connection:
        if not _claim(connection, number):
            return
        if line["what"] == "sync":
            _apply_sync(connection, number, line)
        else:
            _apply_derivation(connection, number, line)


def _claim(connection: Connection, number: int) -> bool:
    """Move the journal position from `number` to `number + 1`, unless it is past that."""
    state = schema.state
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
    taken = [row["native_id"] for row in line["records"]]
    gone = [*line["deleted"], *(row["native_id"] for row in line["quarantined"])]
    _delete_where(connection, schema.quarantine, "native_id", [*taken, *line["deleted"]], source)
    _retire(connection, number, source, gone, at)
    _upsert_records(connection, line["records"], at)
    _write_measurements(connection, number, line["records"])
    fulltext.store(connection, line["records"])
    for row in line["quarantined"]:
        _quarantine(connection, source, row, at)
    if line.get("cursor") is not None:
        connection.execute(delete(schema.cursors).where(schema.cursors.c.source == source))
        connection.execute(
            insert(schema.cursors).values(source=source, cursor=line["cursor"], updated_at=at)
        )


def _retire(
    connection: Connection, number: int, source: str, native_ids: Sequence[str], at: str
) -> None:
    """Take records that are deleted, or no longer readable, out of every listing."""
    records, measurements = schema.records, schema.measurements
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
    """Insert or update records, and the headers told anew, in few statements."""
    records, headers = schema.records, schema.headers
    rows = {line["id"]: line for line in lines}
    there: set[str] = set()
    for part in batched(list(rows)):
        there.update(connection.scalars(select(records.c.id).where(records.c.id.in_(part))))
    new, changed = [], []
    for identity, line in rows.items():
        values = {key: line[key] for key in line if key not in NOT_OF_RECORDS}
        stem = PurePath(line["file_name"]).stem.casefold()
        values |= {"stem": stem, "live": True, "updated_at": at}
        if identity in there:
            changed.append({**values, "of": identity})
        else:
            new.append({**values, "first_seen": at, "revision": 1})
    if new:
        connection.execute(insert(records), new)
    if changed:
        statement = update(records).where(records.c.id == bindparam("of"))
        connection.execute(statement.values(revision=records.c.revision + 1), changed)
    told = [identity for identity, line in rows.items() if "header" in line]
    _delete_where(connection, headers, "record_id", told)
    if told:
        connection.execute(insert(headers), [_header(rows[identity]) for identity in told])


def _header(line: Line) -> dict[str, Any]:
    document = zlib.compress(json.dumps(line["header"]).encode(), 6)
    return {"record_id": line["id"], "document": document}


def _write_measurements(connection: Connection, number: int, records: Sequence[Line]) -> None:
    """Insert what is new, revive what came back, retire what the record no longer holds."""
    table = schema.measurements
    rows = [m for record in records for m in record["measurements"]]
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
        {key: row[key] for key in row if key not in NOT_OF_MEASUREMENTS}
        | {"number": place, "live": True, "changed": number}
        for place, row in enumerate((row for row in rows if "array" in row), last + 1)
    ]
    if new:
        connection.execute(insert(table), new)
    kept = [row["id"] for row in rows if "array" not in row]
    for part in batched(kept):
        connection.execute(
            update(table).where(table.c.id.in_(part)).values(live=True, changed=number)
        )
    titles = [
        {"of": row["id"], "called": row["title"]}
        for row in rows
        if "array" not in row and "title" in row
    ]
    if titles:
        named = update(table).where(table.c.id == bindparam("of"))
        connection.execute(named.values(title=bindparam("called")), titles)
    _write_facets(connection, rows)


def _write_facets(connection: Connection, rows: Sequence[Line]) -> None:
    """Replace the facets of measurements, and keep count of their names and units."""
    table, measurements = schema.facets, schema.measurements
    numbers: dict[str, int] = {}
    counts: Counter[tuple[str, str, bool]] = Counter()
    is_number = table.c.number.is_not(None)
    for part in batched([row["id"] for row in rows]):
        chosen = select(measurements.c.id, measurements.c.number).where(measurements.c.id.in_(part))
        here: dict[str, int] = {row.id: row.number for row in connection.execute(chosen)}
        numbers |= here
        old = table.c.measurement.in_(list(here.values()))
        for name, unit, numeric, count in connection.execute(
            select(table.c.name, table.c.unit, is_number, func.count())
            .where(old)
            .group_by(table.c.name, table.c.unit, is_number)
        ):
            counts[name, unit, bool(numeric)] -= count
        connection.execute(delete(table).where(old))
    facets = [
        {"measurement": numbers[row["id"]], **facet_columns(facet)}
        for row in rows
        for facet in row["facets"]
    ]
    if facets:
        connection.execute(insert(table), facets)
    counts.update((one["name"], one["unit"], one["number"] is not None) for one in facets)
    _count_names(connection, counts)
    _write_beside(connection, rows, numbers)


def _write_beside(connection: Connection, rows: Sequence[Line], numbers: Mapping[str, int]) -> None:
    """Replace the facts and outlines that are told anew."""
    facts = [
        {"measurement": numbers[row["id"]], "title": row["told_title"], "facets": row["facts"]}
        for row in rows
        if "facts" in row
    ]
    outlines = [
        {"measurement": numbers[row["id"]], **dict(zip(OUTLINE, one, strict=True))}
        for row in rows
        for one in row.get("outlines", ())
    ]
    for table, told, name in (
        (schema.facts, [one for one in facts if one["title"] or one["facets"]], "facts"),
        (schema.outlines, outlines, "outlines"),
    ):
        for part in batched([numbers[row["id"]] for row in rows if name in row]):
            connection.execute(delete(table).where(table.c.measurement.in_(part)))
        if told:
            connection.execute(insert(table), told)


def _count_names(connection: Connection, counts: Mapping[tuple[str, str, bool], int]) -> None:
    table = schema.facet_names
    for (name, unit, is_number), count in counts.items():
        if count == 0:
            continue
        place = (table.c.name == name, table.c.unit == unit, table.c.is_number == is_number)
        changed = connection.execute(
            update(table).where(*place).values(facets=table.c.facets + count)
        )
        if changed.rowcount == 0:
            connection.execute(
                insert(table).values(name=name, unit=unit, is_number=is_number, facets=count)
            )
        elif count < 0:
            connection.execute(delete(table).where(*place, table.c.facets <= 0))


def facet_columns(facet: Line) -> dict[str, Any]:
    """A journaled facet as columns of the facets table."""
    value = facet["value"]
    is_text = isinstance(value, str)
    return {
        "name": facet["name"],
        "text": value if is_text else None,
        "number": None if is_text else float(value),
        "unit": "bool" if isinstance(value, bool) else facet["unit"],
        "origin": facet["origin"],
        "told": facet.get("told", ""),
    }


def _quarantine(connection: Connection, source: str, row: Line, at: str) -> None:
    table = schema.quarantine
    place = (table.c.source == source, table.c.native_id == row["native_id"])
    before = connection.execute(select(table.c.first_seen, table.c.attempts).where(*place)).first()
    connection.execute(delete(table).where(*place))
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
    table = schema.derivations
    if connection.execute(select(table.c.id).where(table.c.id == row["id"])).first():
        return
    connection.execute(insert(table).values(**row, created_at=line["at"], number=number))
    if inputs:
        connection.execute(
            insert(schema.derivation_inputs),
            [
                {"derivation_id": row["id"], "position": position, "input_id": one}
                for position, one in enumerate(inputs)
            ],
        )
    if row["stage"] == remarks.STAGE:
        remarks.apply(connection, number, row, inputs)


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
