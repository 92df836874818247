"""Rows of metadata schemas as messages, and how schemas relate."""

from __future__ import annotations

from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.dispatch import Call
from motif.ingest.sandbox.handlers.users import display_name
from motif.ingest.sandbox.protocol import Message, pb


def schema_name(row: Row) -> str:
    """Give ``id:version``."""
    return f"{row['id']}:{row['version']}"


def uses(call: Call, row: Row) -> int:
    """Give how many records follow the schema."""
    return int(
        call.db.execute(
            "SELECT count(*) FROM item WHERE schema = ?", (schema_name(row),)
        ).fetchone()[0]
    )


def related(call: Call, row: Row, wanted: str, by: str) -> list[str]:
    """Give schemas that this one refers to (`wanted` is target) or that refer to it (source)."""
    rows = call.db.execute(
        f"SELECT {wanted} FROM schema_reference WHERE {by} = ? ORDER BY 1", (schema_name(row),)
    )
    return [name for (name,) in rows]


def newer(call: Call, row: Row) -> bool:
    """Whether there is a later version."""
    found = call.db.execute(
        "SELECT 1 FROM metadata_schema WHERE id = ? AND version > ?", (row["id"], row["version"])
    )
    return found.fetchone() is not None


def schema_data(call: Call, row: Row, *, details: bool = True) -> Message:
    """Give a schema as a message; `details` adds definition and relations."""
    data = pb.SchemaData(
        id=row["id"],
        ver=row["version"],
        depr=newer(call, row),
        cnt=uses(call, row),
        ref=bool(related(call, row, "source", "target")),
        own_id=row["owner"],
        desc=row["description"],
        pub=bool(row["public"]),
        type=row["type"],
        format=row["format"],
    )
    if row["owner"]:
        owner = call.db.execute("SELECT * FROM account WHERE id = ?", (row["owner"],)).fetchone()
        data.own_nm = display_name(owner) if owner else ""
    if details:
        setattr(data, "def", row["definition"])
        for field, names in (
            (data.uses, related(call, row, "target", "source")),
            (data.used_by, related(call, row, "source", "target")),
        ):
            for name in names:
                schema, _, version = name.rpartition(":")
                field.add(id=schema, ver=int(version))
    return data
