"""A moment of a workspace, as links name it, and what came after it.

Measurements are numbered as they come and never renumbered, and so are the lines of the journal;
two numbers therefore name a moment for good. A pinned view leaves out what is younger: measurements
and results. What was there and has changed since (facets, labels, deletions) is shown as it is now,
and the page says how much that is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from motif.core import schema
from motif.core.remarks import STAGE

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

TEXT = re.compile(r"(\d{1,12})-(\d{1,15})")


@dataclass(frozen=True)
class Pin:
    """A moment: lines of the journal, and the number of the newest measurement."""

    lines: int
    newest: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The moment a link names; None for anything else."""
        found = TEXT.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.lines}-{self.newest}"


@dataclass(frozen=True)
class News:
    """What happened after a moment."""

    since: str
    """When the last thing before it happened, in ISO 8601; empty when nothing had."""
    new: int
    changed: int
    gone: int
    results: int

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone or self.results)


def present(workspace: Workspace) -> Pin:
    """The moment now."""
    number = schema.measurements.c.number
    lines = workspace.catalog.journal_length
    with workspace.catalog.reading() as connection:
        return Pin(lines, int(connection.execute(select(func.max(number))).scalar() or 0))


def known(workspace: Workspace, pin: Pin, collection: str, ids: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the measurements of a collection (n), in order of id, there were at a moment."""
    table = schema.measurements
    younger = select(table.c.id).where(
        table.c.collection == collection,
        table.c.changed >= pin.lines,
        table.c.number > pin.newest,
    )
    with workspace.catalog.reading() as connection:
        new = [one.encode() for one in connection.scalars(younger)]
    return ~np.isin(np.array([one.encode() for one in ids]), new)


def news(workspace: Workspace, pin: Pin) -> News:
    """What happened after a moment."""
    table, results = schema.measurements, schema.derivations
    # Labels and notes are shown as they are now, so they are no news.
    said = select(results.c.number).where(results.c.number >= pin.lines, results.c.stage == STAGE)
    later = select(table.c.number > pin.newest, table.c.live, func.count()).where(
        table.c.changed >= pin.lines, table.c.changed.not_in(said)
    )
    made = select(func.count()).where(results.c.number >= pin.lines, results.c.stage != STAGE)
    with workspace.catalog.reading() as connection:
        rows = connection.execute(later.group_by(table.c.number > pin.newest, table.c.live)).all()
        count = int(connection.execute(made).scalar() or 0)
    numbers = {(bool(young), bool(live)): int(n) for young, live, n in rows}
    return News(
        _moment(workspace, pin), numbers.get((True, True), 0), numbers.get((False, True), 0),
        numbers.get((False, False), 0), count,
    )  # fmt: skip


def _moment(workspace: Workspace, pin: Pin) -> str:
    lines = workspace.store.snapshot().journal(max(pin.lines - 1, 0))
    return str(next(lines, (0, {"at": ""}))[1].get("at", "")) if pin.lines else ""
