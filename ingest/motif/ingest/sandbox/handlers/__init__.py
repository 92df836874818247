"""Handlers of request messages, one module a topic."""

from __future__ import annotations

from importlib import import_module

_MODULES = (
    "authentication",
    "users",
    "records",
    "batch",
    "export",
    "collections",
    "contents",
    "data",
    "tasks",
    "search",
    "queries",
    "projects",
    "repositories",
    "allocations",
    "sharing",
    "groups",
    "schemas",
    "notes",
    "tags",
)


def load() -> None:
    """Import every module, which fills the dispatch table."""
    for name in _MODULES:
        import_module(f"{__name__}.{name}")
