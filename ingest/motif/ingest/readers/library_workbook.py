"""Composition library tables in Excel workbooks (``.xlsx``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from motif.core.contracts import Reader
from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.library_columns import find_columns
from motif.ingest.readers.library_table import read_table
from motif.ingest.readers.naming import misnamed, noted
from motif.ingest.readers.spectrum import sized
from motif.ingest.readers.workbook_sheets import read_sheets

LARGEST = 1 << 27


class CompositionWorkbook:
    """Reads the first sheet that holds a library table, as `CompositionTable` reads text."""

    name = "composition-workbook"
    version = 2
    exchange = True

    def __init__(self, readers: Sequence[Reader] | None = None) -> None:
        self._readers = readers

    def recognises(self, head: bytes, name: str) -> bool:
        """A ZIP archive that begins like an Office document and is no text or presentation."""
        office = b"[Content_Types].xml" in head or b"docProps/" in head or b"xl/" in head
        return head[:4] == b"PK\3\4" and office and b"word/" not in head and b"ppt/" not in head

    def __call__(self, path: Path) -> Reading:
        """Read the workbook; values count as they were last computed, formulas do not."""
        sized(path, LARGEST)
        for lines in read_sheets(path):
            if find_columns(lines) is not None:
                notes = misnamed(path, "an Excel workbook", ".xlsx", ".xlsm")
                return noted(read_table(path, lines, self._readers), notes)
        raise UnreadableFileError(
            f"no sheet of {path.name} has headings with elements followed by positions on an axis "
            "or by a column of file names; put them into its first four lines"
        )
