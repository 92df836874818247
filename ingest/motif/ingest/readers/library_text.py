"""Lines of a table in any text encoding, and its headings as an axis."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.headings import from_sidecar, how_to_declare
from motif.ingest.readers.library_columns import Columns
from motif.ingest.readers.spectral_axes import Axis, parse_axis

RAMAN = (-500.0, 200.0, 5000.0)
"""Raman shifts lie between the outer two (cm^-1) and reach beyond the middle one."""


def axis_of(
    path: Path, columns: Columns, title: Sequence[str], told: Mapping[str, Any]
) -> tuple[Axis, NDArray[np.float64]]:
    """Axis and positions of the inline spectra, ascending or descending as written.

    The sidecar counts first, then the unit behind the positions (``400 nm``), then a title line
    that declares one (``two_theta (deg)``). Positions without any are Raman shifts if they can
    be, as in the published library.

    Raises:
        UnreadableFileError: positions out of order, or of a unit that is not told.
    """
    positions = np.array(columns.positions)
    steps = np.diff(positions)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise UnreadableFileError(
            f"the {len(positions)} positions heading the columns of {path.name} neither rise nor "
            "fall throughout; put the columns in order"
        )
    context = " ".join(title)
    axis = from_sidecar(told) or parse_axis(columns.axis_unit, context)
    cells = [cell for line in title for cell in re.split(r"[,;\t]", line)]
    axis = axis or next(filter(None, (parse_axis(_value(cell), context) for cell in cells)), None)
    lowest, reached, highest = RAMAN
    raman = positions.max() >= reached or "raman" in context.lower()
    if axis is None and positions.min() >= lowest and positions.max() <= highest and raman:
        axis = Axis("raman_shift", "cm^-1")
    disagrees = columns.axis_unit and axis != parse_axis(columns.axis_unit, context)
    if axis is None or disagrees:
        raise UnreadableFileError(
            f"the spectra of {path.name} run from {positions.min():g} to {positions.max():g}, "
            "which are no Raman shifts in cm^-1, and it names no unit; write one into a title "
            f"line, like two_theta (deg), or {how_to_declare(path.name).partition(' or ')[2]}"
        )
    return axis, positions


def _value(cell: str) -> str:
    """What follows a colon: ``axis: wavelength (nm)``."""
    return cell.partition(":")[2] or cell.strip(' "')


def table_lines(raw: bytes) -> list[str]:
    """Lines of a text in UTF-8 or latin-1 with any line ends."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return re.split(r"\r\n|\r|\n", text)
