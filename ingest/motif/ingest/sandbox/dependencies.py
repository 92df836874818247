"""Dependencies between records."""

from __future__ import annotations

from collections.abc import Iterable

from motif.ingest.sandbox.access import Row, record_named
from motif.ingest.sandbox.reply_documents import listing
from motif.ingest.sandbox.request_server.faults import Refused
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call

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
        Refused: the dependency does not exist.
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


def dependency_graph(call: Call, start: Row) -> list[Message]:
    """Give the nodes of the graph, the generation of the oldest ancestor being 0.

    A new version of a record is shown but not followed further.
    """
    nodes = {start["id"]: listing(call, start)}
    _ancestors(call, start["id"], nodes)
    _descendants(call, start["id"], nodes)
    oldest = min(node.gen for node in nodes.values())
    for node in nodes.values():
        node.gen -= oldest
    return list(nodes.values())


def _ancestors(call: Call, start: str, nodes: dict[str, Message]) -> None:
    level, generation = [start], 0
    while level:
        above = []
        generation -= 1
        for record in level:
            nodes[record].deps_avail = True
            for row in call.db.execute(
                "SELECT target, type FROM dependency WHERE source = ? ORDER BY target", (record,)
            ).fetchall():
                nodes[record].dep.append(
                    pb.DependencyData(id=row["target"], type=row["type"], dir=pb.DIR_OUT)
                )
                if row["target"] in nodes:
                    continue
                nodes[row["target"]] = _node(call, row["target"], generation)
                if row["type"] != pb.DEP_IS_NEW_VERSION_OF:
                    above.append(row["target"])
        level = above


def _descendants(call: Call, start: str, nodes: dict[str, Message]) -> None:
    level, generation = [start], 0
    while level:
        below = []
        generation += 1
        for record in level:
            for row in call.db.execute(
                "SELECT source, type FROM dependency WHERE target = ? ORDER BY source", (record,)
            ).fetchall():
                if row["source"] in nodes:
                    continue
                node = _node(call, row["source"], generation)
                node.deps_avail = True
                node.dep.append(pb.DependencyData(id=record, type=row["type"], dir=pb.DIR_IN))
                nodes[row["source"]] = node
                if row["type"] != pb.DEP_IS_NEW_VERSION_OF:
                    below.append(row["source"])
        level = below


def _node(call: Call, record: str, generation: int) -> Message:
    node = listing(call, record_named(call, record))
    node.gen = generation
    return node
