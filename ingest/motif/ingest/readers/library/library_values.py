"""The numbers of a composition library table, checked cell by cell."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from motif.core.contracts import Reader, ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement
from motif.ingest.readers.file_recognition import choose, installed
from motif.ingest.readers.kit import first_of_each_name, spectrum
from motif.ingest.readers.library.library_columns import LibraryColumns, sample_facets

SUM_TOLERANCE = 1e-3
"""Deviation of a sum of atomic fractions from 1 that gives a warning."""
SUM_LIMIT = 0.1
"""Deviation with which it is not a composition."""


@dataclass(frozen=True)
class LibraryValues:
    """The table as arrays, one row per sample."""

    samples: list[str]
    composition: NDArray[np.float64]
    spectra: NDArray[np.float64]
    targets: NDArray[np.float64]
    columns: LibraryColumns
    """The columns, without figures of merit that have no number."""
    extras: list[dict[int, str]]
    """Cells of the columns of files, coordinates and facets."""
    warnings: list[str]


def read_values(
    path: Path, lines: Sequence[str], first: int, columns: LibraryColumns
) -> LibraryValues:
    """Parse the lines after the headings.

    Args:
        path: for messages.
        lines: all lines of the file.
        first: index of the first line after the headings.
        columns: what the columns mean.

    Raises:
        UnreadableFileError: ragged rows, a cell that is not a number, or rows that are not a
        composition.
    """
    table = list(_rows(path, lines, first, columns))
    columns = _with_numbers(columns, [cells for _, cells in table])
    wanted = [*columns.elements, *range(columns.axis.start, columns.axis.stop), *columns.targets]
    extra_columns = [
        i for i in (columns.file, *columns.coordinates, *columns.facets) if i is not None
    ]
    samples: list[str] = []
    extras: list[dict[int, str]] = []
    rows: list[list[float]] = []
    for number, cells in table:
        samples.append(cells[columns.sample].strip() if columns.sample is not None else "")
        extras.append({i: cells[i].strip() for i in extra_columns})
        rows.append(_floats(path, number, [cells[i] for i in wanted], columns, wanted))
    if not rows:
        raise UnreadableFileError(f"{path.name} has headings but no sample; export the table again")
    split = [len(columns.elements), len(wanted) - len(columns.targets)]
    composition, spectra, targets = np.split(np.array(rows), split, axis=1)
    names = distinct_samples(samples)
    composition, warnings = checked_fractions(path, names, composition)
    if missing := int((~np.isfinite(spectra)).any(axis=1).sum()):
        warnings.append(f"the spectra of {missing} samples have points that were not measured")
    if len(set(samples)) < len(samples) and columns.sample is not None:
        warnings.append("sample names repeat; the later ones carry their occurrence, as in A #2")
    return LibraryValues(names, composition, spectra, targets, columns, extras, warnings)


def _with_numbers(columns: LibraryColumns, table: Sequence[Sequence[str]]) -> LibraryColumns:
    """The columns without figures of merit whose cells have text and no number."""
    kept = [
        index
        for index in columns.targets
        if any(_number(row[index]) is not None and row[index].strip() for row in table)
        or not any(row[index].strip() for row in table)
    ]
    return replace(columns, targets=tuple(kept))


def _rows(
    path: Path, lines: Sequence[str], first: int, columns: LibraryColumns
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
                    f"{len(columns.headings)} headings; the table is cut short or its cells "
                    "contain the delimiter: export it again"
                )
            yield number, cells
    except csv.Error as error:
        raise UnreadableFileError(
            f"{path.name} is not a regular table ({error}); export it again"
        ) from error


def _floats(
    path: Path, number: int, cells: list[str], columns: LibraryColumns, wanted: Sequence[int]
) -> list[float]:
    """Numbers of one row, NaN for an empty cell."""
    plain = "_" not in "".join(cells)  # Python takes 0_46538 for 46538
    with suppress(ValueError):
        if plain:
            return list(map(float, cells))
    for cell, index in zip(cells, wanted, strict=True):
        if _number(cell) is None:
            raise UnreadableFileError(
                f"line {number} of {path.name} has {cell.strip()!r} under "
                f"{columns.headings[index]}, which is not a number; correct the table"
            )
    return [value for cell in cells if (value := _number(cell)) is not None]


def _number(cell: str) -> float | None:
    """A cell as a number, NaN where it is empty, None for other text."""
    try:
        return None if "_" in cell else float(cell.strip() or "nan")
    except ValueError:
        return None


def distinct_samples(samples: Sequence[str]) -> list[str]:
    """Sample names with an occurrence where they repeat, a running number where there is none."""
    seen: dict[str, int] = {}
    names = []
    for number, sample in enumerate(samples, 1):
        name = sample or str(number)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return names


def checked_fractions(
    path: Path, names: Sequence[str], composition: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[str]]:
    """Atomic fractions (n, E), from percent where the table has percent, and warnings about them.

    Raises:
        UnreadableFileError: rows that are not a composition.
    """
    sums = composition.sum(axis=1)
    warnings = []
    if np.abs(np.median(sums) - 100) < 100 * SUM_LIMIT:
        composition, sums = composition / 100, sums / 100
        warnings.append("the composition is in at.% and was divided by 100")
    bad = ~(np.abs(sums - 1) <= SUM_LIMIT) | (composition < -SUM_TOLERANCE).any(axis=1)
    if bad.any():
        worst = int(np.flatnonzero(bad)[0])
        raise UnreadableFileError(
            f"{int(bad.sum())} of {len(names)} samples of {path.name} have no valid composition: "
            f"the fractions of sample {names[worst]} add up to {sums[worst]:g}; correct the table"
        )
    if inexact := int((np.abs(sums - 1) > SUM_TOLERANCE).sum()):
        deviation = float(np.abs(sums - 1).max())
        warnings.append(
            f"the fractions of {inexact} samples do not add up to 1 (at most {deviation:.4f} off)"
        )
    return composition, warnings


def inline_spectra(
    values: LibraryValues, coordinates: xr.Coordinates, unit: str
) -> list[Measurement]:
    """One spectrum per row on a common axis."""
    return [
        spectrum(sample, f"sample {sample}", coordinates, np.ascontiguousarray(row), unit, ())
        for sample, row in zip(values.samples, values.spectra, strict=True)
    ]


def library_measurements(
    values: LibraryValues,
    measured: Sequence[Measurement],
    common: Sequence[Facet],
    declared: Mapping[str, Any],
) -> list[Measurement]:
    """Spectra with what the table states about their samples, which has precedence.

    Args:
        values: the table.
        measured: one spectrum per row, inline or from a companion file.
        common: facets of all samples.
        declared: the sidecar of the table.
    """
    columns = values.columns
    targets = [columns.target(index) for index in columns.targets]
    rows = zip(
        values.samples,
        measured,
        values.composition.tolist(),
        values.targets.tolist(),
        values.extras,
        strict=True,
    )
    return [
        replace(
            sample_spectrum,
            key=sample,
            title=f"sample {sample}",
            facets=first_of_each_name(
                [
                    *sample_facets(columns, sample, extras, declared),
                    *common,
                    *sample_spectrum.facets,
                ]
            ),
            composition=dict(zip(columns.symbols, shares, strict=True)),
            targets={
                name: (value, unit) for (name, unit), value in zip(targets, figures, strict=True)
            },
        )
        for sample, sample_spectrum, shares, figures, extras in rows
    ]


TABLES = frozenset({"composition-table", "composition-workbook", "drnets-instance"})
"""Readers that are not used for the files of a table: they read tables."""


def read_spectrum_files(
    path: Path,
    names: Sequence[str],
    context: ReaderContext,
    readers: Sequence[Reader] | None = None,
) -> list[Measurement]:
    """The one spectrum of every named file.

    Args:
        path: the table; names are relative to its folder and do not leave it.
        names: one per sample; the same file is read once.
        context: the context of the table, which records the files used.
        readers: readers to choose from, the installed ones unless given.

    Raises:
        UnreadableFileError: a file is missing, unreadable, or does not have exactly one spectrum.
    """
    candidates = [r for r in (readers or installed()) if r.name not in TABLES]
    folder = path.parent.resolve()
    spectra: dict[str, Measurement] = {}
    missing = sorted({name for name in names if _locate(folder, name, context) is None})
    if missing:
        raise UnreadableFileError(
            f"{path.name} names {len(missing)} files of spectra that are not in its folder, the "
            f"first {missing[0][:80]!r}; put them into the folder of the table"
        )
    for name in names:
        spectrum_path = _locate(folder, name, context)
        if name in spectra or spectrum_path is None:
            continue
        try:
            reader = choose(spectrum_path, candidates)
            measurements = reader(spectrum_path, context.for_companion(spectrum_path)).measurements
        except UnreadableFileError as error:
            raise UnreadableFileError(f"{path.name} needs {name}, but {error}") from error
        if len(measurements) != 1 or measurements[0].kind != "spectrum":
            raise UnreadableFileError(
                f"{path.name} needs one spectrum from {name}, which has {len(measurements)} "
                f"{measurements[0].kind if measurements else 'measurement'}s; name a file with one"
            )
        spectra[name] = measurements[0]
    return [spectra[name] for name in names]


def _locate(folder: Path, name: str, context: ReaderContext) -> Path | None:
    """The file of a name inside the folder, None where there is none or it is elsewhere."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if not name or "\0" in name or parts.is_absolute() or ".." in parts.parts or len(name) > 1000:
        return None
    try:
        spectrum_path = (folder / parts).resolve()
        if not spectrum_path.is_relative_to(folder):
            return None
        context.use_companion(spectrum_path)
        return spectrum_path if spectrum_path.is_file() else None
    except OSError:
        return None
