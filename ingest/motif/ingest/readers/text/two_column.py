"""Text of two columns whose axis and unit are declared: in a heading, or in a sidecar."""

from __future__ import annotations

import re
from pathlib import Path

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.kit import (
    MAX_TEXT_BYTES,
    TEXT_SUFFIXES,
    axis_coordinates,
    axis_from_lines,
    axis_from_sidecar,
    check_size,
    declaration_hint,
    first_row,
    intensity_unit_from_sidecar,
    parse_row,
    read_rows,
    read_sidecar,
    spectrum,
    suffix_warnings,
    text_lines,
)

MIN_ROWS = 4
"""Rows of two numbers by which a text is recognised."""
_FOREIGN = re.compile(rb"\s*(##|//Exported|File Version;)")


class TwoColumn:
    """Reads one spectrum, ``x y`` in a line; without a declared unit it is refused.

    The declaration is a heading such as ``Raman shift (cm-1), Intensity (counts)``, or a file
    ``NAME.json`` next to it: ``{"axis": "raman_shift", "axis_unit": "cm^-1"}``.
    """

    name = "two-column-text"
    version = 1
    exchange = True
    fallback = True

    def recognises(self, head: bytes, name: str) -> bool:
        """Consecutive lines of exactly two numbers, after some lines of text."""
        if b"\0" in head or _FOREIGN.match(head.removeprefix(b"\xef\xbb\xbf")):
            return False
        lines = text_lines(head)[:-1]
        start = first_row(lines)
        rows = [parse_row(line) or [] for line in lines[start:] if line.strip()][:MIN_ROWS]
        return [len(numbers) for numbers in rows] == [2] * MIN_ROWS

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file; it is refused if a row is not a pair of numbers."""
        check_size(path, MAX_TEXT_BYTES)
        lines = text_lines(path.read_bytes())
        start = first_row(lines)
        heading_lines = [
            line.strip().lstrip("#%;/ ").strip() for line in lines[:start] if line.strip()
        ]
        declared, warnings = read_sidecar(path, context)
        warnings = [*warnings, *suffix_warnings(path, "a text of two columns", *TEXT_SUFFIXES)]
        axis, unit = axis_from_lines(heading_lines)
        axis = axis_from_sidecar(declared) or axis
        if axis is None:
            reason = ""
            if heading_lines:
                heading = " ".join(heading_lines[-1][:60].split())
                reason = f", since {heading!r} names no unit"
            raise UnreadableFileError(
                f"the columns of {path.name} have no declared quantities and units{reason}; "
                f"{declaration_hint(path.name)}"
            )
        table = read_rows(path, lines, start)
        if not len(table) or table.shape[1] != 2:
            raise UnreadableFileError(f"{path.name} has no pairs of numbers; export it again")
        header = [(f"line {number}", line) for number, line in enumerate(heading_lines, 1)]
        origin = "record:axis" if axis_from_sidecar(declared) else "header:heading"
        facets = []
        if axis.name == "raman_shift":
            facets.append(Facet("technique", "Raman spectroscopy", origin))
        if any("simulated" in line.lower() for line in heading_lines):
            facets.append(Facet("simulated", True, "header:heading"))
        coordinates = axis_coordinates(path, axis, table[:, 0])
        unit = intensity_unit_from_sidecar(declared, unit)
        return Reading(
            [spectrum("0", path.stem, coordinates, table[:, 1], unit, facets)], header, warnings
        )
