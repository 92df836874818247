"""Dependencies between records."""

from __future__ import annotations

from collections.abc import Iterable

from motif.ingest.sandbox.access import record_named
from motif.ingest.sandbox.dispatch import Call
from motif.ingest.sandbox.protocol import pb
from motif.ingest.sandbox.refusal import Refused

_TYPES = (pb.DEP_IS_DERIVED_FROM, pb.DEP_IS_COMPONENT_OF, pb.DEP_IS_NEW_VERSION_OF)


def add_dependencies(
    call: Call, record: str, wanted: Iterable[tuple[str, int]], *, single: bool
) -> None:
    """Let `record` depend on others, each given by name and type.

    Args:
        single: at most one dependency between two records, as at creation; else one of each type.

    Raises:
        Refused: given twice, or the record would depend on itself.
    """
    wanted = list(wanted)
    for name, kind in wanted:
        if kind not in _TYPES:
            raise Refused(f"Invalid dependency type {kind}.")
        target = record_named(call, name)["id"]
        known = call.db.execute(
            "SELECT 1 FROM dependency WHERE source = ? AND target = ? AND (? OR type = ?)",
            (record, target, single, kind),
        ).fetchone()
        if known:
            raise Refused(
                "Only one dependency can be defined between any two data records."
                if single
                else "Only one dependency of each type may be defined between any two data records."
            )
        call.db.execute("INSERT INTO dependency VALUES (?, ?, ?)", (record, target, kind))
    if wanted:
        _require_no_circle(call, record)


def remove_dependencies(call: Call, record: str, wanted: Iterable[tuple[str, int]]) -> None:
    """Take dependencies of `record` away.

    Raises:
        Refused: there is no such dependency.
    """
    for name, kind in wanted:
        target = record_named(call, name)["id"]
        gone = call.db.execute(
            "DELETE FROM dependency WHERE source = ? AND target = ? AND type = ?",
            (record, target, kind),
        )
        if not gone.rowcount:
            raise Refused(f"Specified dependency on {target} does not exist.")


def _require_no_circle(call: Call, record: str) -> None:
    circle = call.db.execute(
        """
        WITH RECURSIVE above(id) AS (
            SELECT target FROM dependency WHERE source = :record
            UNION SELECT target FROM dependency JOIN above ON source = above.id
        ) SELECT 1 FROM above WHERE id = :record
        """,
        {"record": record},
    ).fetchone()
    if circle:
        raise Refused(f"Circular dependency detected in references, from {record}")
