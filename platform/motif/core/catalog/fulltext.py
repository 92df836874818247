"""Full-text search over titles, facets, record metadata, headers, labels and notes.

SQLite keeps an FTS5 index of trigrams, so that a phrase is found anywhere in a text regardless of
case, as `Query.matches` finds it. On other databases, and for phrases of fewer than three
characters, the stored text is scanned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    bindparam,
    delete,
    insert,
    or_,
    select,
    text,
)

from motif.core.catalog import tables
from motif.core.catalog.tables import batched
from motif.core.facets.privacy import masked
from motif.core.query.sql import Search

TRIGRAM = 3
"""Shortest phrase a trigram index can find."""

_CREATE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS fulltext USING fts5("
    "body, content='texts', content_rowid='number', tokenize='trigram')",
    "CREATE TRIGGER IF NOT EXISTS texts_in AFTER INSERT ON texts BEGIN"
    " INSERT INTO fulltext(rowid, body) VALUES (new.number, new.body); END",
    "CREATE TRIGGER IF NOT EXISTS texts_out AFTER DELETE ON texts BEGIN"
    " INSERT INTO fulltext(fulltext, rowid, body) VALUES ('delete', old.number, old.body); END",
)


def create(connection: Connection) -> None:
    """Create the index of the table of texts, where the database has full-text search."""
    if connection.dialect.name == "sqlite":
        for statement in _CREATE:
            connection.execute(text(statement))


def drop(connection: Connection) -> None:
    """Remove the index."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TABLE IF EXISTS fulltext"))


def store(connection: Connection, records: Sequence[Mapping[str, Any]]) -> None:
    """Store the searchable text of journaled records; without a new header the old one stays."""
    headers = _stored(
        connection, tables.texts.c.owner, tables.texts.c.header,
        [record["id"] for record in records if "header" not in record],
    )  # fmt: skip
    titles = _stored(
        connection, tables.measurements.c.id, tables.measurements.c.title,
        [row["id"] for record in records for row in record["measurements"] if "title" not in row],
    )  # fmt: skip
    rows = []
    for record in records:
        pairs = record.get("header")
        header = headers.get(record["id"], "") if pairs is None else "\n".join(_words(pairs))
        body = [record["title"], *strings(record["metadata"]), header]
        shown = masked("\n".join(body), record.get("masks", ()))
        rows.append({"owner": record["id"], "header": header, "body": shown})
        for measurement in record["measurements"]:
            values = [facet["value"] for facet in measurement["facets"]]
            texts = [value for value in values if isinstance(value, str)]
            body = [measurement.get("title") or titles.get(measurement["id"], ""), *texts]
            rows.append({"owner": measurement["id"], "header": "", "body": "\n".join(body)})
    for part in batched([row["owner"] for row in rows]):
        connection.execute(delete(tables.texts).where(tables.texts.c.owner.in_(part)))
    if rows:
        connection.execute(insert(tables.texts), rows)


def search_for(dialect: str) -> Search:
    """The condition of a full-text phrase on rows of the measurements table."""

    def condition(phrase: str) -> ColumnElement[bool]:
        texts, measurements = tables.texts, tables.measurements
        inside: ColumnElement[bool]
        if dialect == "sqlite" and len(phrase) >= TRIGRAM:
            quoted = '"' + phrase.replace('"', '""') + '"'
            numbers = text("SELECT rowid FROM fulltext WHERE fulltext MATCH :phrase")
            inside = texts.c.number.in_(
                numbers.bindparams(bindparam("phrase", quoted, unique=True))
            )
        else:
            inside = texts.c.body.icontains(phrase, autoescape=True)
        owners = select(texts.c.owner).where(inside)
        annotated = tables.measurement_annotations
        owners_of_annotations = select(annotated.c.measurement).where(
            annotated.c.text.icontains(phrase, autoescape=True)
        )
        return or_(
            measurements.c.record_id.in_(owners),
            measurements.c.id.in_(owners),
            measurements.c.id.in_(owners_of_annotations),
        )

    return condition


def _stored(
    connection: Connection, key: Column[str], value: Column[str], keys: Sequence[str]
) -> dict[str, str]:
    return {
        owner: text
        for part in batched(keys)
        for owner, text in connection.execute(select(key, value).where(key.in_(part)))
    }


def _words(header: Sequence[Sequence[str]]) -> Iterator[str]:
    """Header values that contain words; numbers are found as facets instead."""
    for _, value in header:
        if any(letter.isalpha() for letter in value) and not _is_number(value):
            yield value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def strings(value: Any) -> Iterator[str]:
    """Every text inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
