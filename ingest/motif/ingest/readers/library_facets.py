"""Facets of one sample of a composition library table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from motif.core.records import Facet
from motif.ingest.readers.facet_values import measured, moment, quantity, text
from motif.ingest.readers.library_columns import Columns, split_unit

DATES = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
TECHNIQUES = {
    "raman_shift": "Raman spectroscopy", "two_theta": "X-ray diffraction",
    "q": "X-ray diffraction",
}  # fmt: skip


def technique(dimension: str) -> Iterator[Facet]:
    """The technique an axis belongs to; wavelengths and energies belong to many."""
    if dimension in TECHNIQUES:
        yield Facet("technique", TECHNIQUES[dimension], "header:columns")


def sample_facets(
    columns: Columns, sample: str, extras: Mapping[int, str], told: Mapping[str, Any]
) -> Iterator[Facet]:
    """What the columns of a sample tell besides numbers for the analysis.

    Args:
        columns: what the columns mean.
        sample: name of the sample.
        extras: cells of the columns of places and facets.
        told: the sidecar, whose ``coordinate_unit`` counts where a heading names no unit.
    """
    origin = "columns" if columns.sample is None else columns.headings[columns.sample]
    yield Facet("sample", sample, f"header:{origin}")
    for letter, index in zip("xy", columns.places, strict=False):
        if unit := place_unit(columns, index, told):
            yield from measured(f"wafer_{letter}", extras[index], unit, columns.headings[index])
    for index in columns.facets:
        name, unit = split_unit(columns.headings[index])
        name = name.lower().replace(" ", "_")
        if name == "acquired_at":
            yield from moment(extras[index], name, DATES)
        elif unit:
            yield from _number(name, extras[index], unit)
        elif name != "temperature":
            yield from text(name, extras[index], columns.headings[index])


def place_unit(columns: Columns, index: int, told: Mapping[str, Any]) -> str:
    """Unit of a coordinate, "" where nothing tells it."""
    return split_unit(columns.headings[index])[1] or str(told.get("coordinate_unit", ""))


def unplaced(columns: Columns, told: Mapping[str, Any], name: str) -> Sequence[str]:
    """A remark where coordinates have no unit."""
    missing = [columns.headings[i] for i in columns.places if not place_unit(columns, i, told)]
    if not missing:
        return []
    return [
        f"{' and '.join(missing)} have no unit and are left out; write x (mm), or put "
        f'{{"coordinate_unit": "mm"}} into {name}.json beside the table'
    ]


def _number(name: str, cell: str, unit: str) -> Iterator[Facet]:
    try:
        yield from quantity(name, float(cell), unit, name)
    except ValueError:
        return
