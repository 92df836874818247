"""Records marked with an error taint every result that was made from them.

A mark is a tag of the record (``error_tag`` of its source in ``motif.toml``) or an error
annotation its source tells of. Nothing is stored beside what the record itself says, so the
answer survives a rebuild of the catalog and goes away when the mark does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Text, cast, or_, select

from motif.core import schema
from motif.core.catalog import Catalog, Derivation
from motif.core.records import Facet
from motif.core.schema import batched

FACET = "tainted"
DEFAULT_TAG = "error"
ERROR_MARK = "error"
"""Entry of ``origin["marks"]`` by which a source tells of an error annotation."""
ORIGIN = "record:tags"

ITEMWISE = frozenset({"embedding", "tiles", "placement"})
"""Stages that treat each measurement by itself: one that is marked harms its own row alone."""

STATEMENTS = frozenset({"label", "map-note"})
"""Stages that hold what people said: it stays true of a measurement that is marked."""


def reason(origin: Mapping[str, Any], metadata: Mapping[str, Any], tag: str) -> str:
    """Why a record counts as wrong; empty where it does not."""
    told = [*_texts(origin.get("tags")), *_texts(metadata.get("tags"))]
    if tag.casefold() in map(str.casefold, told):
        return f'tagged "{tag}"'
    if ERROR_MARK in _texts(origin.get("marks")):
        return "annotated with an error"
    return ""


def facets(origin: Mapping[str, Any], metadata: Mapping[str, Any], tag: str) -> list[Facet]:
    """The facet ``tainted`` of a marked record's measurements; a good record has none."""
    return [Facet(FACET, True, ORIGIN)] if reason(origin, metadata, tag) else []


def marked_records(catalog: Catalog, tags: Mapping[str, str]) -> dict[str, str]:
    """Why, by id, of every marked record; deleted ones included, as results may rest on them.

    Args:
        catalog: where the records are.
        tags: the tag that marks a record of a source; elsewhere it is `DEFAULT_TAG`.
    """
    table = schema.records
    hints = {ERROR_MARK, DEFAULT_TAG, *tags.values()}
    spoken = [
        cast(column, Text).icontains(json.dumps(hint)[1:-1], autoescape=True)
        for hint in hints
        for column in (table.c.origin, table.c.metadata)
    ]
    statement = (
        select(table.c.id, table.c.source, table.c.origin, table.c.metadata)
        .where(or_(*spoken))
        .order_by(table.c.id)
    )
    found = {}
    with catalog.reading() as connection:
        for record, source, origin, metadata in connection.execute(statement):
            why = reason(origin, metadata, tags.get(source, DEFAULT_TAG))
            if why:
                found[record] = why
    return found


def measurements_of(catalog: Catalog, records: Collection[str]) -> frozenset[str]:
    """Ids of everything ever measured in these records."""
    table = schema.measurements
    with catalog.reading() as connection:
        return frozenset(
            one
            for part in batched(list(records))
            for one in connection.scalars(select(table.c.id).where(table.c.record_id.in_(part)))
        )


def spread(
    marked: Collection[str],
    made_from: Callable[[Collection[str]], Iterable[Derivation]],
    members: Callable[[Derivation], Collection[str] | None],
) -> dict[str, Derivation]:
    """Every derivation that marked measurements went into, by id.

    Args:
        marked: measurement ids.
        made_from: derivations with one of these ids among their inputs.
        members: measurement ids a derivation holds, None where it does not tell.
    """
    found: dict[str, Derivation] = {}
    front: Collection[str] = marked
    while front:
        reached = {one.id: one for one in made_from(front) if one.id not in found}
        fresh = {
            identity: one
            for identity, one in reached.items()
            if _is_harmed(one, marked, found, members)
        }
        found |= fresh
        front = list(fresh)
    return found


def _is_harmed(
    one: Derivation,
    marked: Collection[str],
    found: Mapping[str, Derivation],
    members: Callable[[Derivation], Collection[str] | None],
) -> bool:
    """Whether more than rows of itemwise results that it does not use are marked."""
    if one.stage in STATEMENTS:
        return False
    bad = [i for i in one.inputs if i in marked or i in found]
    if any(i in marked or found[i].stage not in ITEMWISE for i in bad):
        return True
    held = members(one)
    return held is None or any(i in marked for i in held)


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
