"""Composition library tables in Excel workbooks (``.xlsx``)."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from motif.core.contracts import Reader, ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.kit import check_size, suffix_warnings, with_warnings
from motif.ingest.readers.library.library_columns import find_columns
from motif.ingest.readers.library.library_table import read_table

LARGEST = 1 << 27


class CompositionWorkbook:
    """Reads the first sheet with a library table, as `CompositionTable` reads text."""

    name = "composition-workbook"
    version = 2
    exchange = True

    def __init__(self, readers: Sequence[Reader] | None = None) -> None:
        self._readers = readers

    def recognises(self, head: bytes, name: str) -> bool:
        """A ZIP archive that begins like an Office document and is not a text document or
        presentation."""
        office = b"[Content_Types].xml" in head or b"docProps/" in head or b"xl/" in head
        return head[:4] == b"PK\3\4" and office and b"word/" not in head and b"ppt/" not in head

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the workbook; of formulas the last computed values are read."""
        check_size(path, LARGEST)
        for lines in read_sheets(path):
            if find_columns(lines) is not None:
                warnings = suffix_warnings(path, "an Excel workbook", ".xlsx", ".xlsm")
                return with_warnings(read_table(path, lines, self._readers, context), warnings)
        raise UnreadableFileError(
            f"no sheet of {path.name} has headings with elements followed by positions on an axis "
            "or by a column of file names; put them into its first four lines"
        )


MAX_UNPACKED = 1 << 28
MAX_ROWS = 100_000
MAX_CELLS = 20_000_000
SHEETS = 8
"""Sheets that are searched for a table."""


def read_sheets(path: Path) -> list[list[str]]:
    """The sheets as lines of cells separated by tabs.

    Raises:
        UnreadableFileError: it is not a workbook, or one too large to unpack.
    """
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED:
            raise UnreadableFileError(
                f"{path.name} unpacks to {unpacked:,} bytes, more than the {MAX_UNPACKED:,} a "
                "workbook may have; save the table as .csv"
            )
        # A stream: by its path, openpyxl refuses a workbook of any other suffix.
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns about styles, which are not needed
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            try:
                return [_lines(path, sheet) for sheet in book.worksheets[:SHEETS]]
            finally:
                book.close()
    except UnreadableFileError:
        raise
    except Exception as error:  # openpyxl raises any exception on a damaged workbook
        raise UnreadableFileError(
            f"{path.name} is not a workbook that can be opened ({type(error).__name__}: "
            f"{str(error)[:120]}); save it again in Excel or as .csv"
        ) from error


def _lines(path: Path, sheet: Any) -> list[str]:
    sheet.reset_dimensions()  # what the file declares may be a million empty columns
    rows: list[list[str]] = []
    cells = 0
    for row in sheet.iter_rows(values_only=True):
        rows.append([_text(value) for value in row])
        cells += len(row)
        if len(rows) > MAX_ROWS or cells > MAX_CELLS:
            raise UnreadableFileError(
                f"a sheet of {path.name} has more than {MAX_ROWS:,} rows or {MAX_CELLS:,} cells; "
                "save the table as .csv"
            )
    width = max(map(len, rows), default=0)
    return ["\t".join(row + [""] * (width - len(row))) for row in rows]


def _text(value: object) -> str:
    return "" if value is None else " ".join(str(value).replace('"', "").split())
