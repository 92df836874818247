"""Entries of the Raman Open Database (``.rod``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.kit import (
    MAX_TEXT_BYTES,
    FacetRule,
    SpectralAxis,
    atomic_fractions,
    axis_coordinates,
    check_size,
    facets_by_rules,
    first_of_each_name,
    moment_facets,
    processing_by_settings,
    spectrum,
    suffix_warnings,
    text_lines,
)

X, Y = "_raman_spectrum.raman_shift", "_raman_spectrum.intensity"
DEVICE, MEASUREMENT = "_raman_measurement_device.", "_raman_measurement."
DATES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")
STEPS = ((MEASUREMENT + "baseline_correction", "baseline correction"),)
RULES: tuple[FacetRule, ...] = (
    ("material", "_chemical_name_mineral", None), ("material", "_chemical_name_common", None),
    ("material", "_chemical_name_systematic", None), ("made_by", "_chemical_compound_source", None),
    ("laser_wavelength", DEVICE + "excitation_laser_wavelength", "nm"),
    ("laser_power", DEVICE + "power_on_sample", "mW"),
    ("instrument", DEVICE + "model", None), ("resolution", DEVICE + "resolution", "1/cm"),
    ("temperature", MEASUREMENT + "temperature", "K"),
    ("pressure", MEASUREMENT + "pressure", "kPa"),
    ("exposure_time", MEASUREMENT + "integration_time", "s"),
    ("accumulations", MEASUREMENT + "number_of_accumulations", ""),
    ("status", "_raman_determination.method", None),
)  # fmt: skip
"""Units as the database's dictionary gives them."""


class RodCif:
    """Reads the spectrum of an entry, with the composition of its sum formula."""

    name = "rod-cif"
    version = 2
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """A data block, with items of the database's dictionary or its address."""
        ours = b"_raman_" in head or b"_rod_d" in head or b"Raman Open Database" in head
        return ours and re.search(rb"(?:^|[\r\n])data_", head) is not None

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the entry; an entry without intensities is refused."""
        check_size(path, MAX_TEXT_BYTES)
        items, loops = read_cif(path, text_lines(path.read_bytes()))
        table = next(((column, r) for column, r in loops if X in column and Y in column), None)
        if table is None:
            raise UnreadableFileError(
                f"{path.name} has no table of {X} and {Y}, so it has no spectrum; download it again"
            )
        names, rows = table
        try:
            x, y = (
                np.array([float(row[names.index(column)]) for row in rows]) for column in (X, Y)
            )
        except ValueError as error:
            raise UnreadableFileError(
                f"{path.name} is damaged: {error} in its spectrum; download it again"
            ) from error
        facets = [
            Facet("technique", "Raman spectroscopy", f"header:{X}"),
            *facets_by_rules(items, RULES),
        ]
        values = dict(items)
        started = values.get(MEASUREMENT + "datetime_initiated", "")
        facets += [
            *moment_facets(started, "datetime_initiated", DATES),
            *processing_by_settings(items, STEPS),
        ]
        material = next((f.value for f in facets if f.name == "material"), path.stem)
        coordinates = axis_coordinates(path, SpectralAxis("raman_shift", "cm^-1"), x)
        measurement = spectrum(
            "0", str(material), coordinates, y, "arb. unit", first_of_each_name(facets)
        )
        measurement = replace(
            measurement, composition=atomic_fractions(values.get("_chemical_formula_sum", ""))
        )
        return Reading([measurement], items, suffix_warnings(path, "a ROD entry", ".rod", ".cif"))


Loop = tuple[list[str], list[list[str]]]
_WORD = re.compile(r"""'((?:[^']|'(?=\S))*)'(?=\s|$)|"((?:[^"]|"(?=\S))*)"(?=\s|$)|(#.*)|(\S+)""")


def read_cif(path: Path, lines: Sequence[str]) -> tuple[list[tuple[str, str]], list[Loop]]:
    """Single items in file order, and loops as names with their rows.

    Raises:
        UnreadableFileError: a text field does not end, or a loop has an incomplete row.
    """
    items: list[tuple[str, str]] = []
    loops: list[Loop] = []
    name = ""
    names: list[str] | None = None
    values: list[str] = []

    def close() -> None:
        nonlocal names
        if names is not None:
            loops.append((names, _rows(path, names, values)))
            names, values[:] = None, []

    for text, plain in _tokens(path, lines):
        if plain and text.startswith("_"):
            if names is not None and not values:
                names.append(text)
                continue
            close()
            name = text
        elif plain and text.lower() == "loop_":
            close()
            names = []
        elif plain and text.lower().startswith("data_"):
            close()
        elif names is not None:
            values.append(text)
        elif name:
            items.append((name, text))
            name = ""
    close()
    return items, loops


def _rows(path: Path, names: Sequence[str], values: Sequence[str]) -> list[list[str]]:
    if not names or len(values) % len(names):
        raise UnreadableFileError(
            f"{path.name} is cut short or damaged: its table of {', '.join(names) or 'no columns'} "
            f"has {len(values)} values; download it again"
        )
    return [list(values[i : i + len(names)]) for i in range(0, len(values), len(names))]


def _tokens(path: Path, lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield (text, whether it is written without quotes)."""
    text_field: list[str] | None = None
    for line in lines:
        if line.startswith(";"):
            if text_field is None:
                text_field = [line[1:]]
            else:
                yield "\n".join(text_field).strip(), False
                text_field = None
            continue
        if text_field is not None:
            text_field.append(line)
            continue
        for match in _WORD.finditer(line):
            single, double, comment, word = match.groups()
            if word is not None:
                yield word, True
            elif comment is None:
                yield single if single is not None else double, False
    if text_field is not None:
        raise UnreadableFileError(
            f"{path.name} ends within the text {text_field[0][:40]!r}; download it again"
        )
