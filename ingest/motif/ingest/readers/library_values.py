"""The numbers of a composition library table, checked cell by cell."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.library_columns import Columns

SUM_TOLERANCE = 1e-3
"""How far atomic fractions may add up to something else than 1 before it is remarked."""
SUM_LIMIT = 0.1
"""How far before it is no composition."""


@dataclass(frozen=True)
class Values:
    """The table as arrays, one row a sample."""

    samples: list[str]
    composition: NDArray[np.float64]
    spectra: NDArray[np.float64]
    targets: NDArray[np.float64]
    columns: Columns
    """The columns, without figures of merit that hold no number."""
    extras: list[dict[int, str]]
    """Cells of the columns of files, places and facets."""
    notes: list[str]


def read_values(path: Path, lines: Sequence[str], first: int, columns: Columns) -> Values:
    """Parse the lines after the headings.

    Args:
        path: for messages.
        lines: all lines of the file.
        first: index of the first line after the headings.
        columns: what the columns mean.

    Raises:
        UnreadableFileError: ragged rows, a cell that is no number, or rows that are no composition.
    """
    table = list(_rows(path, lines, first, columns))
    columns = _with_numbers(columns, [cells for _, cells in table])
    wanted = [*columns.elements, *range(columns.axis.start, columns.axis.stop), *columns.targets]
    others = [i for i in (columns.file, *columns.places, *columns.facets) if i is not None]
    samples: list[str] = []
    extras: list[dict[int, str]] = []
    rows: list[list[float]] = []
    for number, cells in table:
        samples.append(cells[columns.sample].strip() if columns.sample is not None else "")
        extras.append({i: cells[i].strip() for i in others})
        rows.append(_floats(path, number, [cells[i] for i in wanted], columns, wanted))
    if not rows:
        raise UnreadableFileError(f"{path.name} has headings but no sample; export the table again")
    split = [len(columns.elements), len(wanted) - len(columns.targets)]
    composition, spectra, targets = np.split(np.array(rows), split, axis=1)
    names = distinct(samples)
    composition, notes = fractions(path, names, composition)
    if missing := int((~np.isfinite(spectra)).any(axis=1).sum()):
        notes.append(f"the spectra of {missing} samples have points that were not measured")
    if len(set(samples)) < len(samples) and columns.sample is not None:
        notes.append("sample names repeat; the later ones carry their occurrence, as in A #2")
    return Values(names, composition, spectra, targets, columns, extras, notes)


def _with_numbers(columns: Columns, table: Sequence[Sequence[str]]) -> Columns:
    """The columns without figures of merit whose cells hold text and no number: remarks."""
    kept = [
        index
        for index in columns.targets
        if any(_number(row[index]) is not None and row[index].strip() for row in table)
        or not any(row[index].strip() for row in table)
    ]
    return replace(columns, targets=tuple(kept))


def _rows(
    path: Path, lines: Sequence[str], first: int, columns: Columns
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of every line that is not blank."""
    reader = csv.reader(lines[first:], delimiter=columns.delimiter)
    try:
        for number, cells in enumerate(reader, first + 1):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns.headings):
                raise UnreadableFileError(
                    f"line {number} of {path.name} has {len(cells)} cells under "
                    f"{len(columns.headings)} headings; the table is cut short or its cells hold "
                    "the delimiter: export it again"
                )
            yield number, cells
    except csv.Error as error:
        raise UnreadableFileError(
            f"{path.name} is no regular table ({error}); export it again"
        ) from error


def _floats(
    path: Path, number: int, cells: list[str], columns: Columns, wanted: Sequence[int]
) -> list[float]:
    """Numbers of one row, an empty cell being not measured."""
    plain = "_" not in "".join(cells)  # Python takes 0_46538 for 46538
    with suppress(ValueError):
        if plain:
            return list(map(float, cells))
    for cell, index in zip(cells, wanted, strict=True):
        if _number(cell) is None:
            raise UnreadableFileError(
                f"line {number} of {path.name} has {cell.strip()!r} under "
                f"{columns.headings[index]}, which is no number; correct the table"
            )
    return [value for cell in cells if (value := _number(cell)) is not None]


def _number(cell: str) -> float | None:
    """A cell as a number, NaN where it is empty, None where it is something else."""
    try:
        return None if "_" in cell else float(cell.strip() or "nan")
    except ValueError:
        return None


def distinct(samples: Sequence[str]) -> list[str]:
    """Sample names with an occurrence where they repeat, a running number where there is none."""
    seen: dict[str, int] = {}
    names = []
    for number, sample in enumerate(samples, 1):
        name = sample or str(number)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return names


def fractions(
    path: Path, names: Sequence[str], composition: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[str]]:
    """Atomic fractions (n, E), from percent where the table holds percent, and remarks on them.

    Raises:
        UnreadableFileError: rows that are no composition.
    """
    sums = composition.sum(axis=1)
    notes = []
    if np.abs(np.median(sums) - 100) < 100 * SUM_LIMIT:
        composition, sums = composition / 100, sums / 100
        notes.append("the composition is in at.% and was divided by 100")
    bad = ~(np.abs(sums - 1) <= SUM_LIMIT) | (composition < -SUM_TOLERANCE).any(axis=1)
    if bad.any():
        worst = int(np.flatnonzero(bad)[0])
        raise UnreadableFileError(
            f"{int(bad.sum())} of {len(names)} samples of {path.name} have no valid composition: "
            f"the fractions of sample {names[worst]} add up to {sums[worst]:g}; correct the table"
        )
    if loose := int((np.abs(sums - 1) > SUM_TOLERANCE).sum()):
        off = float(np.abs(sums - 1).max())
        notes.append(f"the fractions of {loose} samples do not add up to 1 (at most {off:.4f} off)")
    return composition, notes
