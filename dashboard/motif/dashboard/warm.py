"""Loads what the first visitor would otherwise wait for, while the server starts."""

from __future__ import annotations

import importlib
import logging
from threading import Thread

HEAVY = (
    "motif.dashboard.pages.maps",
    "motif.dashboard.pages.search",
    "motif.dashboard.pages.composition",
    "motif.analysis.composition.preparation",
)
"""Modules that bring plotly, faiss and torch: seconds, when they are loaded on demand."""

_log = logging.getLogger(__name__)


def warm_up() -> Thread:
    """Import the pages and read the facet tables in a thread of their own."""
    thread = Thread(target=_load, name="warm-up", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    from motif.dashboard.lab import lab

    try:
        here = lab()
        here.workshop.open()
        for collection in here.collections():
            here.table(collection)
        for module in HEAVY:
            importlib.import_module(module)
    except Exception:
        # The pages themselves say what is wrong, to the person who opens them.
        _log.warning("The dashboard could not be warmed up", exc_info=True)
