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
    """Text without the character 0, which PostgreSQL cannot store."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and value.replace("\0", "")


Words = Text().with_variant(_WithoutNull(collation="C"), "postgresql")
"""Text compared by code points, case folded from A to Z only: SQLite's rules on both."""

metadata = MetaData()

VERSION = 5
"""Raised with every change of a table: a catalog of another version is rebuilt from the journal."""

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
"""``schema``: its version; ``build``: a random id of this build of the catalog, new after each
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
    Column("warnings", JSON, nullable=False),
    Column("disagreements", JSON, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("first_seen", Words, nullable=False),
    Column("updated_at", Words, nullable=False),
    Column("raw_title", Words, nullable=False, default=""),
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
"""`number` counts measurements in the order of the journal, so it is the same after the catalog is
rebuilt; `changed` is the number of the journal line that last touched the row or its facets."""

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
    Column("raw_text", Words, nullable=False, default=""),
    Index("facets_by_number", "name", "number", "measurement"),
    Index("facets_by_text", "name", "text", "measurement"),
    sqlite_with_rowid=False,
)
"""Facets by the `number` of their measurement: integer keys halve the indices and quarter the time
of a filter."""

raw_facets = Table(
    "raw_facets",
    metadata,
    Column("measurement", Integer, primary_key=True, autoincrement=False),
    Column("title", Words, nullable=False),
    Column("facets", JSON, nullable=False),
)
"""Title and facets as their file states them, where the workspace's rules show them differently or
not at all; an empty title is shown as the file states it."""

content_signatures = Table(
    "content_signatures",
    metadata,
    Column("measurement", Integer, primary_key=True, autoincrement=False),
    Column("channel", Integer, primary_key=True),
    Column("form", Words, nullable=False),
    Column("first", Float, nullable=False),
    Column("second", Float, nullable=False),
    Column("third", Float, nullable=False),
    Index("content_signatures_by_place", "form", "first", "second", "third", "measurement"),
    sqlite_with_rowid=False,
)
"""Three numbers per channel by which the same values are found in another record."""

facet_names = Table(
    "facet_names",
    metadata,
    Column("name", Words, primary_key=True),
    Column("unit", Words, primary_key=True),
    Column("is_number", Boolean, primary_key=True),
    Column("facets", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""Number of facets by name and unit, so that no query has to scan the facets for names."""

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

measurement_annotations = Table(
    "annotations",
    metadata,
    Column("derivation", Words, primary_key=True),
    Column("measurement", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("who", Words, nullable=False),
    Column("at", Words, nullable=False),
    Index("annotations_by_measurement", "measurement", "kind"),
    Index("annotations_by_text", "kind", "text", "measurement"),
)
"""Present labels of measurements (kind ``label``), and their notes (kind ``note``)."""

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

fetch_failures = Table(
    "fetch_failures",
    metadata,
    Column("source", Text, primary_key=True),
    Column("native_id", Text, primary_key=True),
    Column("raw_fingerprint", Text, nullable=False),
    Column("runs", Integer, nullable=False),
)
"""Number of syncs in which a file could not be fetched, as long as its raw data do not change."""

JOURNALED = (
    records,
    headers,
    measurements,
    texts,
    facets,
    raw_facets,
    content_signatures,
    facet_names,
    cursors,
    quarantine,
    derivations,
    derivation_inputs,
    measurement_annotations,
)
"""Tables that the store's journal can rebuild, unlike `runs` and `fetch_failures`."""
