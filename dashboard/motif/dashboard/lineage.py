"""Where a measurement comes from and what was made of it, as a graph from left to right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from motif.core.catalog import Derivation, MeasurementRow, RecordRow
from motif.core.remarks import STAGE as LABELS
from motif.dashboard.lab import Lab
from motif.dashboard.links import address
from motif.dashboard.quantities import count, moment
from motif.dashboard.view import View

STAGES = {
    "embedding": "Features", "projection": "Map", "gradients": "Composition study",
    "ensemble-member": "Network", "model-steadiness": "Model, measured",
    "spectral-basis": "Spectral features", "tiles": "Features of parts",
}  # fmt: skip
"""What results are called; others go by their stage."""

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
        mark: ``here`` for the measurement looked at, ``tainted`` for a result made from a record
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
        """As the browser gets it."""
        return {"nodes": [asdict(one) for one in self.nodes], "edges": [[*e] for e in self.edges]}


def lineage(here: Lab, row: MeasurementRow, record: RecordRow) -> Graph:
    """The graph of one measurement; kept until the data change."""
    return here.keep(("lineage", row.id, here.version), lambda: _lineage(here, row, record))


def _lineage(here: Lab, row: MeasurementRow, record: RecordRow) -> Graph:
    nodes, edges = _origins(here, row, record)
    tainted = {
        one.id for one in here.keep(("tainted", here.version), here.workspace.ledger.tainted)
    }
    seen: set[str] = set()
    front = [row.id]
    for layer in range(nodes[-1].layer + 1, nodes[-1].layer + 1 + DEEPEST):
        reached: list[str] = []
        for parent, made in _made_from(here, front):
            fresh = [one for one in made if one.id not in seen]
            edges += [(parent, one.id) for one in made if one.id in seen]
            together = len(fresh) > TOGETHER
            for one in fresh[-1:] if together else fresh:
                harm = one.id in tainted
                nodes.append(
                    _several(fresh, layer) if together else _result(one, layer, harm)
                )  # fmt: skip
                edges.append((parent, one.id))
                reached.append(one.id)
            seen |= {one.id for one in fresh}
        front = reached
    return Graph(tuple(nodes), tuple(dict.fromkeys(edges)))


def _made_from(here: Lab, parents: Sequence[str]) -> Iterator[tuple[str, list[Derivation]]]:
    """What was made from each of some results, stage by stage."""
    for parent in parents:
        by_stage: dict[str, list[Derivation]] = {}
        for one in here.workspace.ledger.made_from(parent):
            if one.stage != LABELS:
                by_stage.setdefault(one.stage, []).append(one)
        for made in by_stage.values():
            yield parent, made


def _origins(
    here: Lab, row: MeasurementRow, record: RecordRow
) -> tuple[list[Node], list[tuple[str, str]]]:
    """What the record depends on, the record, its file and the measurement."""
    origin = record.origin
    depends = [str(one) for one in origin.get("dependencies") or ()][:PARENTS]
    start = 1 if depends else 0
    nodes = [Node(f"depends-{k}", 0, one, ("it depends on",)) for k, one in enumerate(depends)]
    server = str(origin.get("server") or "")
    place = f"{record.source}: {record.native_id}" + (f" on {server}" if server else "")
    tainted = record.id in here.keep(("marked", here.version), here.workspace.marked_records)
    nodes.append(
        Node("record", start, record.title, (place,), "", "tainted" if tainted else "")
    )  # fmt: skip
    edges = [(node.key, "record") for node in nodes[:-1]]
    before, layer = "record", start + 1
    if record.file_name:
        reader = f"read by {record.reader} {record.reader_version}" if record.reader else ""
        about = (reader, f"SHA-256 {record.raw_sha256[:12]}…")
        nodes.append(Node("file", layer, record.file_name, tuple(one for one in about if one)))
        edges.append((before, "file"))
        before, layer = "file", layer + 1
    beside = [one for one in here.workspace.catalog.measurements_of(record.id) if one.id != row.id]
    if beside:
        words = f"{count(len(beside), 'other measurement')} of the file"
        target = address("measurement", View(id=beside[0].id)) if len(beside) == 1 else ""
        nodes.append(Node("beside", layer, words, (), target))
        edges.append((before, "beside"))
    lines = (f"{row.kind} in {row.collection}", f"taken in {moment(record.first_seen)}")
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
        one.id, layer, STAGES.get(one.stage, one.stage), tuple(about), _page(one),
        "tainted" if tainted else "",
    )  # fmt: skip


def _several(ones: Sequence[Derivation], layer: int) -> Node:
    name = STAGES.get(ones[-1].stage, ones[-1].stage)
    newest = f"the newest {moment(ones[-1].created_at)}"
    return Node(ones[-1].id, layer, f"{name} × {len(ones)}", (newest,), _page(ones[-1]))


def _page(one: Derivation) -> str:
    if one.stage == "projection":
        return address("map", View(collection=one.collection, map=one.id))
    if one.stage in ("gradients", "ensemble-member"):
        return address("composition", View(collection=one.collection))
    return ""
