"""Axis and intensity unit that lines of text above a spectrum declare, or a sidecar beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from motif.ingest.readers.spectral_axes import Axis, declared, parse_axis

ARBITRARY = "arb. unit"
_CUT = re.compile(r"\t+|\s*[,;]\s*|\s{2,}")
_UNIT = re.compile(r"[(\[]([^)\]]*)[)\]]\s*$")
_CONTEXT = 4000


def from_lines(lines: Sequence[str]) -> tuple[Axis | None, str]:
    """Axis and unit of the intensities, from the heading nearest the numbers that tells one.

    A heading is ``Raman shift (cm-1), Intensity (counts)`` or ``axis: wavelength (nm)``.
    """
    context = " ".join(lines)[:_CONTEXT]
    for line in reversed(lines):
        cells = [cell.strip().strip('"#') for cell in _CUT.split(line[:_CONTEXT]) if cell.strip()]
        if cells and (axis := parse_axis(cells[0].partition(":")[2] or cells[0], context)):
            unit = _UNIT.search(cells[1]) if len(cells) > 1 else None
            return axis, unit[1].strip() if unit else ARBITRARY
    return None, ARBITRARY


def from_sidecar(told: Mapping[str, Any]) -> Axis | None:
    """The axis a sidecar declares as ``axis`` and ``axis_unit``; None where it does not."""
    if "axis_unit" not in told:
        return None
    return declared(str(told.get("axis", "")), str(told["axis_unit"]))


def intensity(told: Mapping[str, Any], unit: str) -> str:
    """Unit of the intensities, the sidecar's first."""
    return str(told.get("intensity_unit", unit)) or ARBITRARY


def how_to_declare(name: str) -> str:
    """What to do where neither tells the axis."""
    return (
        'head them with a line like "Raman shift (cm-1), Intensity (counts)" or put '
        f'{{"axis": "raman_shift", "axis_unit": "cm^-1"}} into {name}.json beside it'
    )
