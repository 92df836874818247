"""B&W Tek text files (BWSpec, BWRam): ``key;value`` lines, then a table by pixel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
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
    spectrum,
    suffix_warnings,
    text_lines,
)

RULES: tuple[FacetRule, ...] = (
    ("instrument", "model", None), ("laser_wavelength", "laser_wavelength", "nm"),
    ("exposure_time", "integration times(ms)", "ms"),
    ("exposure_time", "integration times(us)", "us"),
    ("exposure_time", "intigration times(ms)", "ms"),
    ("exposure_time", "intigration times(us)", "us"),
    ("accumulations", "average number", ""), ("laser_power_setting", "laser_powerlevel", None),
    ("operator", "operator", None), ("sample", "sample", None), ("comment", "comment", None),
)  # fmt: skip
"""``intigration`` is how BWRam 4 spells it."""
DECIMAL = re.compile(r"(?<=\d),(?=\d+$)")
"""The decimal comma of a number in a German or Bulgarian Windows."""
DATES = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S")


class BwtekText:
    """Reads the raw intensities on the first axis that is filled; a warning names other columns."""

    name = "bwtek-text"
    version = 3
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The version line every file begins with."""
        return re.match(rb"(\xef\xbb\xbf)?File Version;BW", head) is not None

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file; the axis is the Raman shift if the program computed it."""
        check_size(path, MAX_TEXT_BYTES)
        lines = text_lines(path.read_bytes())
        heading_line = next((i for i, line in enumerate(lines) if line.startswith("Pixel;")), None)
        if heading_line is None:
            raise UnreadableFileError(f"{path.name} ends before its table; export it again")
        pairs = [line.partition(";") for line in lines[:heading_line]]
        header = [(key.strip(), value.strip(" ;")) for key, _, value in pairs]
        table = read_table(path, lines, heading_line)
        point_decimals = [(key, DECIMAL.sub(".", value)) for key, value in header]
        facets = [
            *facets_by_rules(point_decimals, RULES),
            *moment_facets(dict(header).get("Date", ""), "Date", DATES),
        ]
        if table.axis.name == "raman_shift":
            facets.append(Facet("technique", "Raman spectroscopy", "header:Raman Shift"))
        coordinates = axis_coordinates(path, table.axis, table.positions)
        spectra = [
            spectrum(
                str(i),
                f"{path.stem} {name}",
                coordinates,
                values,
                "count",
                first_of_each_name(facets),
            )
            for i, (name, values) in enumerate(table.measured.items())
        ]
        warnings = suffix_warnings(path, "a B&W Tek text", *TEXT_SUFFIXES)
        return Reading(spectra, header, [*table.warnings, *warnings])


AXES = (
    ("Raman Shift", SpectralAxis("raman_shift", "cm^-1")),
    ("Wavelength", SpectralAxis("wavelength", "nm")),
    ("Wavenumber", SpectralAxis("wavenumber", "cm^-1")),
)  # fmt: skip
"""Columns of positions, the preferred one first."""
MEASURED = re.compile(r"Raw data #\d+", re.IGNORECASE)


@dataclass(frozen=True)
class BwtekTable:
    """One axis and the raw intensities on it; pixels without a position are left out."""

    axis: SpectralAxis
    positions: NDArray[np.float64]
    measured: dict[str, NDArray[np.float64]]
    warnings: list[str]


def read_table(path: Path, lines: Sequence[str], heading_line: int) -> BwtekTable:
    """The table whose headings are in the line of index `heading_line`.

    Raises:
        UnreadableFileError: a row is cut short, a cell is not a number, or axis or raw data are
            missing.
    """
    columns = [heading.strip() for heading in lines[heading_line].split(";")]
    cells = []
    for number, line in enumerate(lines[heading_line + 1 :], heading_line + 2):
        if line.strip():
            cells.append(line.split(";"))
            if len(cells[-1]) != len(columns):
                raise UnreadableFileError(
                    f"line {number} of {path.name} has {len(cells[-1])} cells under "
                    f"{len(columns)} headings; it is cut short: export it again"
                )
    table = {name: _column(path, cells, i) for i, name in enumerate(columns) if name}
    empty = np.empty(0)
    filled = [pair for pair in AXES if np.isfinite(table.get(pair[0], empty)).any()]
    measured = [name for name in table if MEASURED.fullmatch(name)]
    if not filled or not measured:
        raise UnreadableFileError(
            f"{path.name} has no filled axis or no column of raw data; export it with both"
        )
    name, axis = filled[0]
    has_position = np.isfinite(table[name])
    other_columns = ", ".join(n for n in table if n not in (name, *measured))
    warnings = [f"only the raw data are read; further columns: {other_columns}"]
    if missing := int((~has_position).sum()):
        warnings.append(f"{missing} of {len(has_position)} pixels have no {name} and are left out")
    return BwtekTable(
        axis, table[name][has_position], {n: table[n][has_position] for n in measured}, warnings
    )


def _column(path: Path, cells: Sequence[Sequence[str]], index: int) -> NDArray[np.float64]:
    """Numbers of a column, NaN where it is blank."""
    numbers = []
    for row in cells:
        text = row[index].strip().replace(",", ".")
        try:
            numbers.append(float("x" if "_" in text else text or "nan"))
        except ValueError:
            raise UnreadableFileError(
                f"{path.name} has {text[:40]!r} instead of a number; export it again"
            ) from None
    return np.array(numbers, np.float64)
