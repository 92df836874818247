"""The workspace of a dashboard process, with a cache of what was read from it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache
from threading import Lock, RLock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from motif.core.catalog.database import Derivation
from motif.core.config.config_watch import ConfigWatch
from motif.core.config.settings import Config
from motif.core.errors import NotFoundError
from motif.core.records import content_id
from motif.core.workspace import Workspace
from motif.dashboard.auth import permissions
from motif.dashboard.background.background_commands import BackgroundCommands
from motif.dashboard.background.projection_queue import ProjectionQueue
from motif.dashboard.data.facet_table import FacetTable, table_of
from motif.dashboard.data.point_grid import Placement, place
from motif.dashboard.state import pinned_view
from motif.dashboard.state.pinned_view import News, Pin

T = TypeVar("T")

KEPT = 64
"""Number of cached tables, placements and filter results; the least recently used are dropped."""


class WorkspaceSession:
    """A workspace with a cache that is never out of date.

    Everything read from the catalog is cached under the catalog's version (its journal length), so
    a new ingest is seen at once and nothing is read twice in between.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.settings = ConfigWatch(workspace)
        self.blobs = Blobs()
        self.projections = ProjectionQueue(workspace.root)
        self.background_commands = BackgroundCommands(workspace.root)
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = RLock()

    def close(self) -> None:
        """End the background work of this session and close the workspace."""
        self.projections.close()
        self.workspace.close()

    @property
    def config(self) -> Config:
        """The current settings of motif.toml; those of the workspace are updated."""
        self.settings.refresh()
        return self.workspace.config

    @property
    def version(self) -> int:
        """Grows with every commit to the workspace."""
        return self.workspace.catalog.journal_length

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value cached under `key`, computed on first use."""
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
        return self.keep(("present", self.version), lambda: pinned_view.present(self.workspace))

    def past(self, at: str) -> Pin | None:
        """The moment a view names, if anything happened after it."""
        pin = Pin.parse(at)
        return pin if pin is not None and pin.lines < self.version else None

    def news(self, at: str) -> News | None:
        """What happened after the moment a view names; None for the present."""
        pin = self.past(at)
        if pin is None:
            return None
        return self.keep(("news", pin, self.version), lambda: pinned_view.news(self.workspace, pin))

    def known(self, at: str, collection: str) -> NDArray[np.bool_] | None:
        """Rows of the collection's table that existed at a moment; None for all of them."""
        pin = self.past(at)
        if pin is None:
            return None
        ids = self.table(collection).ids
        return self.keep(
            ("known", pin, collection, self.version),
            lambda: pinned_view.known(self.workspace, pin, collection, ids),
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
        """Results of a stage, oldest first; those that existed at the moment a view names."""
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
            raise NotFoundError(
                f'The result "{identity}" is not a map; open one from the map page.'
            )

        def load() -> Placement:
            arrays = self.workspace.ledger.arrays(made)
            return place(
                identity, [array.decode() for array in arrays["ids"].tolist()], arrays["xy"]
            )

        return self.keep(("placement", identity), load)


@cache
def lab() -> WorkspaceSession:
    """The workspace named by ``MOTIF_WORKSPACE``, opened once per process."""
    session = WorkspaceSession(Workspace.open())
    permissions.read_settings_with(lambda: session.config.dashboard.sign_in)
    return session


LIMIT = 256 * 1024 * 1024


class Blobs:
    """A content-addressed store in memory that drops the least recently used entries."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def put(self, data: bytes) -> str:
        """Hold `data` and return its key."""
        key = content_id(data)
        with self._lock:
            if key not in self._held:
                self._held[key] = data
                self._size += len(data)
            self._held.move_to_end(key)
            while self._size > self._limit and len(self._held) > 1:
                _, dropped = self._held.popitem(last=False)
                self._size -= len(dropped)
        return key

    def get(self, key: str) -> bytes | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)
