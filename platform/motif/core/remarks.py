"""Labels and notes that people put on measurements: who, when, and what is on them now.

Each is a derivation of the stage ``label``: inputs are the measurements, parameters say what was
put on or taken off, by whom and when. So they lie in the store's journal as every result does;
the catalog keeps what is on each measurement now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select, update

from motif.core import schema
from motif.core.catalog import Catalog, Derivation, now
from motif.core.errors import ConfigError
from motif.core.query import LABEL
from motif.core.schema import batched

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

STAGE = "label"
NOTE = "note"
LONGEST = {LABEL: 60, NOTE: 4000}
"""Most characters of each kind."""


@dataclass(frozen=True)
class Remark:
    """A label or a note on a measurement.

    Attributes:
        kind: ``label`` or ``note``.
        at: ISO 8601 time in UTC.
        derivation: the result that holds it.
    """

    kind: str
    text: str
    who: str
    at: str
    derivation: str


def put_label(workspace: Workspace, ids: Sequence[str], text: str, who: str) -> Derivation:
    """Put a label on measurements of one collection; `ConfigError` for what is no label."""
    return _record(workspace, ids, "put", LABEL, text, who)


def take_label(workspace: Workspace, ids: Sequence[str], text: str, who: str) -> Derivation:
    """Take a label off measurements, whoever put it on."""
    return _record(workspace, ids, "take", LABEL, text, who)


def put_note(workspace: Workspace, ids: Sequence[str], text: str, who: str) -> Derivation:
    """Write a note on measurements of one collection."""
    return _record(workspace, ids, "put", NOTE, text, who)


def remarks_on(catalog: Catalog, ids: Sequence[str]) -> dict[str, list[Remark]]:
    """Measurement id -> labels and notes on it, oldest first; those without any are left out."""
    table = schema.remarks
    asked = select(table).order_by(table.c.at, table.c.derivation)
    found: dict[str, list[Remark]] = {}
    with catalog.reading() as connection:
        for part in batched(ids):
            for row in connection.execute(asked.where(table.c.measurement.in_(part))):
                remark = Remark(row.kind, row.text, row.who, row.at, row.derivation)
                found.setdefault(row.measurement, []).append(remark)
    return found


def labels_of(remarks: Sequence[Remark]) -> list[str]:
    """The labels among remarks, each once, in order."""
    return sorted({one.text for one in remarks if one.kind == LABEL})


def labels_in(connection: Connection, collection: str, since: int = 0) -> dict[str, list[str]]:
    """Measurement id -> labels, in order, of those changed since a journal line."""
    table, measurements = schema.remarks, schema.measurements
    here = [measurements.c.collection == collection, measurements.c.live]
    here += [measurements.c.changed >= since] if since else []
    asked = (
        select(table.c.measurement, table.c.text)
        .distinct()
        .join(measurements, measurements.c.id == table.c.measurement)
        .where(table.c.kind == LABEL, *here)
        .order_by(table.c.measurement, table.c.text)
    )
    found: dict[str, list[str]] = {}
    for identity, text in connection.execute(asked):
        found.setdefault(identity, []).append(text)
    return found


def apply(connection: Connection, number: int, row: Mapping[str, Any], ids: Sequence[str]) -> None:
    """Apply a journaled derivation of the stage ``label``, of line `number`, to the catalog."""
    table, measurements, told = schema.remarks, schema.measurements, row["parameters"]
    kind = LABEL if LABEL in told else NOTE
    if told["action"] == "take":
        of_this = (table.c.kind == kind, table.c.text == told[kind])
        for part in batched(ids):
            connection.execute(delete(table).where(table.c.measurement.in_(part), *of_this))
    else:
        remark = {"derivation": row["id"], "kind": kind, "text": told[kind]}
        said = {"who": told["who"], "at": told["at"]}
        connection.execute(insert(table), [{**remark, **said, "measurement": one} for one in ids])
    for part in batched(ids):
        connection.execute(
            update(measurements).where(measurements.c.id.in_(part)).values(changed=number)
        )


def _record(
    workspace: Workspace, ids: Sequence[str], action: str, kind: str, text: str, who: str
) -> Derivation:
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise ConfigError("No measurement is chosen; choose some first.")
    said = {"action": action, kind: _checked(text, kind), "who": who, "at": now()}
    rows = {one.id: one for one in workspace.select(ids=chosen)}
    gone = [workspace.measurement(one) for one in chosen if one not in rows]
    collections = {one.collection for one in (*rows.values(), *gone)}
    if len(collections) > 1:
        raise ConfigError(
            f"These {len(chosen)} measurements are of {len(collections)} collections "
            f"({', '.join(sorted(collections))}); choose those of one."
        )
    summary = {"count": len(chosen)}
    return workspace.ledger.record(STAGE, collections.pop(), said, chosen, {}, summary, 0.0)


def _checked(text: str, kind: str) -> str:
    """The words without what cannot be seen; `ConfigError` when nothing or too much is left."""
    kept = "\n" if kind == NOTE else ""
    seen = "".join(c for c in text if c.isprintable() or c in kept).strip()
    if not seen or len(seen) > LONGEST[kind]:
        raise ConfigError(f"Write 1 to {LONGEST[kind]} characters; these are {len(seen)}.")
    return seen
