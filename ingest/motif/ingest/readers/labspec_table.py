"""The header and numbers of a Horiba LabSpec text export."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.number_rows import row, rows
from motif.ingest.readers.spectral_axes import Axis, parse_axis

Pairs = list[tuple[str, str]]
_PAIR = re.compile(r"#([^=\t]{1,80})=\s*(.*)")
_IN_NAME = re.compile(r"(?:Spectro|Range)\s*\(([^)]*)\)")


@dataclass(frozen=True)
class Spectra:
    """Positions (n,), intensities (m, n), and coordinates (m, k) of a map."""

    positions: NDArray[np.float64]
    values: NDArray[np.float64]
    places: NDArray[np.float64]


def header_of(lines: Sequence[str]) -> tuple[Pairs, int]:
    """``#key=value`` lines, and the index of the first line after them."""
    pairs: Pairs = []
    for number, line in enumerate(lines):
        found = _PAIR.match(line)
        if found is None and line.strip():
            return pairs, number
        if found:
            pairs.append((found[1].strip(), found[2].strip()))
    return pairs, len(lines)


def axis_of(pairs: Pairs) -> Axis | None:
    """The axis: the unit LabSpec 6 tells of the spectral axis, or LabSpec 5 in a name."""
    told = dict(pairs)
    for number in range(4):
        if told.get(f"AxisType[{number}]", "").startswith("Spectr"):
            return _shift(parse_axis(told.get(f"AxisUnit[{number}]", "")))
    units = (_IN_NAME.match(key) for key, _ in pairs)
    return _shift(next((parse_axis(unit[1]) for unit in units if unit), None))


def place_units(pairs: Pairs) -> dict[str, str]:
    """Units of the coordinates of a map by their type: ``{"X": "µm", "Time": "s"}``."""
    told = dict(pairs)
    return {
        told[f"AxisType[{n}]"]: told.get(f"AxisUnit[{n}]", "")
        for n in range(8)
        if f"AxisType[{n}]" in told
    }


def spectra_of(path: Path, lines: Sequence[str], at: int) -> Spectra:
    """Two columns, or a line of positions above lines of coordinates and intensities.

    Raises:
        UnreadableFileError: lines are ragged or hold something that is no number.
    """
    first = lines[at] if at < len(lines) else ""
    indent = len(first) - len(first.lstrip("\t"))
    if not indent:
        table = rows(path, lines, at)
        if not len(table) or table.shape[1] != 2:
            raise UnreadableFileError(
                f"{path.name} holds no two columns of numbers after its header; export it again"
            )
        return Spectra(table[:, 0], table[:, 1:].T, np.empty((1, 0)))
    positions = row(first) or []
    table = rows(path, lines, at + 1)
    if not len(table) or table.shape[1] != indent + len(positions):
        raise UnreadableFileError(
            f"{path.name} is a map of {len(positions)} points whose lines hold "
            f"{table.shape[1] - indent if len(table) else 0}; export it again"
        )
    return Spectra(np.array(positions), table[:, indent:], table[:, :indent])


def _shift(axis: Axis | None) -> Axis | None:
    """LabSpec writes 1/cm for Raman shifts."""
    return Axis("raman_shift", "cm^-1") if axis and axis.unit == "cm^-1" else axis
