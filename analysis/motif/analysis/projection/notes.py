"""Names and notes of maps, and the list of maps as a tree.

A map never changes; what people call it does. Every change is a result of the ledger whose input
is the map, so the newest holds and the earlier ones stay readable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.projection.choosing import STAGE as MAP
from motif.core.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from motif.core.catalog import Derivation
    from motif.core.workspace import Workspace

STAGE = "map-note"
LONGEST_NAME, LONGEST_NOTE = 200, 20_000
SHORTEST = 4
"""Digits of an id that are enough to ask for a map."""


@dataclass(frozen=True)
class Card:
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
        """As the command line prints it."""
        return asdict(self)


def map_of(workspace: Workspace, identity: str, collection: str | None = None) -> Derivation:
    """The map of this id, or the only one whose id begins so.

    Raises:
        NotFoundError: there is none, or none of the collection.
    """
    found = [one for one in workspace.ledger.all(MAP, collection) if one.id.startswith(identity)]
    if len(found) != 1 or len(identity) < SHORTEST:
        place = "" if collection is None else f' of "{collection}"'
        many = f"{len(found)} maps{place} begin" if len(found) > 1 else f"No map{place} begins"
        raise NotFoundError(f'{many} with "{identity}"; list them with motif maps list.')
    return found[0]


def name_of(workspace: Workspace, made: Derivation) -> str:
    """What a map is called now."""
    return _told(made, _newest(workspace, made.collection).get(made.id))[0]


def note_of(workspace: Workspace, made: Derivation) -> str:
    """What was noted of a map last; empty where nothing was."""
    return _told(made, _newest(workspace, made.collection).get(made.id))[1]


def rename(workspace: Workspace, made: Derivation, name: str) -> Derivation:
    """Call a map `name` from now on."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise ConfigError(f"A map's name has 1 to {LONGEST_NAME} characters, not {len(name)}.")
    return _record(workspace, made, name=name)


def annotate(workspace: Workspace, made: Derivation, note: str) -> Derivation:
    """Keep a note with a map; an empty one takes the note away."""
    if len(note) > LONGEST_NOTE:
        raise ConfigError(f"A note has at most {LONGEST_NOTE:,} characters, not {len(note):,}.")
    return _record(workspace, made, note=note.strip())


def cards(workspace: Workspace, collection: str | None = None) -> list[Card]:
    """Maps, every parent before its children, siblings oldest first."""
    made = workspace.ledger.all(MAP, collection)
    newest = _newest(workspace, collection)
    below: dict[str, list[Derivation]] = {}
    known = {one.id for one in made}
    for one in made:
        parent = str(one.parameters["parent"])
        below.setdefault(parent if parent in known else "", []).append(one)

    def walk(parent: str) -> Iterable[Derivation]:
        for one in below.get(parent, ()):
            yield one
            yield from walk(one.id)

    return [_card(one, newest.get(one.id), len(below.get(one.id, ()))) for one in walk("")]


def card(workspace: Workspace, made: Derivation) -> Card:
    """One map as a list of maps shows it."""
    children = workspace.ledger.all(MAP, made.collection, parent=made.id)
    return _card(made, _newest(workspace, made.collection).get(made.id), len(children))


def _card(made: Derivation, told: Derivation | None, children: int) -> Card:
    name, note = _told(made, told)
    parameters, summary = made.parameters, made.summary
    return Card(
        id=made.id, collection=made.collection, name=name, note=note,
        parent=str(parameters["parent"]), children=children, count=int(summary["count"]),
        dims=int(parameters["dims"]), preset=str(parameters["preset"]),
        by=str(parameters.get("by", "")), where=str(parameters["where"]),
        created_at=made.created_at, trustworthiness=float(summary["trustworthiness"]),
        neighbourhood_preservation=float(summary["neighbourhood_preservation"]),
    )  # fmt: skip


def _newest(workspace: Workspace, collection: str | None) -> dict[str, Derivation]:
    made = workspace.ledger.all(STAGE, collection)
    return {str(one.parameters["map"]): one for one in made}


def _told(made: Derivation, told: Derivation | None) -> tuple[str, str]:
    if told is None:
        return str(made.summary["name"]), ""
    return str(told.parameters["name"]), str(told.parameters["note"])


def _record(
    workspace: Workspace, made: Derivation, name: str | None = None, note: str | None = None
) -> Derivation:
    before = _newest(workspace, made.collection).get(made.id)
    own_name, own_note = _told(made, before)
    parameters = {
        "map": made.id, "name": own_name if name is None else name,
        "note": own_note if note is None else note,
        # Makes the same words a new result when they come back later.
        "after": before.id if before else "",
    }  # fmt: skip
    text = np.array([str(parameters["name"]).encode(), str(parameters["note"]).encode()])
    return workspace.ledger.record(
        STAGE, made.collection, parameters, [made.id], {"text": text}, {"map": made.id}, 0.0
    )
