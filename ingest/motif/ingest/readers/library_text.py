"""Lines of a table in any text encoding, and its headings as an axis."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import xarray as xr

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.library_columns import Columns

RAMAN = (-500.0, 200.0, 5000.0)
"""Raman shifts lie between the outer two (cm^-1) and reach beyond the middle one."""


def raman_shift(path: Path, columns: Columns, title: str) -> xr.Variable:
    """The headings as Raman shifts in cm^-1, ascending or descending as written."""
    shifts = np.array(columns.positions)
    steps = np.diff(shifts)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise UnreadableFileError(
            f"the {len(shifts)} wavenumbers heading the columns of {path.name} neither rise nor "
            "fall throughout; put the columns in order"
        )
    lowest, reached, highest = RAMAN
    named = "raman" in title.lower()
    if shifts.min() < lowest or shifts.max() > highest or (shifts.max() < reached and not named):
        raise UnreadableFileError(
            f"the spectra of {path.name} run from {shifts.min():g} to {shifts.max():g}, which are "
            "no Raman shifts in cm^-1, and it names no unit; say Raman in a title line if they are"
        )
    return xr.Variable("raman_shift", shifts, {"units": "cm^-1"})


def table_lines(raw: bytes) -> list[str]:
    """Lines of a text in UTF-8 or latin-1 with any line ends."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return re.split(r"\r\n|\r|\n", text)
