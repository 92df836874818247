"""Nanonis grids of spectra (.3ds): sweeps at the points of a grid, behind a text header."""

from __future__ import annotations

import re
from pathlib import Path

from motif.core.records import Facet, Measurement, Reading
from motif.ingest.readers.facet_values import once
from motif.ingest.readers.naming import misnamed
from motif.ingest.readers.nanonis_grid import Grid, parse_grid, sweep_of
from motif.ingest.readers.nanonis_header import head_of, spectrum_facets
from motif.ingest.readers.spm_values import measured


class NanonisGrid:
    """Reads every sweep of every channel that was measured, with its place as facets."""

    name = "nanonis-3ds"
    version = 2

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
    facets = once(
        [
            *measured("map_x", values.get("X (m)"), "m", "header:X (m)"),
            *measured("map_y", values.get("Y (m)"), "m", "header:Y (m)"),
            *common,
        ]
    )
    sweep = values.get("Sweep Start"), values.get("Sweep End")
    place = f"{row % grid.width}, {row // grid.width}"
    found = []
    for number in range(len(grid.channels)):
        name, scale, like = sweep_of(path, grid, number, *sweep)
        data = like.copy(deep=False, data=grid.data[row, number] * scale)
        told_facets = [Facet("channels", name, "header:Channels"), *facets]
        key, title = f"{row}/{number}", f"{name} at {place}"
        found.append(Measurement(key, "spectrum", title, data, told_facets))
    return found
