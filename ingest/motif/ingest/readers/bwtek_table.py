"""The table of a B&W Tek text file: what each pixel measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.spectral_axes import Axis

AXES = (
    ("Raman Shift", Axis("raman_shift", "cm^-1")), ("Wavelength", Axis("wavelength", "nm")),
    ("Wavenumber", Axis("wavenumber", "cm^-1")),
)  # fmt: skip
"""Columns in the order they are preferred in, where they are filled."""
MEASURED = re.compile(r"Raw data #\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """One axis and the raw intensities on it; pixels without a place are left out."""

    axis: Axis
    positions: NDArray[np.float64]
    measured: dict[str, NDArray[np.float64]]
    notes: list[str]


def read_table(path: Path, lines: Sequence[str], at: int) -> Table:
    """The table whose headings stand in line `at`.

    Raises:
        UnreadableFileError: a row is cut short, a cell is no number, or no axis or no raw data
            is there.
    """
    columns = [heading.strip() for heading in lines[at].split(";")]
    cells = []
    for number, line in enumerate(lines[at + 1 :], at + 2):
        if line.strip():
            cells.append(line.split(";"))
            if len(cells[-1]) != len(columns):
                raise UnreadableFileError(
                    f"line {number} of {path.name} has {len(cells[-1])} cells under "
                    f"{len(columns)} headings; it is cut short: export it again"
                )
    table = {name: _column(path, cells, i) for i, name in enumerate(columns) if name}
    nothing = np.empty(0)
    filled = [pair for pair in AXES if np.isfinite(table.get(pair[0], nothing)).any()]
    raw = [name for name in table if MEASURED.fullmatch(name)]
    if not filled or not raw:
        raise UnreadableFileError(
            f"{path.name} has no filled axis or no column of raw data; export it with both"
        )
    name, axis = filled[0]
    known = np.isfinite(table[name])
    others = ", ".join(n for n in table if n not in (name, *raw))
    notes = [f"only the raw data are read; further columns: {others}"]
    if missing := int((~known).sum()):
        notes.append(f"{missing} of {len(known)} pixels have no {name} and are left out")
    return Table(axis, table[name][known], {n: table[n][known] for n in raw}, notes)


def _column(path: Path, cells: Sequence[Sequence[str]], index: int) -> NDArray[np.float64]:
    """Numbers of a column, NaN where it is blank."""
    numbers = []
    for row in cells:
        text = row[index].strip().replace(",", ".")
        try:
            numbers.append(float("x" if "_" in text else text or "nan"))
        except ValueError:
            raise UnreadableFileError(
                f"{path.name} holds {text[:40]!r} where a number should stand; export it again"
            ) from None
    return np.array(numbers, np.float64)
