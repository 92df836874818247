"""Horiba LabSpec text exports (``.txt``): single spectra and maps with their header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.facet_values import once, quantity
from motif.ingest.readers.labspec_facets import header_facets
from motif.ingest.readers.labspec_table import axis_of, header_of, place_units, spectra_of
from motif.ingest.readers.library_text import table_lines
from motif.ingest.readers.naming import TEXTS, misnamed
from motif.ingest.readers.number_rows import LARGEST
from motif.ingest.readers.spectrum import coordinates, sized, spectrum

PLACES = {"X": "map_x", "Y": "map_y", "Z": "map_z", "T": "series_time"}
"""By the first letter of the type of an axis: X or XA, Time."""
_HEADER = re.compile(
    rb"(?:^|[\r\n])#(Acq\. time|Accumulations|Laser|Spectro|Grating|Objective|Detector|AxisUnit\[)"
)


class LabspecText:
    """Reads every spectrum; coordinates of a map are facets where their unit is told."""

    name = "labspec-text"
    version = 2
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """At least two keys of a LabSpec header."""
        return b"\0" not in head and len(set(_HEADER.findall(head))) >= 2

    def __call__(self, path: Path) -> Reading:
        """Read the file, in latin-1 or UTF-8."""
        sized(path, LARGEST)
        lines = table_lines(path.read_bytes())
        header, at = header_of(lines)
        axis = axis_of(header)
        if axis is None:
            raise UnreadableFileError(
                f"the header of {path.name} does not tell the unit of its axis; export it whole"
            )
        found = spectra_of(path, lines, at)
        on = coordinates(path, axis, found.positions)
        told, units = dict(header), place_units(header)
        common = header_facets(header)
        if axis.name == "raman_shift":
            common.append(Facet("technique", "Raman spectroscopy", "header:AxisUnit"))
        unit = "count" if units.get("Intens", "Cnt") == "Cnt" else units["Intens"] or "arb. unit"
        title, many = told.get("Title") or path.stem, len(found.values) > 1
        spectra = [
            spectrum(
                str(i), f"{title} #{i}" if many else title, on, values, unit,
                once([*_places(found.places[i], units), *common]),
            )
            for i, values in enumerate(found.values)
        ]  # fmt: skip
        return Reading(spectra, header, misnamed(path, "a LabSpec text", *TEXTS))


def _places(numbers: NDArray[np.float64], units: dict[str, str]) -> Iterator[Facet]:
    """Coordinates of one spectrum, whose columns stand in the order of the axes."""
    kinds = [kind for kind in units if kind[:1] in PLACES]
    if len(kinds) == len(numbers):
        for kind, number in zip(kinds, numbers, strict=True):
            yield from quantity(PLACES[kind[0]], float(number), units[kind], f"AxisType {kind}")
