"""What the columns of a composition library table mean.

The published form is ``Sample, <elements>, <wavenumbers>, P``: headings before the first number
are the sample and its elements, numbers are the axis of the spectrum, what follows it are figures
of merit. ``P`` behind the axis is therefore a figure of merit, before it it is phosphorus.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from motif.core.units import si
from motif.ingest.readers.elements import SYMBOLS

DELIMITERS = ",\t;"
TITLE_LINES = 3
"""Lines that may stand before the headings."""
PUBLISHED_UNITS = {"P": "mW/cm^2"}
"""Units of the published library, whose headings name none (Umehara et al. 2019)."""
_UNIT = re.compile(r"\s*(?:\(([^()]*)\)|\[([^\[\]]*)\])\s*$")
_SAMPLE = re.compile(r"sample([ _-]?(id|no|number|name))?\.?|id|name", re.IGNORECASE)


@dataclass(frozen=True)
class Columns:
    """Where in a row each part of a sample stands."""

    headings: tuple[str, ...]
    delimiter: str
    sample: int | None
    elements: tuple[int, ...]
    axis: slice
    targets: tuple[int, ...]

    @property
    def symbols(self) -> list[str]:
        return [_split(self.headings[i])[0] for i in self.elements]

    @property
    def positions(self) -> list[float]:
        """Axis of the spectra, as the headings say."""
        return [float(heading) for heading in self.headings[self.axis]]

    def target(self, index: int) -> tuple[str, str]:
        """Name and unit of a figure of merit; a unit nobody knows stays part of the name."""
        name, unit = _split(self.headings[index])
        if not unit:
            return name, PUBLISHED_UNITS.get(name, "")
        return (name, unit) if _is_unit(unit) else (self.headings[index], "")

    @property
    def ignored(self) -> list[str]:
        """Headings that mean nothing to Motif."""
        used = {self.sample, *self.elements, *self.targets}
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


def _columns(headings: list[str], delimiter: str) -> Columns | None:
    """Interpret one line as headings; None if it is not such a line."""
    numeric = [_is_number(heading) for heading in headings]
    if sum(numeric) < 2:
        return None
    start = numeric.index(True)
    stop = next((i for i in range(start, len(headings)) if not numeric[i]), len(headings))
    elements = tuple(i for i in range(start) if _split(headings[i])[0] in SYMBOLS)
    if len(elements) < 2:
        return None
    return Columns(
        headings=tuple(headings),
        delimiter=delimiter,
        sample=next((i for i in range(start) if _SAMPLE.fullmatch(headings[i])), None),
        elements=elements,
        axis=slice(start, stop),
        targets=tuple(i for i in range(stop, len(headings)) if headings[i] and not numeric[i]),
    )


def _split(heading: str) -> tuple[str, str]:
    """Divide ``P (mW/cm^2)`` into name and unit."""
    unit = _UNIT.search(heading)
    if unit is None:
        return heading, ""
    return heading[: unit.start()].strip(), (unit.group(1) or unit.group(2) or "").strip()


def _is_unit(text: str) -> bool:
    try:
        si(1.0, text)
    except ValueError:
        return False
    return True


def _is_number(heading: str) -> bool:
    return re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", heading) is not None
