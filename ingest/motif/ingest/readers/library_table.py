"""Composition library tables: ``Sample, <elements>, <positions>, <figures of merit>`` as text.

The form of the BiVO4 library of Umehara et al., npj Comput. Mater. 5:34 (2019), with or without
its title line, and tables that name the files of their spectra.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from motif.core.contracts import Reader
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.headings import ARBITRARY, intensity
from motif.ingest.readers.library_columns import find_columns
from motif.ingest.readers.library_facets import technique, unplaced
from motif.ingest.readers.library_files import read_beside
from motif.ingest.readers.library_samples import complete, inline
from motif.ingest.readers.library_text import axis_of, table_lines
from motif.ingest.readers.library_values import read_values
from motif.ingest.readers.naming import TEXTS, misnamed, noted
from motif.ingest.readers.sidecar import sidecar
from motif.ingest.readers.spectrum import coordinates, sized

LARGEST = 1 << 30
"""Bytes; a table is text that is held in memory several times over while it is parsed."""


class CompositionTable:
    """Reads every row as one spectrum with its composition and figures of merit."""

    name = "composition-table"
    version = 2
    exchange = True

    def __init__(self, readers: Sequence[Reader] | None = None) -> None:
        self._readers = readers

    def recognises(self, head: bytes, name: str) -> bool:
        """Text whose first lines hold headings of elements and of spectra."""
        return b"\0" not in head and find_columns(table_lines(head)) is not None

    def __call__(self, path: Path) -> Reading:
        """Read the table; nothing of it is taken if any row is bad."""
        sized(path, LARGEST)
        found = read_table(path, table_lines(path.read_bytes()), self._readers)
        return noted(found, misnamed(path, "a library table", *TEXTS))


def read_table(path: Path, lines: Sequence[str], readers: Sequence[Reader] | None) -> Reading:
    """The samples of a table given as lines of text, from whatever file."""
    found = find_columns(lines)
    if found is None:
        raise UnreadableFileError(
            f"{path.name} has no line of headings with elements followed by positions on an axis "
            "or by a column of file names"
        )
    at, columns = found
    above = [line.strip(' ,;\t"') for line in lines[:at] if line.strip(' ,;\t"')]
    title = " ".join(above)
    told, notes = sidecar(path)
    common: list[Facet] = []
    if "simulated" in title.lower():
        common.append(Facet("simulated", True, "header:title"))
    values = read_values(path, lines, at + 1, columns)
    if columns.file is None:
        axis, positions = axis_of(path, columns, above, told)
        common += technique(axis.name)
        measured = inline(values, coordinates(path, axis, positions), intensity(told, ARBITRARY))
    else:
        measured = read_beside(path, [row[columns.file] for row in values.extras], readers)
    notes += [*values.notes, *unplaced(columns, told, path.name)]
    if ignored := values.columns.ignored:
        notes.append(f"columns without a known meaning: {', '.join(ignored)}")
    header = [("title", title)] if title else []
    header.append(("columns", lines[at].strip()))
    return Reading(complete(values, measured, common, told), header, notes)
