"""Names and notes of maps, and the list of maps as a tree.

A map never changes, but its name and note do. Every change is a result in the ledger whose input
is the map; the newest is valid and the earlier ones stay readable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.projection.map_points import MAP_STAGE
from motif.core.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

NOTE_STAGE = "map-note"
MAX_NAME, MAX_NOTE = 200, 20_000
"""Characters of a name and of a note."""
MIN_PREFIX = 4
"""Fewest characters of an id by which a map is found."""


@dataclass(frozen=True)
class MapSummary:
    """One map as a list of maps shows it."""

    id: str
    collection: str
    name: str
    note: str
    parent: str
    children: int
    count: int
    dims: int
    preset: str
    by: str
    where: str
    created_at: str
    trustworthiness: float
    neighbourhood_preservation: float

    def document(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return asdict(self)


def map_of(workspace: Workspace, prefix: str, collection: str | None = None) -> Derivation:
    """The only map whose id begins with `prefix`.

    Raises:
        NotFoundError: there is none or more than one, or none of the collection.
    """
    maps = [
        result
        for result in workspace.ledger.all(MAP_STAGE, collection)
        if result.id.startswith(prefix)
    ]
    if len(maps) != 1 or len(prefix) < MIN_PREFIX:
        within = "" if collection is None else f' of "{collection}"'
        many = f"{len(maps)} maps{within} begin" if len(maps) > 1 else f"No map{within} begins"
        raise NotFoundError(f'{many} with "{prefix}"; list them with motif maps list.')
    return maps[0]


def name_of(workspace: Workspace, result: Derivation) -> str:
    """The current name of a map."""
    return _name_and_note(result, _newest_notes(workspace, result.collection).get(result.id))[0]


def note_of(workspace: Workspace, result: Derivation) -> str:
    """The current note of a map; empty where it has none."""
    return _name_and_note(result, _newest_notes(workspace, result.collection).get(result.id))[1]


def rename(workspace: Workspace, result: Derivation, name: str) -> Derivation:
    """Give a map another name."""
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME:
        raise ConfigError(f"The name of a map has 1 to {MAX_NAME} characters, not {len(name)}.")
    return _record(workspace, result, name=name)


def annotate(workspace: Workspace, result: Derivation, note: str) -> Derivation:
    """Attach a note to a map; an empty one removes it."""
    if len(note) > MAX_NOTE:
        raise ConfigError(f"A note has at most {MAX_NOTE:,} characters, not {len(note):,}.")
    return _record(workspace, result, note=note.strip())


def map_summaries(workspace: Workspace, collection: str | None = None) -> list[MapSummary]:
    """Maps, every parent before its children, siblings oldest first."""
    maps = workspace.ledger.all(MAP_STAGE, collection)
    notes = _newest_notes(workspace, collection)
    ids = {result.id for result in maps}
    by_parent: dict[str, list[Derivation]] = {}
    for result in maps:
        parent = str(result.parameters["parent"])
        by_parent.setdefault(parent if parent in ids else "", []).append(result)

    def walk(parent: str) -> Iterable[Derivation]:
        for result in by_parent.get(parent, ()):
            yield result
            yield from walk(result.id)

    return [
        _summary(result, notes.get(result.id), len(by_parent.get(result.id, ())))
        for result in walk("")
    ]


def map_summary(workspace: Workspace, result: Derivation) -> MapSummary:
    """One map as a list of maps shows it."""
    children = workspace.ledger.all(MAP_STAGE, result.collection, parent=result.id)
    note = _newest_notes(workspace, result.collection).get(result.id)
    return _summary(result, note, len(children))


def _summary(result: Derivation, note: Derivation | None, children: int) -> MapSummary:
    name, text = _name_and_note(result, note)
    parameters, summary = result.parameters, result.summary
    return MapSummary(
        id=result.id, collection=result.collection, name=name, note=text,
        parent=str(parameters["parent"]), children=children, count=int(summary["count"]),
        dims=int(parameters["dims"]), preset=str(parameters["preset"]),
        by=str(parameters.get("by", "")), where=str(parameters["where"]),
        created_at=result.created_at, trustworthiness=float(summary["trustworthiness"]),
        neighbourhood_preservation=float(summary["neighbourhood_preservation"]),
    )  # fmt: skip


def _newest_notes(workspace: Workspace, collection: str | None) -> dict[str, Derivation]:
    """Map id -> the newest change of its name or note."""
    notes = workspace.ledger.all(NOTE_STAGE, collection)
    return {str(note.parameters["map"]): note for note in notes}


def _name_and_note(result: Derivation, note: Derivation | None) -> tuple[str, str]:
    if note is None:
        return str(result.summary["name"]), ""
    return str(note.parameters["name"]), str(note.parameters["note"])


def _record(
    workspace: Workspace, result: Derivation, name: str | None = None, note: str | None = None
) -> Derivation:
    previous = _newest_notes(workspace, result.collection).get(result.id)
    current_name, current_note = _name_and_note(result, previous)
    parameters = {
        "map": result.id, "name": current_name if name is None else name,
        "note": current_note if note is None else note,
        # A text that returns later is a new result.
        "after": previous.id if previous else "",
    }  # fmt: skip
    text = np.array([str(parameters["name"]).encode(), str(parameters["note"]).encode()])
    return workspace.ledger.record(
        NOTE_STAGE, result.collection, parameters, [result.id], {"text": text},
        {"map": result.id}, 0.0,
    )  # fmt: skip
