"""What a file told of its measurements, behind what the rules of the workspace show of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from motif.core import schema
from motif.core.catalog import Catalog, facet_value
from motif.core.facets import DECLARED
from motif.core.records import Facet

DISAGREEMENT = "header against record"
"""Origin of the facet that marks measurements whose file and record disagree."""


@dataclass
class Told:
    """One measurement as its reader delivered it, numbers aside."""

    title: str
    facets: list[Facet]


def file_facts(catalog: Catalog, record_id: str) -> dict[str, Told]:
    """What the file of a record told of its live measurements, by id and without reading it."""
    told = {row.id: Told(row.title, []) for row in catalog.measurements_of(record_id)}
    table, owners = schema.facts, schema.measurements
    statement = (
        select(owners.c.id, table.c.title, table.c.facets)
        .join(owners, owners.c.number == table.c.measurement)
        .where(owners.c.record_id == record_id, owners.c.live)
    )
    with catalog.reading() as connection:
        for identity, title, facets in connection.execute(statement):
            told[identity].title = title or told[identity].title
            told[identity].facets = [Facet(**facet) for facet in facets]
    behind = {identity: {facet.name for facet in one.facets} for identity, one in told.items()}
    for row in catalog.facet_rows(list(told)):
        given = row.origin.startswith(("record:", DECLARED)) or row.origin == DISAGREEMENT
        if not given and row.name not in behind[row.measurement_id]:
            unit = "" if row.unit == "bool" else row.unit
            facet = Facet(row.name, facet_value(row), row.origin, unit, row.told)
            told[row.measurement_id].facets.append(facet)
    return told


def document(facet: Facet) -> dict[str, Any]:
    """A facet as the journal keeps it."""
    return {
        "name": facet.name, "value": facet.value, "origin": facet.origin, "unit": facet.unit,
        "told": facet.told,
    }  # fmt: skip
