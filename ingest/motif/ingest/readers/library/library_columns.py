"""What the columns of a composition library table mean.

The published form is ``Sample, <elements>, <positions on the axis>, P``: headings before the
first number are the sample and its elements, numbers are the axis of the spectrum, and the
columns after it are figures of merit. ``P`` after the axis is therefore a figure of merit, and
phosphorus before it. Instead of the spectrum a table may name a file of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from motif.core.records import STANDARD_FACETS, Facet
from motif.core.units import si
from motif.ingest.readers.kit import (
    ELEMENT_SYMBOLS,
    moment_facets,
    quantity_facets,
    quantity_text_facets,
    text_facets,
)

DELIMITERS = ",\t;"
TITLE_LINES = 3
"""Lines that may precede the headings."""
PUBLISHED_UNITS = {"P": "mW/cm^2"}
"""Units of the published library, whose headings name none (Umehara et al. 2019)."""
FACETS = frozenset(STANDARD_FACETS) - {"simulated", "pixels", "channels", "scan_size"}
"""Headings that are facets of a sample."""
_UNIT = re.compile(r"\s*(?:\(([^()]*)\)|\[([^\[\]]*)\])\s*$")
_SAMPLE = re.compile(r"sample([ _-]?(id|no|number|name))?\.?|id|name", re.IGNORECASE)
_FILE = re.compile(
    r"(?:[a-z]+[ _-]?)?(?:file(?:[ _-]?name)?|path)|spectrum|pattern[_ ]fn", re.IGNORECASE
)
_PLACE = re.compile(
    r"(?:(?:wafer|stage|pos|position)[ _-]?)?([xy])(?:[ _-](?:pos|position|coordinate))?",
    re.IGNORECASE,
)
_POSITION = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s.+-].{0,12})?")


@dataclass(frozen=True)
class LibraryColumns:
    """Indices of the columns of a table by their meaning."""

    headings: tuple[str, ...]
    delimiter: str
    sample: int | None
    elements: tuple[int, ...]
    axis: slice
    targets: tuple[int, ...]
    file: int | None = None
    coordinates: tuple[int, ...] = ()
    facets: tuple[int, ...] = ()

    @property
    def symbols(self) -> list[str]:
        return [split_unit(self.headings[i])[0] for i in self.elements]

    @property
    def positions(self) -> list[float]:
        """Axis of the spectra, from the headings."""
        return [axis_position(heading)[0] for heading in self.headings[self.axis]]

    @property
    def axis_unit(self) -> str:
        """Unit written after every position, "" where there is none."""
        units = {axis_position(heading)[1] for heading in self.headings[self.axis]}
        return units.pop() if len(units) == 1 else ""

    def target(self, index: int) -> tuple[str, str]:
        """Name and unit of a figure of merit; an unknown unit stays part of the name."""
        name, unit = split_unit(self.headings[index])
        if not unit:
            return name, PUBLISHED_UNITS.get(name, "")
        return (name, unit) if _is_unit(unit) else (self.headings[index], "")

    @property
    def ignored(self) -> list[str]:
        """Headings without a known meaning."""
        used = {
            self.sample,
            self.file,
            *self.elements,
            *self.targets,
            *self.coordinates,
            *self.facets,
        }
        used.update(range(self.axis.start, self.axis.stop))
        return [h for i, h in enumerate(self.headings) if i not in used and h]


def find_columns(lines: Sequence[str]) -> tuple[int, LibraryColumns] | None:
    """Find the line of headings among the first lines and what they mean."""
    for number, line in enumerate(lines[: TITLE_LINES + 1]):
        for delimiter in DELIMITERS:
            columns = _columns(
                [h.strip().strip('"').strip() for h in line.split(delimiter)], delimiter
            )
            if columns is not None:
                return number, columns
    return None


def split_unit(heading: str) -> tuple[str, str]:
    """Split ``P (mW/cm^2)`` into name and unit."""
    unit = _UNIT.search(heading)
    if unit is None:
        return heading, ""
    return heading[: unit.start()].strip(), (unit.group(1) or unit.group(2) or "").strip()


def axis_position(heading: str) -> tuple[float, str]:
    """Position on the axis and its unit: ``532.1``, ``400 nm``; NaN for another heading."""
    match = _POSITION.fullmatch(heading)
    return (float(match[1]), (match[2] or "").strip()) if match else (float("nan"), "")


def _columns(headings: list[str], delimiter: str) -> LibraryColumns | None:
    """Interpret one line as headings; None if it is not such a line."""
    numeric = [_POSITION.fullmatch(heading) is not None for heading in headings]
    coordinates = _coordinate_columns(headings)
    if sum(numeric) >= 2:
        start = numeric.index(True)
        stop = next((i for i in range(start, len(headings)) if not numeric[i]), len(headings))
        file = None
        elements = [i for i in range(start) if _is_element(headings[i]) and i not in coordinates]
        rest = range(stop, len(headings))
    else:
        start = stop = len(headings)
        file = next((i for i, h in enumerate(headings) if _FILE.fullmatch(h)), None)
        elements = _run([_is_element(h) and i not in coordinates for i, h in enumerate(headings)])
        rest = range(len(headings))
    if len(elements) < 2 or (start == stop and file is None):
        return None
    sample = next((i for i in range(start) if _SAMPLE.fullmatch(headings[i])), None)
    facets = tuple(i for i, h in enumerate(headings) if _facet(h) and not numeric[i])
    used = {sample, file, *elements, *coordinates, *facets}
    return LibraryColumns(
        headings=tuple(headings),
        delimiter=delimiter,
        sample=sample,
        elements=tuple(elements),
        axis=slice(start, stop),
        targets=tuple(i for i in rest if headings[i] and not numeric[i] and i not in used),
        file=file,
        coordinates=coordinates,
        facets=facets,
    )


def _coordinate_columns(headings: Sequence[str]) -> tuple[int, ...]:
    """The pair of columns of coordinates; a Y that does not follow an X is yttrium."""
    names = [_PLACE.fullmatch(split_unit(heading)[0]) for heading in headings]
    letters = [name[1].lower() if name else "" for name in names]
    for i in range(len(letters) - 1):
        if letters[i : i + 2] == ["x", "y"]:
            return (i, i + 1)
    return ()


def _run(flags: Sequence[bool]) -> list[int]:
    """Indices of the first consecutive true flags."""
    if True not in flags:
        return []
    start = flags.index(True)
    return list(
        range(start, next((i for i in range(start, len(flags)) if not flags[i]), len(flags)))
    )


def _facet(heading: str) -> bool:
    return split_unit(heading)[0].lower().replace(" ", "_") in FACETS


def _is_element(heading: str) -> bool:
    return split_unit(heading)[0] in ELEMENT_SYMBOLS


def _is_unit(text: str) -> bool:
    try:
        si(1.0, text)
    except ValueError:
        return False
    return True


DATES = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
TECHNIQUES = {
    "raman_shift": "Raman spectroscopy", "two_theta": "X-ray diffraction",
    "q": "X-ray diffraction",
}  # fmt: skip


def technique_facets(dimension: str) -> Iterator[Facet]:
    """The technique an axis belongs to; wavelengths and energies belong to many."""
    if dimension in TECHNIQUES:
        yield Facet("technique", TECHNIQUES[dimension], "header:columns")


def sample_facets(
    columns: LibraryColumns, sample: str, extras: Mapping[int, str], declared: Mapping[str, Any]
) -> Iterator[Facet]:
    """What the columns of a sample state other than numbers for the analysis.

    Args:
        columns: what the columns mean.
        sample: name of the sample.
        extras: cells of the columns of coordinates and facets.
        declared: the sidecar, whose ``coordinate_unit`` is used where a heading names no unit.
    """
    origin = "columns" if columns.sample is None else columns.headings[columns.sample]
    yield Facet("sample", sample, f"header:{origin}")
    for letter, index in zip("xy", columns.coordinates, strict=False):
        if unit := coordinate_unit(columns, index, declared):
            yield from quantity_text_facets(
                f"wafer_{letter}", extras[index], unit, columns.headings[index]
            )
    for index in columns.facets:
        name, unit = split_unit(columns.headings[index])
        name = name.lower().replace(" ", "_")
        if name == "acquired_at":
            yield from moment_facets(extras[index], name, DATES)
        elif unit:
            yield from _number(name, extras[index], unit)
        elif name != "temperature":
            yield from text_facets(name, extras[index], columns.headings[index])


def coordinate_unit(columns: LibraryColumns, index: int, declared: Mapping[str, Any]) -> str:
    """Unit of a coordinate, "" where none is stated."""
    return split_unit(columns.headings[index])[1] or str(declared.get("coordinate_unit", ""))


def coordinate_warnings(
    columns: LibraryColumns, declared: Mapping[str, Any], name: str
) -> Sequence[str]:
    """A warning where coordinates have no unit."""
    missing = [
        columns.headings[i]
        for i in columns.coordinates
        if not coordinate_unit(columns, i, declared)
    ]
    if not missing:
        return []
    return [
        f"{' and '.join(missing)} have no unit and are left out; write x (mm), or put "
        f'{{"coordinate_unit": "mm"}} into {name}.json next to the table'
    ]


def _number(name: str, cell: str, unit: str) -> Iterator[Facet]:
    try:
        yield from quantity_facets(name, float(cell), unit, name)
    except ValueError:
        return
