"""The provenance of a measurement as a graph: its record, itself, and the results made from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from motif.core.annotations.annotation_log import STAGE as LABELS
from motif.core.catalog.database import Derivation, MeasurementRow, RecordRow
from motif.core.provenance.stages import stage
from motif.dashboard.data.number_format import count, moment
from motif.dashboard.state.current_view import address
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession

TOGETHER = 3
"""Results of one stage from the same inputs that are drawn one by one; more are drawn as one."""
DEEPEST = 5
"""Steps from the measurement that are followed."""
PARENTS = 4


@dataclass(frozen=True)
class Node:
    """One box of the graph.

    Attributes:
        layer: column, 0 leftmost.
        href: address within the dashboard; empty where there is no page of it.
        mark: ``here`` for the measurement shown, ``tainted`` for a result made from a record
            marked with an error, else empty.
    """

    key: str
    layer: int
    title: str
    lines: tuple[str, ...] = ()
    href: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Graph:
    """Boxes, and arrows between their keys."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, Any]:
        """The JSON form sent to the browser."""
        return {"nodes": [asdict(box) for box in self.nodes], "edges": [[*e] for e in self.edges]}


def lineage(session: WorkspaceSession, row: MeasurementRow, record: RecordRow) -> Graph:
    """The graph of one measurement; kept until the data change."""
    return session.keep(
        ("lineage", row.id, session.version), lambda: _lineage(session, row, record)
    )


def _lineage(session: WorkspaceSession, row: MeasurementRow, record: RecordRow) -> Graph:
    nodes, edges = _origins(session, row, record)
    tainted = {
        result.id
        for result in session.keep(("tainted", session.version), session.workspace.ledger.tainted)
    }
    seen: set[str] = set()
    front = [row.id]
    for layer in range(nodes[-1].layer + 1, nodes[-1].layer + 1 + DEEPEST):
        reached: list[str] = []
        for parent, made in _made_from(session, front):
            fresh = [result for result in made if result.id not in seen]
            edges += [(parent, result.id) for result in made if result.id in seen]
            together = len(fresh) > TOGETHER
            for result in fresh[-1:] if together else fresh:
                harm = result.id in tainted
                nodes.append(
                    _several(fresh, layer) if together else _result(result, layer, harm)
                )  # fmt: skip
                edges.append((parent, result.id))
                reached.append(result.id)
            seen |= {result.id for result in fresh}
        front = reached
    return Graph(tuple(nodes), tuple(dict.fromkeys(edges)))


def _made_from(
    session: WorkspaceSession, parents: Sequence[str]
) -> Iterator[tuple[str, list[Derivation]]]:
    """The results derived from each of some results, stage by stage."""
    for parent in parents:
        by_stage: dict[str, list[Derivation]] = {}
        for result in session.workspace.ledger.derived_from(parent):
            if result.stage != LABELS:
                by_stage.setdefault(result.stage, []).append(result)
        for made in by_stage.values():
            yield parent, made


def _origins(
    session: WorkspaceSession, row: MeasurementRow, record: RecordRow
) -> tuple[list[Node], list[tuple[str, str]]]:
    """What the record depends on, the record, its file and the measurement."""
    origin = record.origin
    depends = [str(dependency) for dependency in origin.get("dependencies") or ()][:PARENTS]
    start = 1 if depends else 0
    nodes = [
        Node(f"depends-{k}", 0, dependency, ("it depends on",))
        for k, dependency in enumerate(depends)
    ]
    server = str(origin.get("server") or "")
    place = f"{record.source}: {record.native_id}" + (f" on {server}" if server else "")
    tainted = record.id in session.keep(
        ("marked", session.version), session.workspace.marked_records
    )
    nodes.append(
        Node("record", start, record.title, (place,), "", "tainted" if tainted else "")
    )  # fmt: skip
    edges = [(node.key, "record") for node in nodes[:-1]]
    before, layer = "record", start + 1
    if record.file_name:
        reader = f"read by {record.reader} {record.reader_version}" if record.reader else ""
        about = (reader, f"SHA-256 {record.raw_sha256[:12]}…")
        nodes.append(Node("file", layer, record.file_name, tuple(line for line in about if line)))
        edges.append((before, "file"))
        before, layer = "file", layer + 1
    siblings = [
        sibling
        for sibling in session.workspace.catalog.measurements_of(record.id)
        if sibling.id != row.id
    ]
    if siblings:
        words = f"{count(len(siblings), 'other measurement')} of the file"
        target = address("measurement", View(id=siblings[0].id)) if len(siblings) == 1 else ""
        nodes.append(Node("siblings", layer, words, (), target))
        edges.append((before, "siblings"))
    lines = (f"{row.kind} in {row.collection}", f"ingested {moment(record.first_seen)}")
    nodes.append(Node(row.id, layer, row.title, lines, "", "here"))
    return nodes, [*edges, (before, row.id)]


def _result(one: Derivation, layer: int, tainted: bool) -> Node:
    name = str(one.summary.get("name") or one.parameters.get("extractor") or "")
    number = one.summary.get("count") or one.summary.get("samples")
    about = [name] if name else []
    noun = "part" if one.stage == "tiles" else "measurement"
    about += [f"of {count(number, noun)}"] if isinstance(number, int) else []
    about.append(f"{moment(one.created_at)} · {one.id[:8]}")
    return Node(
        one.id, layer, stage(one.stage).title, tuple(about), _page(one),
        "tainted" if tainted else "",
    )  # fmt: skip


def _several(ones: Sequence[Derivation], layer: int) -> Node:
    name = stage(ones[-1].stage).title
    newest = f"the newest {moment(ones[-1].created_at)}"
    return Node(ones[-1].id, layer, f"{name} × {len(ones)}", (newest,), _page(ones[-1]))


def _page(one: Derivation) -> str:
    """Address of the page of the dashboard that shows a result; empty for none."""
    page = stage(one.stage).page
    if page == "map":
        return address("map", View(collection=one.collection, map=one.id))
    return address("composition", View(collection=one.collection)) if page == "composition" else ""
