"""Records marked with an error taint every result that was computed from them.

A mark is a tag of the record (``error_tag`` of its source in ``motif.toml``) or an error
annotation that its source reports. Nothing is stored except the record's own metadata, so marks
survive a rebuild of the catalog and end when the tag is removed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Text, cast, or_, select

from motif.core.catalog import tables
from motif.core.catalog.database import Catalog
from motif.core.catalog.rows import Derivation
from motif.core.provenance.stages import itemwise_stages, statement_stages
from motif.core.records import Facet

FACET = "tainted"
DEFAULT_TAG = "error"
ERROR_MARK = "error"
"""Entry of ``origin["marks"]`` by which a source reports an error annotation."""
ORIGIN = "record:tags"


def reason(origin: Mapping[str, Any], metadata: Mapping[str, Any], tag: str) -> str:
    """Why a record counts as wrong; empty where it does not."""
    tags = [*_texts(origin.get("tags")), *_texts(metadata.get("tags"))]
    if tag.casefold() in map(str.casefold, tags):
        return f'tagged "{tag}"'
    if ERROR_MARK in _texts(origin.get("marks")):
        return "annotated with an error"
    return ""


def facets(origin: Mapping[str, Any], metadata: Mapping[str, Any], tag: str) -> list[Facet]:
    """The facet ``tainted`` of a marked record's measurements; none for other records."""
    return [Facet(FACET, True, ORIGIN)] if reason(origin, metadata, tag) else []


def marked_records(catalog: Catalog, tags: Mapping[str, str]) -> dict[str, str]:
    """Id -> reason of every marked record, deleted ones included, as results may rest on them.

    Args:
        catalog: where the records are.
        tags: source -> the tag that marks its records; `DEFAULT_TAG` for sources not named.
    """
    table = tables.records
    hints = {ERROR_MARK, DEFAULT_TAG, *tags.values()}
    mentions = [
        cast(column, Text).icontains(json.dumps(hint)[1:-1], autoescape=True)
        for hint in hints
        for column in (table.c.origin, table.c.metadata)
    ]
    statement = (
        select(table.c.id, table.c.source, table.c.origin, table.c.metadata)
        .where(or_(*mentions))
        .order_by(table.c.id)
    )
    marked = {}
    with catalog.reading() as connection:
        for record, source, origin, metadata in connection.execute(statement):
            why = reason(origin, metadata, tags.get(source, DEFAULT_TAG))
            if why:
                marked[record] = why
    return marked


def tainted_derivations(
    marked: Collection[str],
    derived_from: Callable[[Collection[str]], Iterable[Derivation]],
    measurement_ids: Callable[[Derivation], Collection[str] | None],
) -> dict[str, Derivation]:
    """Id -> result, for every result that marked measurements went into.

    Args:
        marked: measurement ids.
        derived_from: results with one of these ids among their inputs.
        measurement_ids: measurements a result has rows of, None where it does not list them.
    """
    tainted: dict[str, Derivation] = {}
    frontier: Collection[str] = marked
    while frontier:
        reached = [result for result in derived_from(frontier) if result.id not in tainted]
        new = {
            result.id: result
            for result in reached
            if _is_tainted(result, marked, tainted, measurement_ids)
        }
        tainted |= new
        frontier = list(new)
    return tainted


def _is_tainted(
    result: Derivation,
    marked: Collection[str],
    tainted: Mapping[str, Derivation],
    measurement_ids: Callable[[Derivation], Collection[str] | None],
) -> bool:
    """Whether a result uses marked inputs, beyond rows of itemwise results it leaves out."""
    if result.stage in statement_stages():
        return False
    itemwise = itemwise_stages()
    wrong_inputs = [each for each in result.inputs if each in marked or each in tainted]
    if any(each in marked or tainted[each].stage not in itemwise for each in wrong_inputs):
        return True
    used = measurement_ids(result)
    return used is None or any(each in marked for each in used)


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
