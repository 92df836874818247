"""Composition library tables: ``Sample, <elements>, <wavenumbers>, <figures of merit>`` as text.

The form of the BiVO4 library of Umehara et al., npj Comput. Mater. 5:34 (2019), with or without
its title line.
"""

from __future__ import annotations

from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.library_columns import find_columns
from motif.ingest.readers.library_samples import samples
from motif.ingest.readers.library_text import raman_shift, table_lines
from motif.ingest.readers.library_values import read_values

LARGEST = 1 << 30
"""Bytes; a table is text that is held in memory several times over while it is parsed."""


class CompositionTable:
    """Reads every row as one spectrum with its composition and figures of merit."""

    name = "composition-table"
    version = 1

    def recognises(self, head: bytes, name: str) -> bool:
        """Text whose first lines hold headings of elements followed by numbers."""
        return b"\0" not in head and find_columns(table_lines(head)) is not None

    def __call__(self, path: Path) -> Reading:
        """Read the table; nothing of it is taken if any row is bad."""
        if (size := path.stat().st_size) > LARGEST:
            raise UnreadableFileError(
                f"{path.name} has {size:,} bytes, more than the {LARGEST:,} a table may have; "
                "split it"
            )
        lines = table_lines(path.read_bytes())
        found = find_columns(lines)
        if found is None:
            raise UnreadableFileError(
                f"{path.name} has no line of headings with elements followed by wavenumbers"
            )
        at, columns = found
        title = " ".join(line.strip(' ,;\t"') for line in lines[:at]).strip()
        axis = raman_shift(path, columns, title)
        values = read_values(path, lines, at + 1, columns)
        notes = [*values.notes]
        if columns.ignored:
            notes.append(f"columns without a known meaning: {', '.join(columns.ignored)}")
        header = [("title", title)] if title else []
        header.append(("columns", lines[at].strip()))
        return Reading(samples(values, columns, axis, title), header, notes)
