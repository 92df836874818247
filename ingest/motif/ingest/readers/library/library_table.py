"""Composition library tables: ``Sample, <elements>, <positions>, <figures of merit>`` as text.

The form of the BiVO4 library of Umehara et al., npj Comput. Mater. 5:34 (2019), with or without
its title line, and tables that name the files of their spectra.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.contracts import Reader, ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.kit import (
    ARBITRARY_UNIT,
    TEXT_SUFFIXES,
    SpectralAxis,
    axis_coordinates,
    axis_from_sidecar,
    check_size,
    declaration_hint,
    intensity_unit_from_sidecar,
    parse_axis,
    read_sidecar,
    suffix_warnings,
    with_warnings,
)
from motif.ingest.readers.library.library_columns import (
    LibraryColumns,
    coordinate_warnings,
    find_columns,
    technique_facets,
)
from motif.ingest.readers.library.library_values import (
    inline_spectra,
    library_measurements,
    read_spectrum_files,
    read_values,
)

LARGEST = 1 << 30
"""Bytes; parsing needs several times the memory."""


class CompositionTable:
    """Reads every row as one spectrum with its composition and figures of merit."""

    name = "composition-table"
    version = 2
    exchange = True

    def __init__(self, readers: Sequence[Reader] | None = None) -> None:
        self._readers = readers

    def recognises(self, head: bytes, name: str) -> bool:
        """Text with headings of elements and of spectra in its first lines."""
        return b"\0" not in head and find_columns(table_lines(head)) is not None

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the table; it is refused if any row is damaged."""
        check_size(path, LARGEST)
        reading = read_table(path, table_lines(path.read_bytes()), self._readers, context)
        return with_warnings(reading, suffix_warnings(path, "a library table", *TEXT_SUFFIXES))


def read_table(
    path: Path,
    lines: Sequence[str],
    readers: Sequence[Reader] | None,
    context: ReaderContext | None,
) -> Reading:
    """The samples of a table given as lines of text."""
    located = find_columns(lines)
    if located is None:
        raise UnreadableFileError(
            f"{path.name} has no line of headings with elements followed by positions on an axis "
            "or by a column of file names"
        )
    heading_line, columns = located
    title_lines = [line.strip(' ,;\t"') for line in lines[:heading_line] if line.strip(' ,;\t"')]
    title = " ".join(title_lines)
    context = context or ReaderContext(path)
    declared, warnings = read_sidecar(path, context)
    shared: list[Facet] = []
    if "simulated" in title.lower():
        shared.append(Facet("simulated", True, "header:title"))
    values = read_values(path, lines, heading_line + 1, columns)
    if columns.file is None:
        axis, positions = axis_of(path, columns, title_lines, declared)
        shared += technique_facets(axis.name)
        measured = inline_spectra(
            values,
            axis_coordinates(path, axis, positions),
            intensity_unit_from_sidecar(declared, ARBITRARY_UNIT),
        )
    else:
        names = [row[columns.file] for row in values.extras]
        measured = read_spectrum_files(path, names, context, readers)
    warnings += [*values.warnings, *coordinate_warnings(columns, declared, path.name)]
    if ignored := values.columns.ignored:
        warnings.append(f"columns without a known meaning: {', '.join(ignored)}")
    header = [("title", title)] if title else []
    header.append(("columns", lines[heading_line].strip()))
    return Reading(library_measurements(values, measured, shared, declared), header, warnings)


RAMAN = (-500.0, 200.0, 5000.0)
"""Raman shifts in cm^-1 are between the outer two and exceed the middle one."""


def axis_of(
    path: Path, columns: LibraryColumns, title: Sequence[str], declared: Mapping[str, Any]
) -> tuple[SpectralAxis, NDArray[np.float64]]:
    """Axis and positions of the inline spectra, ascending or descending as written.

    The sidecar counts first, then the unit after the positions (``400 nm``), then a title line
    that declares one (``two_theta (deg)``). Positions without a unit are Raman
    shifts if they are plausible ones, as in the published library.

    Raises:
        UnreadableFileError: positions out of order, or without a known unit.
    """
    positions = np.array(columns.positions)
    steps = np.diff(positions)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise UnreadableFileError(
            f"the {len(positions)} positions heading the columns of {path.name} neither rise nor "
            "fall throughout; put the columns in order"
        )
    context = " ".join(title)
    axis = axis_from_sidecar(declared) or parse_axis(columns.axis_unit, context)
    cells = [cell for line in title for cell in re.split(r"[,;\t]", line)]
    axis = axis or next(filter(None, (parse_axis(_value(cell), context) for cell in cells)), None)
    lowest, threshold, highest = RAMAN
    raman = positions.max() >= threshold or "raman" in context.lower()
    if axis is None and positions.min() >= lowest and positions.max() <= highest and raman:
        axis = SpectralAxis("raman_shift", "cm^-1")
    disagrees = columns.axis_unit and axis != parse_axis(columns.axis_unit, context)
    if axis is None or disagrees:
        raise UnreadableFileError(
            f"the spectra of {path.name} run from {positions.min():g} to {positions.max():g}, "
            "which are not Raman shifts in cm^-1, and it names no unit; write one into a title "
            f"line, like two_theta (deg), or {declaration_hint(path.name).partition(' or ')[2]}"
        )
    return axis, positions


def _value(cell: str) -> str:
    """The text after a colon: ``axis: wavelength (nm)``."""
    return cell.partition(":")[2] or cell.strip(' "')


def table_lines(raw: bytes) -> list[str]:
    """Lines of a text in UTF-8 or latin-1 with any line ends."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return re.split(r"\r\n|\r|\n", text)
