"""Horiba LabSpec text exports (``.txt``): single spectra and maps with their header."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header, Reading
from motif.ingest.readers.kit import (
    MAX_TEXT_BYTES,
    TEXT_SUFFIXES,
    FacetRule,
    SpectralAxis,
    axis_coordinates,
    check_size,
    facets_by_rules,
    first_of_each_name,
    moment_facets,
    parse_axis,
    parse_row,
    processing_by_settings,
    quantity_facets,
    read_rows,
    spectrum,
    suffix_warnings,
    text_lines,
)

COORDINATE_FACETS = {"X": "map_x", "Y": "map_y", "Z": "map_z", "T": "series_time"}
"""By the first letter of the type of an axis: X or XA, Time."""
_HEADER = re.compile(
    rb"(?:^|[\r\n])#(Acq\. time|Accumulations|Laser|Spectro|Grating|Objective|Detector|AxisUnit\[)"
)


class LabspecText:
    """Reads every spectrum; coordinates of a map are facets where their unit is given."""

    name = "labspec-text"
    version = 3
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """At least two keys of a LabSpec header."""
        return b"\0" not in head and len(set(_HEADER.findall(head))) >= 2

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file, in latin-1 or UTF-8."""
        check_size(path, MAX_TEXT_BYTES)
        lines = text_lines(path.read_bytes())
        header, data_start = header_of(lines)
        axis = axis_of(header)
        if axis is None:
            raise UnreadableFileError(
                f"the header of {path.name} does not state the unit of its axis; export it with "
                "its whole header"
            )
        table = spectra_of(path, lines, data_start)
        coordinates = axis_coordinates(path, axis, table.positions)
        values, units = dict(header), coordinate_units(header)
        shared = header_facets(header)
        if axis.name == "raman_shift":
            shared.append(Facet("technique", "Raman spectroscopy", "header:AxisUnit"))
        unit = "count" if units.get("Intens", "Cnt") == "Cnt" else units["Intens"] or "arb. unit"
        title, is_map = values.get("Title") or path.stem, len(table.values) > 1
        spectra = [
            spectrum(
                str(i), f"{title} #{i}" if is_map else title, coordinates, values, unit,
                first_of_each_name([*_map_facets(table.coordinates[i], units), *shared]),
            )
            for i, values in enumerate(table.values)
        ]  # fmt: skip
        return Reading(spectra, header, suffix_warnings(path, "a LabSpec text", *TEXT_SUFFIXES))


def _map_facets(numbers: NDArray[np.float64], units: dict[str, str]) -> Iterator[Facet]:
    """Coordinates of one spectrum, whose columns are in the order of the axes."""
    kinds = [kind for kind in units if kind[:1] in COORDINATE_FACETS]
    if len(kinds) == len(numbers):
        for kind, number in zip(kinds, numbers, strict=True):
            yield from quantity_facets(
                COORDINATE_FACETS[kind[0]], float(number), units[kind], f"AxisType {kind}"
            )


Pairs = list[tuple[str, str]]
_PAIR = re.compile(r"#([^=\t]{1,80})=\s*(.*)")
_IN_NAME = re.compile(r"(?:Spectro|Range)\s*\(([^)]*)\)")


@dataclass(frozen=True)
class LabspecSpectra:
    """Positions (n,), intensities (m, n), and coordinates (m, k) of a map."""

    positions: NDArray[np.float64]
    values: NDArray[np.float64]
    coordinates: NDArray[np.float64]


def header_of(lines: Sequence[str]) -> tuple[Pairs, int]:
    """``#key=value`` lines, and the index of the first line after them."""
    pairs: Pairs = []
    for number, line in enumerate(lines):
        match = _PAIR.match(line)
        if match is None and line.strip():
            return pairs, number
        if match:
            pairs.append((match[1].strip(), match[2].strip()))
    return pairs, len(lines)


def axis_of(pairs: Pairs) -> SpectralAxis | None:
    """The axis: the unit that LabSpec 6 states of it, or LabSpec 5 in a key."""
    values = dict(pairs)
    for number in range(4):
        if values.get(f"AxisType[{number}]", "").startswith("Spectr"):
            return _shift(parse_axis(values.get(f"AxisUnit[{number}]", "")))
    units = (_IN_NAME.match(key) for key, _ in pairs)
    return _shift(next((parse_axis(unit[1]) for unit in units if unit), None))


def coordinate_units(pairs: Pairs) -> dict[str, str]:
    """Units of the coordinates of a map by their type: ``{"X": "µm", "Time": "s"}``."""
    values = dict(pairs)
    return {
        values[f"AxisType[{n}]"]: values.get(f"AxisUnit[{n}]", "")
        for n in range(8)
        if f"AxisType[{n}]" in values
    }


def spectra_of(path: Path, lines: Sequence[str], start: int) -> LabspecSpectra:
    """Two columns, or a line of positions above lines of coordinates and intensities.

    Raises:
        UnreadableFileError: lines are ragged or have something that is not a number.
    """
    first = lines[start] if start < len(lines) else ""
    indent = len(first) - len(first.lstrip("\t"))
    if not indent:
        table = read_rows(path, lines, start)
        if not len(table) or table.shape[1] != 2:
            raise UnreadableFileError(
                f"{path.name} does not have two columns of numbers after its header; export it "
                "again"
            )
        return LabspecSpectra(table[:, 0], table[:, 1:].T, np.empty((1, 0)))
    positions = parse_row(first) or []
    table = read_rows(path, lines, start + 1)
    if not len(table) or table.shape[1] != indent + len(positions):
        raise UnreadableFileError(
            f"{path.name} is a map of {len(positions)} points whose lines have "
            f"{table.shape[1] - indent if len(table) else 0}; export it again"
        )
    return LabspecSpectra(np.array(positions), table[:, indent:], table[:, :indent])


def _shift(axis: SpectralAxis | None) -> SpectralAxis | None:
    """LabSpec writes 1/cm for Raman shifts."""
    return SpectralAxis("raman_shift", "cm^-1") if axis and axis.unit == "cm^-1" else axis


RULES: tuple[FacetRule, ...] = (
    ("laser_wavelength", "Laser", "nm"), ("laser_wavelength", "Laser (nm)", "nm"),
    ("exposure_time", "Acq. time (s)", "s"), ("accumulations", "Accumulations", ""),
    ("operator", "User", None), ("operator", "Operator", None), ("sample", "Sample", None),
    ("project", "Project", None), ("comment", "Remark", None), ("objective", "Objective", None),
    ("grating", "Grating", None), ("detector", "Detector", None), ("filter", "Filter", None),
    ("instrument", "Instrument", None),
)  # fmt: skip
STEPS = (
    ("Spike filter", "spike filter"), ("DeNoise", "denoising"), ("Denoiser", "denoising"),
    ("ICS correction", "intensity correction"), ("Dark correction", "dark correction"),
    ("Inst. Process", "instrument processing"),
)  # fmt: skip
DATES = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S")


def header_facets(header: Header) -> list[Facet]:
    """What the header states about all spectra of a file."""
    acquired = dict(header).get("Acquired", "")
    return [
        *facets_by_rules(header, RULES),
        *moment_facets(acquired, "Acquired", DATES),
        *processing_by_settings(header, STEPS),
    ]
