"""The few words that name a measurement under its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from motif.core.catalog import facet_value
from motif.core.workspace import Workspace
from motif.dashboard.quantities import day, quantity

SHOWN = ("material", "scan_size", "operator", "acquired_at", "temperature", "mode", "outcome")
"""Facets a microscopist asks for first, in this order."""

LINES = 4


@dataclass(frozen=True)
class Caption:
    id: str
    title: str
    lines: list[str]


def caption(workspace: Workspace, measurement_id: str) -> Caption:
    """Title and up to four facets of one measurement."""
    row = workspace.measurement(measurement_id)
    texts: dict[str, str] = {}
    for facet in workspace.catalog.facet_rows([measurement_id]):
        value = facet_value(facet)
        if isinstance(value, str):
            texts[facet.name] = day(value) if facet.name == "acquired_at" else value
        elif not isinstance(value, bool):
            texts[facet.name] = quantity(value, facet.unit)
    return Caption(row.id, row.title, _lines(texts, row.simulated))


def _lines(texts: Mapping[str, str], simulated: bool) -> list[str]:
    lines = [texts[name] for name in SHOWN if name in texts][:LINES]
    return [*lines, "simulated"] if simulated else lines
