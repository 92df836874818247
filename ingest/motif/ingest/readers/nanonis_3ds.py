"""Nanonis grids of spectra (.3ds): sweeps at the points of a grid, behind a text header."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from motif.core.records import Facet, Measurement, Reading
from motif.ingest.readers.facet_values import once
from motif.ingest.readers.nanonis_grid import Grid, parse_grid, sweep_of
from motif.ingest.readers.nanonis_header import head_of, signal, spectrum_facets
from motif.ingest.readers.spectrum import spectrum
from motif.ingest.readers.spm_image import misnamed
from motif.ingest.readers.spm_values import base_unit, measured


class NanonisGrid:
    """Reads every sweep of every channel that was measured, with its place as facets."""

    name = "nanonis-3ds"
    version = 1

    def recognises(self, head: bytes, name: str) -> bool:
        """The first key of the header."""
        return head.startswith(b"Grid dim=")

    def __call__(self, path: Path) -> Reading:
        """Read the grid; an interrupted one gives the points that were measured."""
        raw = path.read_bytes()
        text, at = head_of(path, raw, b":HEADER_END:")
        lines = (line.partition("=") for line in re.split(r"[\r\n]+", text) if line.strip())
        header = [(key.strip(), value.strip().strip('"')) for key, _, value in lines]
        at += len(raw[at : at + 2]) - len(raw[at : at + 2].lstrip(b"\r\n"))
        grid = parse_grid(path, header, raw[at:])
        common = spectrum_facets(dict(reversed(header)))
        found = [one for row in range(len(grid.data)) for one in _spectra(path, grid, row, common)]
        notes = misnamed(path, "a Nanonis grid of spectra", ".3ds")
        if len(grid.data) < grid.points:
            notes.append(f"interrupted: {len(grid.data)} of {grid.points} points were measured")
        return Reading(found, header, notes)


def _spectra(path: Path, grid: Grid, row: int, common: list[Facet]) -> list[Measurement]:
    """The sweeps of all channels at one point of the grid."""
    told = (float(f"{value:.7g}") for value in grid.settings[row].tolist())
    values = dict(zip(grid.parameters, told, strict=False))
    on = sweep_of(path, grid, values.get("Sweep Start"), values.get("Sweep End"))
    facets = once(
        [
            *measured("map_x", values.get("X (m)"), "m", "header:X (m)"),
            *measured("map_y", values.get("Y (m)"), "m", "header:Y (m)"),
            *common,
        ]
    )
    found = []
    for number, channel in enumerate(grid.channels):
        name, unit = signal(channel)
        scale, _, unit = base_unit(unit)
        sweep = grid.data[row, number] * np.float32(scale)
        title = f"{name} at {row % grid.width}, {row // grid.width}"
        channels = Facet("channels", name or channel, "header:Channels")
        found.append(
            spectrum(f"{row}/{channel or number}", title, on, sweep, unit, [channels, *facets])
        )
    return found
