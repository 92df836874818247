"""Where the spectra of a WITec export were measured."""

from __future__ import annotations

from motif.core.records import Facet
from motif.ingest.readers.facet_values import quantity


def position(told: dict[str, str]) -> list[Facet]:
    """Where a single spectrum was measured."""
    found: list[Facet] = []
    for name, key in (("map_x", "PositionX"), ("map_y", "PositionY"), ("map_z", "PositionZ")):
        try:
            found += quantity(name, float(told[key]), told.get("PositionUnit", ""), key)
        except (KeyError, ValueError):
            continue
    return found


def pixel(index: int, width: int) -> list[Facet]:
    """Column and row of a spectrum in a map, whose lines follow each other."""
    return [
        Facet("map_column", float(index % width), "header:SizeX"),
        Facet("map_row", float(index // width), "header:SizeY"),
    ]
