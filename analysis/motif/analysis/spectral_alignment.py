"""Spectra measured on different axes, interpolated onto one axis for analysis.

The common axis covers the range that all spectra share, in ascending order, evenly spaced with
the spacing of the coarsest of them. Values between two neighbouring points are interpolated
linearly; nothing is extrapolated. The stored spectra stay as measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from motif.analysis.arrays import FloatArray
from motif.core.errors import UnsuitableDataError

if TYPE_CHECKING:
    from motif.core.catalog.database import MeasurementRow
    from motif.core.workspace import Workspace

MIN_OVERLAP = 0.5
"""Share of the longest axis that all spectra must cover."""


def spectra_on_one_axis(
    workspace: Workspace, rows: Sequence[MeasurementRow]
) -> tuple[FloatArray, FloatArray, str]:
    """Spectra of these measurements on one axis.

    Returns:
        Intensities (n, L) in the order of `rows`, their axis (L,), and a sentence about the
        interpolation, empty where all spectra were measured on one axis.

    Raises:
        UnsuitableDataError: the spectra have different quantities or units on their axes, or
            their ranges overlap too little.
    """
    groups: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(row.array, []).append(index)
    quantities = {(row.dims[0], _axis_unit(row)) for row in rows}
    if len(quantities) > 1:
        names = ", ".join(sorted(f"{name} ({unit})" for name, unit in quantities))
        raise UnsuitableDataError(
            f"These spectra were measured over {names}; choose those of one quantity with a filter."
        )
    axes = [_read_axis(workspace, rows[indices[0]]) for indices in groups.values()]
    if len(axes) == 1:
        return workspace.spectra(rows), axes[0], ""
    unit = _axis_unit(rows[0])
    positions = common_axis(axes, unit)
    values = np.empty((len(rows), len(positions)))
    for axis, indices in zip(axes, groups.values(), strict=True):
        measured = workspace.spectra([rows[index] for index in indices])
        values[indices] = interpolated(measured, axis, positions)
    return values, positions, describe_alignment(axes, positions, unit)


def common_axis(axes: Sequence[FloatArray], unit: str) -> FloatArray:
    """Evenly spaced positions (m,) that all axes cover; axes may ascend or descend.

    Raises:
        UnsuitableDataError: the axes share less than half of the longest one.
    """
    first, last = max(axis.min() for axis in axes), min(axis.max() for axis in axes)
    longest = max(np.ptp(axis) for axis in axes)
    if last - first < MIN_OVERLAP * longest:
        raise UnsuitableDataError(
            f"{len(axes)} axes have only {first:g} to {last:g} {unit} in common; choose spectra "
            "of nearly one range with a filter."
        )
    spacing = max(float(np.median(np.abs(np.diff(axis)))) for axis in axes)
    return np.linspace(first, last, int(np.floor((last - first) / spacing + 1e-9)) + 1)


def interpolated(spectra: FloatArray, axis: FloatArray, positions: FloatArray) -> FloatArray:
    """Spectra (n, L) measured on an axis (L,), at other positions (m,): shape (n, m)."""
    order = np.argsort(axis, kind="stable")
    return np.array([np.interp(positions, axis[order], spectrum[order]) for spectrum in spectra])


def describe_alignment(axes: Sequence[FloatArray], positions: FloatArray, unit: str) -> str:
    """The sentence kept with every result of interpolated spectra."""
    return (
        f"spectra of {len(axes)} different axes are interpolated onto {len(positions)} even "
        f"points from {positions[0]:g} to {positions[-1]:g} {unit}"
    )


def _axis_unit(row: MeasurementRow) -> str:
    return str(row.layout["coordinates"][row.dims[0]]["units"])


def _read_axis(workspace: Workspace, row: MeasurementRow) -> FloatArray:
    path = row.layout["coordinates"][row.dims[0]]["array"]
    return np.asarray(workspace.store.snapshot().load(path), np.float64)
