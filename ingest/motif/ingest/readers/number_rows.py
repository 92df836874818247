"""Rows of numbers in a text: what separates them, where they begin, and whether all are whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError

LARGEST = 1 << 27
"""Bytes of a text file of spectra."""
_NUMBER = r"[-+]?+(?>\d++(?:[.,]\d*+)?+|[.,]\d++)(?:[eE][-+]?+\d{1,3}+)?+|nan|NaN|NAN"
_ROW = re.compile(rf"\s*+(?:{_NUMBER})(?:(?>\s*+[,;]\s*+|\s++)(?:{_NUMBER}))*+\s*+[,;]?+\s*+")
"""Possessive throughout: a hostile line costs no more than its length."""
_SPLIT = re.compile(r"[\s;]+|,(?=\s)|,$")


def row(line: str) -> list[float] | None:
    """The numbers of a line, None where it holds anything else.

    A comma is a decimal one where numbers are divided by tabs, semicolons or blanks.
    """
    if not _ROW.fullmatch(line):
        return None
    parts = [part for part in _SPLIT.split(line.strip()) if part]
    commas = sum("," in part for part in parts)
    if commas:
        if len(parts) > 1 and all(part.count(",") <= 1 for part in parts):
            parts = [part.replace(",", ".") for part in parts]
        else:
            parts = [part for part in line.replace(";", ",").split(",") if part.strip()]
    try:
        return [float(part) for part in parts]
    except ValueError:
        return None


def first_row(lines: Sequence[str], least: int = 2) -> int:
    """Index of the first line of at least `least` numbers; the number of lines if none is."""
    for number, line in enumerate(lines):
        found = row(line)
        if found is not None and len(found) >= least:
            return number
    return len(lines)


def rows(path: Path, lines: Sequence[str], first: int) -> NDArray[np.float64]:
    """Numbers (n, columns) of the lines from `first` on, blank ones and ``##END=`` left out.

    Raises:
        UnreadableFileError: a line is no row of numbers, or the rows differ in length.
    """
    found: list[NDArray[np.float64]] = []
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip() or line.startswith("##END"):
            continue
        values = row(line)
        if values is None or (found and len(values) != len(found[0])):
            shown = line.strip()[:40]
            raise UnreadableFileError(
                f"line {number} of {path.name} is {shown!r} where {len(found[0]) if found else 2} "
                "numbers should stand; it is cut short or damaged: export it again"
            )
        found.append(np.array(values))
    return np.array(found, np.float64) if found else np.empty((0, 0))
