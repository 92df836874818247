"""Sheets of an Excel workbook as lines of text, bounded before anything is unpacked."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

from motif.core.errors import UnreadableFileError

MAX_UNPACKED = 1 << 28
MAX_ROWS = 100_000
MAX_CELLS = 20_000_000
SHEETS = 8
"""Sheets that are looked through for a table."""


def read_sheets(path: Path) -> list[list[str]]:
    """The sheets as lines of cells divided by tabs.

    Raises:
        UnreadableFileError: it is no workbook, or one too large to unpack.
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
            warnings.simplefilter("ignore")  # openpyxl warns of styles, which do not matter here
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            try:
                return [_lines(path, sheet) for sheet in book.worksheets[:SHEETS]]
            finally:
                book.close()
    except UnreadableFileError:
        raise
    except Exception as error:  # openpyxl raises anything at all on a damaged workbook
        raise UnreadableFileError(
            f"{path.name} is no workbook that can be opened ({type(error).__name__}: "
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
