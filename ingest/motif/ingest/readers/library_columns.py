"""What the columns of a composition library table mean.

The published form is ``Sample, <elements>, <positions on the axis>, P``: headings before the
first number are the sample and its elements, numbers are the axis of the spectrum, what follows
it are figures of merit. ``P`` behind the axis is therefore a figure of merit, before it it is
phosphorus. Instead of the spectrum itself a table may name the file that holds it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from motif.core.records import STANDARD_FACETS
from motif.core.units import si
from motif.ingest.readers.elements import SYMBOLS

DELIMITERS = ",\t;"
TITLE_LINES = 3
"""Lines that may stand before the headings."""
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
class Columns:
    """Where in a row each part of a sample stands."""

    headings: tuple[str, ...]
    delimiter: str
    sample: int | None
    elements: tuple[int, ...]
    axis: slice
    targets: tuple[int, ...]
    file: int | None = None
    places: tuple[int, ...] = ()
    facets: tuple[int, ...] = ()

    @property
    def symbols(self) -> list[str]:
        return [split_unit(self.headings[i])[0] for i in self.elements]

    @property
    def positions(self) -> list[float]:
        """Axis of the spectra, as the headings say."""
        return [position(heading)[0] for heading in self.headings[self.axis]]

    @property
    def axis_unit(self) -> str:
        """Unit written behind every position, "" where there is none."""
        units = {position(heading)[1] for heading in self.headings[self.axis]}
        return units.pop() if len(units) == 1 else ""

    def target(self, index: int) -> tuple[str, str]:
        """Name and unit of a figure of merit; a unit nobody knows stays part of the name."""
        name, unit = split_unit(self.headings[index])
        if not unit:
            return name, PUBLISHED_UNITS.get(name, "")
        return (name, unit) if _is_unit(unit) else (self.headings[index], "")

    @property
    def ignored(self) -> list[str]:
        """Headings that mean nothing to Motif."""
        used = {self.sample, self.file, *self.elements, *self.targets, *self.places, *self.facets}
        used.update(range(self.axis.start, self.axis.stop))
        return [h for i, h in enumerate(self.headings) if i not in used and h]


def find_columns(lines: Sequence[str]) -> tuple[int, Columns] | None:
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
    """Divide ``P (mW/cm^2)`` into name and unit."""
    unit = _UNIT.search(heading)
    if unit is None:
        return heading, ""
    return heading[: unit.start()].strip(), (unit.group(1) or unit.group(2) or "").strip()


def position(heading: str) -> tuple[float, str]:
    """Place on the axis and unit behind it: ``532.1``, ``400 nm``; NaN for another heading."""
    found = _POSITION.fullmatch(heading)
    return (float(found[1]), (found[2] or "").strip()) if found else (float("nan"), "")


def _columns(headings: list[str], delimiter: str) -> Columns | None:
    """Interpret one line as headings; None if it is not such a line."""
    numeric = [_POSITION.fullmatch(heading) is not None for heading in headings]
    places = _places(headings)
    if sum(numeric) >= 2:
        start = numeric.index(True)
        stop = next((i for i in range(start, len(headings)) if not numeric[i]), len(headings))
        file = None
        elements = [i for i in range(start) if _is_element(headings[i]) and i not in places]
        rest = range(stop, len(headings))
    else:
        start = stop = len(headings)
        file = next((i for i, h in enumerate(headings) if _FILE.fullmatch(h)), None)
        elements = _run([_is_element(h) and i not in places for i, h in enumerate(headings)])
        rest = range(len(headings))
    if len(elements) < 2 or (start == stop and file is None):
        return None
    sample = next((i for i in range(start) if _SAMPLE.fullmatch(headings[i])), None)
    facets = tuple(i for i, h in enumerate(headings) if _facet(h) and not numeric[i])
    taken = {sample, file, *elements, *places, *facets}
    return Columns(
        headings=tuple(headings),
        delimiter=delimiter,
        sample=sample,
        elements=tuple(elements),
        axis=slice(start, stop),
        targets=tuple(i for i in rest if headings[i] and not numeric[i] and i not in taken),
        file=file,
        places=places,
        facets=facets,
    )


def _places(headings: Sequence[str]) -> tuple[int, ...]:
    """The pair of columns of coordinates; a Y that follows no X is yttrium."""
    names = [_PLACE.fullmatch(split_unit(heading)[0]) for heading in headings]
    letters = [name[1].lower() if name else "" for name in names]
    for i in range(len(letters) - 1):
        if letters[i : i + 2] == ["x", "y"]:
            return (i, i + 1)
    return ()


def _run(flags: Sequence[bool]) -> list[int]:
    """Indices of the first unbroken run of true flags."""
    if True not in flags:
        return []
    start = flags.index(True)
    return list(
        range(start, next((i for i in range(start, len(flags)) if not flags[i]), len(flags)))
    )


def _facet(heading: str) -> bool:
    return split_unit(heading)[0].lower().replace(" ", "_") in FACETS


def _is_element(heading: str) -> bool:
    return split_unit(heading)[0] in SYMBOLS


def _is_unit(text: str) -> bool:
    try:
        si(1.0, text)
    except ValueError:
        return False
    return True
