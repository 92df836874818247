"""The one workspace a dashboard process shows, and what it keeps at hand of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache
from threading import RLock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from motif.core.catalog import Derivation
from motif.core.config import Config
from motif.core.errors import NotFoundError
from motif.core.following import Follower
from motif.core.workspace import Workspace
from motif.dashboard import pins
from motif.dashboard.blobs import Blobs
from motif.dashboard.errands import Errands
from motif.dashboard.facets import FacetTable, table_of
from motif.dashboard.pins import News, Pin
from motif.dashboard.placement import Placement, place
from motif.dashboard.workshop import Workshop

T = TypeVar("T")

KEPT = 64
"""Tables, placements and filter results kept in memory, the least recently used dropped."""


class Lab:
    """A workspace with a memory that never outlives what it remembers.

    Everything read from the catalog is kept under the catalog's version (its journal length), so
    a new ingest is seen at once and nothing is read twice in between.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.settings = Follower(workspace)
        self.blobs = Blobs()
        self.workshop = Workshop(workspace.root)
        self.errands = Errands(workspace.root)
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = RLock()

    def close(self) -> None:
        """End what works for this lab and close the workspace."""
        self.workshop.close()
        self.workspace.close()

    @property
    def config(self) -> Config:
        """The settings as motif.toml has them now; the workspace's own are brought up to date."""
        self.settings.look()
        return self.workspace.config

    @property
    def version(self) -> int:
        """Grows with every commit to the workspace."""
        return self.workspace.catalog.journal_length

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value kept under `key`, made on first use."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                held: T = self._kept[key]
                return held
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made

    def collections(self) -> dict[str, dict[str, int]]:
        """Collection -> kind -> number of measurements."""
        return self.keep(("collections", self.version), self.workspace.catalog.collections)

    def present(self) -> Pin:
        """The moment now."""
        return self.keep(("present", self.version), lambda: pins.present(self.workspace))

    def past(self, at: str) -> Pin | None:
        """The moment a view names, if anything happened after it."""
        pin = Pin.parse(at)
        return pin if pin is not None and pin.lines < self.version else None

    def news(self, at: str) -> News | None:
        """What happened after the moment a view names; None for the present."""
        pin = self.past(at)
        if pin is None:
            return None
        return self.keep(("news", pin, self.version), lambda: pins.news(self.workspace, pin))

    def known(self, at: str, collection: str) -> NDArray[np.bool_] | None:
        """Rows of the collection's table that there were at a moment; None for all of them."""
        pin = self.past(at)
        if pin is None:
            return None
        ids = self.table(collection).ids
        return self.keep(
            ("known", pin, collection, self.version),
            lambda: pins.known(self.workspace, pin, collection, ids),
        )

    def table(self, collection: str) -> FacetTable:
        """Facets of a collection as they are now."""
        return self.keep(
            ("table", collection, self.version),
            lambda: table_of(self.workspace.columns(collection)),
        )

    def derivations(
        self, stage: str, collection: str | None = None, at: str = ""
    ) -> list[Derivation]:
        """Results of a stage, oldest first; those there were at the moment a view names."""
        found = self.keep(
            ("derivations", stage, collection, self.version),
            lambda: self.workspace.ledger.all(stage, collection),
        )
        pin = self.past(at)
        return found if pin is None else [one for one in found if one.number < pin.lines]

    def derivation(self, identity: str) -> Derivation:
        """One result; results never change, so it is kept without a version."""
        return self.keep(("derivation", identity), lambda: self.workspace.ledger.get(identity))

    def array(self, identity: str, name: str) -> Any:
        """One array of a result."""
        made = self.derivation(identity)
        return self.keep(
            ("array", identity, name), lambda: self.workspace.ledger.arrays(made)[name]
        )

    def placement(self, identity: str) -> Placement:
        """A projection's points in the order the browser holds them."""
        made = self.derivation(identity)
        if made.stage != "projection":
            raise NotFoundError(f'The result "{identity}" is no map; open one from the map page.')

        def load() -> Placement:
            arrays = self.workspace.ledger.arrays(made)
            return place(identity, [one.decode() for one in arrays["ids"].tolist()], arrays["xy"])

        return self.keep(("placement", identity), load)


@cache
def lab() -> Lab:
    """The workspace named by ``MOTIF_WORKSPACE``, opened once per process."""
    return Lab(Workspace.open())
