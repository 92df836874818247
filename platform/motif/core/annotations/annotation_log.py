"""Labels and notes that people add to measurements: who added what, when, and what is valid now.

Each change is a result of the stage ``label``: its inputs are the measurements, its parameters
state what was added or removed, by whom and when. So changes are kept in the store's journal as
every result is; the catalog indexes the labels and notes that are valid now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from motif.core.catalog import tables
from motif.core.catalog.database import Catalog, now
from motif.core.catalog.journal_format import ANNOTATION_STAGE, NOTE
from motif.core.catalog.rows import Derivation
from motif.core.catalog.tables import batched
from motif.core.errors import ConfigError
from motif.core.query import LABEL

if TYPE_CHECKING:
    from motif.core.workspace import Workspace


import getpass

__all__ = ["NOTE", "STAGE", "Annotation", "add_label", "add_note", "annotations_of", "labels_of",
           "remove_label"]  # fmt: skip

STAGE = ANNOTATION_STAGE
MAX_LENGTH = {LABEL: 60, NOTE: 4000}
"""Characters by kind."""


@dataclass(frozen=True)
class Annotation:
    """A label or a note on a measurement.

    Attributes:
        kind: ``label`` or ``note``.
        text: of the label or note.
        who: the account that added it.
        at: ISO 8601 time in UTC.
        derivation: id of the result it is stored as.
    """

    kind: str
    text: str
    who: str
    at: str
    derivation: str


def add_label(workspace: Workspace, ids: Sequence[str], text: str, who: str) -> Derivation:
    """Add a label to measurements of one collection; `ConfigError` for text that cannot be one."""
    return _record(workspace, ids, "add", LABEL, text, who)


def remove_label(workspace: Workspace, ids: Sequence[str], text: str, who: str) -> Derivation:
    """Remove a label from measurements of one collection, whoever added it."""
    return _record(workspace, ids, "remove", LABEL, text, who)


def add_note(workspace: Workspace, ids: Sequence[str], text: str, who: str) -> Derivation:
    """Add a note to measurements of one collection."""
    return _record(workspace, ids, "add", NOTE, text, who)


def annotations_of(catalog: Catalog, ids: Sequence[str]) -> dict[str, list[Annotation]]:
    """Measurement id -> its labels and notes, oldest first; only measurements that have any."""
    table = tables.measurement_annotations
    statement = select(table).order_by(table.c.at, table.c.derivation)
    annotations_by_id: dict[str, list[Annotation]] = {}
    with catalog.reading() as connection:
        for part in batched(ids):
            for row in connection.execute(statement.where(table.c.measurement.in_(part))):
                annotation = Annotation(row.kind, row.text, row.who, row.at, row.derivation)
                annotations_by_id.setdefault(row.measurement, []).append(annotation)
    return annotations_by_id


def labels_of(annotated: Sequence[Annotation]) -> list[str]:
    """The distinct labels among annotations, in order."""
    return sorted({each.text for each in annotated if each.kind == LABEL})


def _record(
    workspace: Workspace, ids: Sequence[str], action: str, kind: str, text: str, who: str
) -> Derivation:
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise ConfigError("No measurement is chosen; choose some first.")
    parameters = {"action": action, kind: _printable(text, kind), "who": who, "at": now()}
    live = {row.id: row for row in workspace.select(ids=chosen)}
    deleted = [workspace.measurement(identity) for identity in chosen if identity not in live]
    collections = {row.collection for row in (*live.values(), *deleted)}
    if len(collections) > 1:
        raise ConfigError(
            f"These {len(chosen)} measurements belong to {len(collections)} collections "
            f"({', '.join(sorted(collections))}); choose measurements of one collection."
        )
    summary = {"count": len(chosen)}
    return workspace.ledger.record(STAGE, collections.pop(), parameters, chosen, {}, summary, 0.0)


def _printable(text: str, kind: str) -> str:
    """The text without invisible characters; `ConfigError` when it is then empty or too long."""
    kept = "\n" if kind == NOTE else ""
    visible = "".join(
        character for character in text if character.isprintable() or character in kept
    ).strip()
    if not visible or len(visible) > MAX_LENGTH[kind]:
        raise ConfigError(
            f"A {kind} has 1 to {MAX_LENGTH[kind]} characters; this one has {len(visible)}."
        )
    return visible


def account() -> str:
    """The account this process runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "unknown"
