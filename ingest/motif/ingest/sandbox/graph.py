"""The dependency graph around a record."""

from __future__ import annotations

from motif.ingest.sandbox.access import Row, record_named
from motif.ingest.sandbox.dispatch import Call
from motif.ingest.sandbox.documents import listing
from motif.ingest.sandbox.protocol import Message, pb


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
