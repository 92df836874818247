"""Text of two columns whose axis and unit are declared: in a heading, or in a sidecar."""

from __future__ import annotations

import re
from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.headings import from_lines, from_sidecar, how_to_declare, intensity
from motif.ingest.readers.library_text import table_lines
from motif.ingest.readers.naming import TEXTS, misnamed
from motif.ingest.readers.number_rows import LARGEST, first_row, row, rows
from motif.ingest.readers.sidecar import sidecar
from motif.ingest.readers.spectrum import coordinates, sized, spectrum

LEAST = 4
"""Rows that make a text of numbers a spectrum."""
_FOREIGN = re.compile(rb"\s*(##|//Exported|File Version;)")


class TwoColumn:
    """Reads one spectrum, ``x y`` in a line; without a declared unit it is refused.

    The declaration is a heading such as ``Raman shift (cm-1), Intensity (counts)``, or a file
    ``NAME.json`` beside it: ``{"axis": "raman_shift", "axis_unit": "cm^-1"}``.
    """

    name = "two-column-text"
    version = 1
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """Lines of exactly two numbers follow each other, after at most a few of text."""
        if b"\0" in head or _FOREIGN.match(head.removeprefix(b"\xef\xbb\xbf")):
            return False
        lines = table_lines(head)[:-1]
        at = first_row(lines)
        found = [row(line) or [] for line in lines[at:] if line.strip()][:LEAST]
        return [len(numbers) for numbers in found] == [2] * LEAST

    def __call__(self, path: Path) -> Reading:
        """Read the file; a row that is no pair of numbers refuses it."""
        sized(path, LARGEST)
        lines = table_lines(path.read_bytes())
        at = first_row(lines)
        above = [line.strip().lstrip("#%;/ ").strip() for line in lines[:at] if line.strip()]
        told, notes = sidecar(path)
        notes = [*notes, *misnamed(path, "a text of two columns", *TEXTS)]
        axis, unit = from_lines(above)
        axis = from_sidecar(told) or axis
        if axis is None:
            heading = f", for {' '.join(above[-1][:60].split())!r} names no unit" if above else ""
            raise UnreadableFileError(
                f"the columns of {path.name} do not tell what they are{heading}; "
                f"{how_to_declare(path.name)}"
            )
        table = rows(path, lines, at)
        if not len(table) or table.shape[1] != 2:
            raise UnreadableFileError(f"{path.name} holds no pairs of numbers; export it again")
        header = [(f"line {number}", line) for number, line in enumerate(above, 1)]
        origin = "record:axis" if from_sidecar(told) else "header:heading"
        facets = []
        if axis.name == "raman_shift":
            facets.append(Facet("technique", "Raman spectroscopy", origin))
        if any("simulated" in line.lower() for line in above):
            facets.append(Facet("simulated", True, "header:heading"))
        on = coordinates(path, axis, table[:, 0])
        unit = intensity(told, unit)
        return Reading([spectrum("0", path.stem, on, table[:, 1], unit, facets)], header, notes)
