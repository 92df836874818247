"""Nanonis grids of spectra (.3ds): sweeps at the points of a grid, after a text header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header, Measurement, Reading
from motif.ingest.readers.kit import (
    SpectralAxis,
    axis_coordinates,
    base_unit,
    first_of_each_name,
    number_facets,
    spectrum,
    suffix_warnings,
)
from motif.ingest.readers.nanonis.nanonis_header import (
    channel_and_unit,
    first_values,
    header_text,
    numbers_of,
    spectrum_facets,
)


class NanonisGrid:
    """Reads every sweep of every channel that was measured, with its position as facets."""

    name = "nanonis-3ds"
    version = 3

    def recognises(self, head: bytes, name: str) -> bool:
        """The first key of the header."""
        return head.startswith(b"Grid dim=")

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the grid; an interrupted one gives the points that were measured."""
        raw = path.read_bytes()
        text, offset = header_text(path, raw, b":HEADER_END:")
        lines = (line.partition("=") for line in re.split(r"[\r\n]+", text) if line.strip())
        header = [(key.strip(), value.strip().strip('"')) for key, _, value in lines]
        offset += len(raw[offset : offset + 2]) - len(raw[offset : offset + 2].lstrip(b"\r\n"))
        grid = parse_grid(path, header, raw[offset:])
        common = spectrum_facets(dict(reversed(header)))
        spectra = [
            measurement
            for row in range(len(grid.data))
            for measurement in _spectra(path, grid, row, common)
        ]
        warnings = suffix_warnings(path, "a Nanonis grid of spectra", ".3ds")
        if len(grid.data) < grid.points:
            warnings.append(f"interrupted: {len(grid.data)} of {grid.points} points were measured")
        return Reading(spectra, header, warnings)


def _spectra(path: Path, grid: SweepGrid, row: int, common: list[Facet]) -> list[Measurement]:
    """The sweeps of all channels at one point of the grid."""
    settings = (float(f"{value:.7g}") for value in grid.settings[row].tolist())
    values = dict(zip(grid.parameters, settings, strict=False))
    facets = first_of_each_name(
        [
            *number_facets("map_x", values.get("X (m)"), "m", "X (m)"),
            *number_facets("map_y", values.get("Y (m)"), "m", "Y (m)"),
            *common,
        ]
    )
    sweep = values.get("Sweep Start"), values.get("Sweep End")
    position = f"{row % grid.width}, {row // grid.width}"
    measurements = []
    for number in range(len(grid.channels)):
        name, scale, template = sweep_of(path, grid, number, *sweep)
        data = template.copy(deep=False, data=grid.data[row, number] * scale)
        sweep_facets = [Facet("channels", name, "header:Channels"), *facets]
        key, title = f"{row}/{number}", f"{name} at {position}"
        measurements.append(Measurement(key, "spectrum", title, data, sweep_facets))
    return measurements


MAX_SWEEPS = 65536
"""Sweeps a grid may have."""


@dataclass(frozen=True)
class SweepGrid:
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


def parse_grid(path: Path, header: Header, raw: bytes) -> SweepGrid:
    """Split the data into points, after a check of the header.

    Raises:
        UnreadableFileError: sizes contradict each other, or there is no complete point.
    """
    values = first_values(header)
    size = numbers_of(values.get("Grid dim", "").replace("x", " "))
    counts = [
        int(next(iter(numbers_of(values.get(key, "0"))), 0))
        for key in ("# Parameters (4 byte)", "Points", "Experiment size (bytes)")
    ]
    parameters, length, point_bytes = counts
    channels = [name for name in values.get("Channels", "").split(";") if name.strip()]
    consistent = len(size) == 2 and min(*size, length) >= 1 and parameters >= 0
    consistent = consistent and 0 < size[0] * size[1] * len(channels) <= MAX_SWEEPS
    if not consistent or point_bytes != 4 * length * len(channels):
        raise UnreadableFileError(
            f"the header of {path.name} states a grid of {values.get('Grid dim', '?')} with "
            f"{length} values of {len(channels)} channels in {point_bytes:,} bytes per point, "
            f"which contradicts itself or is more than {MAX_SWEEPS:,} sweeps; export it in parts"
        )
    numbers_per_point = parameters + length * len(channels)
    planned = int(size[0]) * int(size[1])
    measured = min(len(raw) // (4 * numbers_per_point), planned)
    if not measured:
        raise UnreadableFileError(
            f"{path.name} announces {planned} points of {4 * numbers_per_point:,} bytes but has "
            f"{len(raw):,} bytes of data: it is cut short; copy the file again"
        )
    points = (
        np.frombuffer(raw, ">f4", measured * numbers_per_point)
        .reshape(measured, numbers_per_point)
        .astype("=f4")
    )
    names = [
        name.strip()
        for key in ("Fixed parameters", "Experiment parameters")
        for name in values.get(key, "").split(";")
        if name.strip()
    ]
    data = points[:, parameters:].reshape(measured, len(channels), length)
    return SweepGrid(
        max(int(size[0]), 1), planned, values.get("Sweep Signal", "Sweep"), channels,
        names, points[:, :parameters], data,
    )  # fmt: skip


def sweep_of(
    path: Path, grid: SweepGrid, number: int, start: float | None, end: float | None
) -> tuple[str, np.float32, xr.DataArray]:
    """Name and scale of a channel, and an empty sweep of it to copy, since creating one is slow.

    Raises:
        UnreadableFileError: the point does not state where its sweep starts and ends.
    """
    if start is None or end is None:
        raise UnreadableFileError(f"{path.name} does not state where its sweeps start and end")
    sweep = grid.sweeps.get((start, end, number))
    if sweep is None:
        swept, unit_text = channel_and_unit(grid.sweep)
        scale, _, unit = base_unit(unit_text)
        positions = np.linspace(start * scale, end * scale, grid.data.shape[2])
        dimension = re.sub(r"\W+", "_", swept.lower()).strip("_") or "sweep"
        coordinates = axis_coordinates(path, SpectralAxis(dimension, unit or "1"), positions)
        name, unit_text = channel_and_unit(grid.channels[number])
        scale, _, unit = base_unit(unit_text)
        empty = spectrum("", "", coordinates, np.zeros(len(positions), np.float32), unit, ()).data
        sweep = grid.sweeps[start, end, number] = (
            name or f"Channel {number}",
            np.float32(scale),
            empty,
        )
    return sweep
