"""How the sweeps of a Nanonis grid lie in its file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Header
from motif.ingest.readers.nanonis_header import lookup, numbers, signal
from motif.ingest.readers.spectral_axes import Axis
from motif.ingest.readers.spectrum import coordinates, spectrum
from motif.ingest.readers.spm_values import base_unit

MOST = 65536
"""Sweeps a grid may have to be kept one by one."""


@dataclass(frozen=True)
class Grid:
    """All points that were measured, in the order of measuring."""

    width: int
    points: int
    """Points the grid was planned with."""
    sweep: str
    channels: Sequence[str]
    parameters: Sequence[str]
    settings: NDArray[np.float32]
    """(points, parameters)."""
    data: NDArray[np.float32]
    """(points, channels, values of a sweep)."""
    sweeps: dict[tuple[float, float, int], tuple[str, np.float32, xr.DataArray]] = field(
        default_factory=dict
    )


def parse_grid(path: Path, header: Header, raw: bytes) -> Grid:
    """Cut the data into points, once the header agrees with itself and with the data.

    Raises:
        UnreadableFileError: sizes contradict each other, or there is not one whole point.
    """
    values = lookup(header)
    size = numbers(values.get("Grid dim", "").replace("x", " "))
    counts = [
        int(next(iter(numbers(values.get(key, "0"))), 0))
        for key in ("# Parameters (4 byte)", "Points", "Experiment size (bytes)")
    ]
    parameters, length, told = counts
    channels = [name for name in values.get("Channels", "").split(";") if name.strip()]
    sound = len(size) == 2 and min(*size, length) >= 1 and parameters >= 0
    sound = sound and 0 < size[0] * size[1] * len(channels) <= MOST
    if not sound or told != 4 * length * len(channels):
        raise UnreadableFileError(
            f"the header of {path.name} tells a grid of {values.get('Grid dim', '?')} with "
            f"{length} values of {len(channels)} channels in {told:,} bytes a point, which "
            f"contradicts itself or is more than {MOST:,} sweeps; export it in parts"
        )
    each = parameters + length * len(channels)
    planned = int(size[0]) * int(size[1])
    there = min(len(raw) // (4 * each), planned)
    if not there:
        raise UnreadableFileError(
            f"{path.name} announces {planned} points of {4 * each:,} bytes but holds "
            f"{len(raw):,} bytes of data: it is cut short; copy the file again"
        )
    points = np.frombuffer(raw, ">f4", there * each).reshape(there, each).astype("=f4")
    names = [
        name.strip()
        for key in ("Fixed parameters", "Experiment parameters")
        for name in values.get(key, "").split(";")
        if name.strip()
    ]
    data = points[:, parameters:].reshape(there, len(channels), length)
    return Grid(
        max(int(size[0]), 1), planned, values.get("Sweep Signal", "Sweep"), channels,
        names, points[:, :parameters], data,
    )  # fmt: skip


def sweep_of(
    path: Path, grid: Grid, number: int, start: float | None, end: float | None
) -> tuple[str, np.float32, xr.DataArray]:
    """Name and scale of a channel, and an empty sweep of it to copy: making one anew is slow.

    Raises:
        UnreadableFileError: the point does not tell where its sweep starts and ends.
    """
    if start is None or end is None:
        raise UnreadableFileError(f"{path.name} does not tell where its sweeps start and end")
    found = grid.sweeps.get((start, end, number))
    if found is None:
        swept, told = signal(grid.sweep)
        scale, _, unit = base_unit(told)
        places = np.linspace(start * scale, end * scale, grid.data.shape[2])
        dimension = re.sub(r"\W+", "_", swept.lower()).strip("_") or "sweep"
        on = coordinates(path, Axis(dimension, unit or "1"), places)
        name, told = signal(grid.channels[number])
        scale, _, unit = base_unit(told)
        empty = spectrum("", "", on, np.zeros(len(places), np.float32), unit, ()).data
        found = grid.sweeps[start, end, number] = (
            name or f"Channel {number}",
            np.float32(scale),
            empty,
        )
    return found
