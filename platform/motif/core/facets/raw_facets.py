"""What a file states of its measurements, before the workspace's rules are applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from motif.core.catalog import tables
from motif.core.catalog.database import Catalog, facet_value
from motif.core.facets.facet_rules import DECLARED
from motif.core.records import Facet

DISAGREEMENT = "header against record"
"""Origin of the facet that marks measurements whose file and record disagree."""


@dataclass
class RawMeasurement:
    """Title and facets of one measurement as its reader returned them."""

    title: str
    facets: list[Facet]


def raw_facets_of(catalog: Catalog, record_id: str) -> dict[str, RawMeasurement]:
    """Measurement id -> what the file of a record states of it, without reading the file."""
    raw = {row.id: RawMeasurement(row.title, []) for row in catalog.measurements_of(record_id)}
    table, measurements = tables.raw_facets, tables.measurements
    statement = (
        select(measurements.c.id, table.c.title, table.c.facets)
        .join(measurements, measurements.c.number == table.c.measurement)
        .where(measurements.c.record_id == record_id, measurements.c.live)
    )
    with catalog.reading() as connection:
        for identity, title, facets in connection.execute(statement):
            raw[identity].title = title or raw[identity].title
            raw[identity].facets = [Facet(**facet) for facet in facets]
    hidden = {
        identity: {facet.name for facet in measurement.facets}
        for identity, measurement in raw.items()
    }
    for row in catalog.facet_rows(list(raw)):
        is_added = row.origin.startswith(("record:", DECLARED)) or row.origin == DISAGREEMENT
        if not is_added and row.name not in hidden[row.measurement_id]:
            unit = "" if row.unit == "bool" else row.unit
            facet = Facet(row.name, facet_value(row), row.origin, unit, row.raw_text)
            raw[row.measurement_id].facets.append(facet)
    return raw


def document(facet: Facet) -> dict[str, Any]:
    """A facet as it is stored in the journal."""
    return {
        "name": facet.name, "value": facet.value, "origin": facet.origin, "unit": facet.unit,
        "raw_text": facet.raw_text,
    }  # fmt: skip
