"""Tables of the catalog (SQLAlchemy Core): SQLite in WAL mode, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

T = TypeVar("T")


class _WithoutNull(TypeDecorator[str]):
    """Text without the character 0, which PostgreSQL keeps in no text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and value.replace("\0", "")


Words = Text().with_variant(_WithoutNull(collation="C"), "postgresql")
"""Text compared letter by letter and folded from A to Z only, as SQLite does and queries mean."""

metadata = MetaData()

VERSION = 4
"""Raised with every change of a table: a catalog of another version is made anew."""

IDS_PER_STATEMENT = 5_000
"""Bound parameters in one statement; SQLite allows 32,766."""


def batched(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Pieces of at most `IDS_PER_STATEMENT` values."""
    for start in range(0, len(values), IDS_PER_STATEMENT):
        yield values[start : start + IDS_PER_STATEMENT]


state = Table(
    "state",
    metadata,
    Column("key", Words, primary_key=True),
    Column("value", Words, nullable=False),
)

"""``schema``: its version; ``made``: names this making of the catalog, another one after each
rebuild; ``journal``: lines of the journal applied."""

records = Table(
    "records",
    metadata,
    Column("id", Words, primary_key=True),
    Column("source", Words, nullable=False),
    Column("native_id", Words, nullable=False),
    Column("collection", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("fingerprint", Words, nullable=False),
    Column("raw_fingerprint", Words, nullable=False),
    Column("raw_sha256", Words, nullable=False),
    Column("raw_size", BigInteger, nullable=False),
    Column("file_name", Words, nullable=False),
    Column("reader", Words, nullable=False),
    Column("reader_version", Integer, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("origin", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("disagreements", JSON, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("first_seen", Words, nullable=False),
    Column("updated_at", Words, nullable=False),
    Column("told_title", Words, nullable=False, default=""),
    Column("stem", Words, nullable=False),
    Index("records_by_stem", "stem"),
    Index("records_by_source", "source", "native_id", unique=True),
)

headers = Table(
    "headers",
    metadata,
    Column("record_id", Words, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

measurements = Table(
    "measurements",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", Words, nullable=False, unique=True),
    Column("record_id", Words, nullable=False),
    Column("collection", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("array", Words, nullable=False),
    Column("row", Integer, nullable=False),
    Column("layout", JSON, nullable=False),
    Column("composition", JSON, nullable=False),
    Column("targets", JSON, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("changed", Integer, nullable=False),
    Index("measurements_by_record", "record_id"),
    Index("measurements_by_collection", "collection", "live", "id"),
    Index("measurements_by_kind", "live", "collection", "kind"),
    Index("measurements_by_change", "collection", "changed"),
    Index("measurements_by_place", "array", "row", unique=True),
)
"""`number` counts measurements in the order of the journal, so it is the same once the catalog is
made anew; `changed` is the number of the journal line that last touched the row or its facets."""

texts = Table(
    "texts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("owner", Words, nullable=False, unique=True),
    Column("header", Words, nullable=False),
    Column("body", Words, nullable=False),
)

facets = Table(
    "facets",
    metadata,
    Column("measurement", Integer, primary_key=True, autoincrement=False),
    Column("name", Words, primary_key=True),
    Column("text", Words),
    Column("number", Float),
    Column("unit", Words, nullable=False),
    Column("origin", Words, nullable=False),
    Column("told", Words, nullable=False, default=""),
    Index("facets_by_number", "name", "number", "measurement"),
    Index("facets_by_text", "name", "text", "measurement"),
    sqlite_with_rowid=False,
)
"""Facets of measurements by their `number`: integer keys halve the indices and quarter the time
of a filter."""

facts = Table(
    "facts",
    metadata,
    Column("measurement", Integer, primary_key=True, autoincrement=False),
    Column("title", Words, nullable=False),
    Column("facets", JSON, nullable=False),
)
"""What a file told of a measurement where rules of the workspace show it otherwise or not at all;
an empty title is shown as it was told."""

outlines = Table(
    "outlines",
    metadata,
    Column("measurement", Integer, primary_key=True, autoincrement=False),
    Column("channel", Integer, primary_key=True),
    Column("form", Words, nullable=False),
    Column("first", Float, nullable=False),
    Column("second", Float, nullable=False),
    Column("third", Float, nullable=False),
    Index("outlines_by_place", "form", "first", "second", "third", "measurement"),
    sqlite_with_rowid=False,
)
"""By which the same numbers are found in another record, whatever its format."""

facet_names = Table(
    "facet_names",
    metadata,
    Column("name", Words, primary_key=True),
    Column("unit", Words, primary_key=True),
    Column("is_number", Boolean, primary_key=True),
    Column("facets", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many facets have a name and a unit, so that no query scans them to learn the names."""

cursors = Table(
    "cursors",
    metadata,
    Column("source", Words, primary_key=True),
    Column("cursor", Words, nullable=False),
    Column("updated_at", Words, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("source", Words, primary_key=True),
    Column("native_id", Words, primary_key=True),
    Column("title", Words, nullable=False),
    Column("file_name", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("reader", Words, nullable=False),
    Column("first_bytes", Words, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("origin", JSON, nullable=False),
    Column("fingerprint", Words, nullable=False),
    Column("raw_fingerprint", Words, nullable=False),
    Column("readers", Words, nullable=False),
    Column("first_seen", Words, nullable=False),
    Column("last_seen", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
)

derivations = Table(
    "derivations",
    metadata,
    Column("id", Words, primary_key=True),
    Column("stage", Words, nullable=False),
    Column("collection", Words, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("summary", JSON, nullable=False),
    Column("created_at", Words, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("snapshot", Words, nullable=False),
    Column("number", Integer, nullable=False),
    Index("derivations_by_stage", "stage", "collection", "number"),
)

derivation_inputs = Table(
    "derivation_inputs",
    metadata,
    Column("derivation_id", Words, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("input_id", Words, nullable=False),
    Index("derivation_inputs_by_input", "input_id"),
)

remarks = Table(
    "remarks",
    metadata,
    Column("derivation", Words, primary_key=True),
    Column("measurement", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("who", Words, nullable=False),
    Column("at", Words, nullable=False),
    Index("remarks_by_measurement", "measurement", "kind"),
    Index("remarks_by_text", "kind", "text", "measurement"),
)
"""Labels that are on measurements now (kind ``label``), and notes written on them (``note``)."""

runs = Table(
    "runs",
    metadata,
    Column("id", Words, primary_key=True),
    Column("job", Words, nullable=False),
    Column("commands", JSON, nullable=False),
    Column("state", Words, nullable=False),
    Column("started_at", Words, nullable=False),
    Column("finished_at", Words),
    Column("counts", JSON, nullable=False),
    Column("error", Words, nullable=False),
    Column("log", Words, nullable=False),
    Column("pid", Integer, nullable=False),
    Index("runs_by_job", "job", "started_at"),
)

JOURNALED = (
    records,
    headers,
    measurements,
    texts,
    facets,
    facts,
    outlines,
    facet_names,
    cursors,
    quarantine,
    derivations,
    derivation_inputs,
    remarks,
)
"""Tables that the store's journal can rebuild; `runs` is the catalog's own."""
