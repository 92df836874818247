"""Limits the service imposes, with the values DataFed ships."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask for; a test may loosen or tighten each."""

    items_per_collection: int = 10_000
    """Links a collection may hold."""
    collections_per_owner: int = 50
    """Collections of one user or project, the root not counted."""
    queries_per_user: int = 20
    """Saved queries of one user."""
    projects_per_user: int = 10
    """Projects one user may own."""
    metadata_bytes: int = 1_048_576
    """Length of a record's metadata as JSON; the nominal 102,400 are not enforced upstream."""
    page_size: int = 1_000
    """Largest page of a search."""
    search_items: int = 10_000
    """Searches never reach beyond this many items: a larger offset is moved back silently."""
    tasks_at_once: int = 10
    """Transfer tasks that run at the same time."""
    frame_bytes: int = 16 * 1_048_576
    """Largest frame accepted from a client; a larger one ends its connection."""
    session_seconds: int = 86_400
    """How long a password or token login lasts."""
    allocation_bytes: int = 10**12
    """Data limit of the allocation a new user receives."""
    allocation_records: int = 1_000_000
    """Record limit of the allocation a new user receives."""
