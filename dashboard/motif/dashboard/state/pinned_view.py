"""A moment of a workspace, as links name it, and what was added after it.

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

from motif.core.catalog.catalog_queries import (
    changes_since,
    ids_added_since,
    newest_measurement,
)

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
        """The moment a link names; None if the text is invalid."""
        found = TEXT.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.lines}-{self.newest}"


@dataclass(frozen=True)
class News:
    """Changes of a workspace after a moment."""

    since: str
    """Time of the last entry before the moment, in ISO 8601; empty without any."""
    new: int
    changed: int
    gone: int
    results: int

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone or self.results)


def present(workspace: Workspace) -> Pin:
    """The moment now."""
    return Pin(workspace.catalog.journal_length, newest_measurement(workspace.catalog))


def known(workspace: Workspace, pin: Pin, collection: str, ids: Sequence[str]) -> NDArray[np.bool_]:
    """Mask (n,) of the measurements of a collection, in order of id, that existed at a moment."""
    new = ids_added_since(workspace.catalog, collection, pin.lines, pin.newest)
    return ~np.isin(
        np.array([identity.encode() for identity in ids]),
        [identity.encode() for identity in new],
    )


def news(workspace: Workspace, pin: Pin) -> News:
    """Changes of a workspace after a moment."""
    changes = changes_since(workspace.catalog, pin.lines, pin.newest)
    return News(
        _moment(workspace, pin), changes.new, changes.updated, changes.deleted, changes.results
    )


def _moment(workspace: Workspace, pin: Pin) -> str:
    lines = workspace.store.snapshot().journal(max(pin.lines - 1, 0))
    return str(next(lines, (0, {"at": ""}))[1].get("at", "")) if pin.lines else ""
