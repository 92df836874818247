"""Instances of a composition library with its diffraction patterns, as DRNets reads them.

The format of Chen et al., "Automating crystal-structure phase mapping by combining deep learning
with constraint reasoning", Nat. Mach. Intell. 3, 812 (2021): ``key=value,value,...`` lines, one
list per quantity with one value per sample. Q is in 1/nm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.kit import (
    ELEMENT_SYMBOLS,
    MAX_TEXT_BYTES,
    TEXT_SUFFIXES,
    SpectralAxis,
    axis_coordinates,
    axis_from_sidecar,
    check_size,
    quantity_facets,
    read_sidecar,
    spectrum,
    suffix_warnings,
    text_facets,
    text_lines,
)
from motif.ingest.readers.library.library_values import checked_fractions, distinct_samples


class DrnetsInstance:
    """Reads every sample as a diffraction pattern over Q with its composition and position."""

    name = "drnets-instance"
    version = 1
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The metadata section and its keys."""
        keys = (rb"M=\d", rb"Elements=", rb"Composition=", rb"N=\d")
        return b"\0" not in head and all(
            re.search(rb"(?:^|[\r\n]|\xbf)" + key, head) for key in keys
        )

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the instance; it is refused if a list does not have one value per sample."""
        check_size(path, MAX_TEXT_BYTES)
        lists = lists_of(text_lines(path.read_bytes()))
        count, elements = samples_of(path, lists)
        declared, warnings = read_sidecar(path, context)
        q = numbers(path, lists, "Q")
        axis = axis_from_sidecar(declared) or q_axis(path, q)
        coordinates = axis_coordinates(path, axis, q)
        names = distinct_samples(texts(lists, "sample_no", count))
        shares = np.column_stack([numbers(path, lists, e, count) for e in elements])
        composition, composition_warnings = checked_fractions(path, names, shares)
        wafer_positions = [numbers(path, lists, key, count) for key in "XY" if key in lists]
        unit = str(declared.get("coordinate_unit", ""))
        if wafer_positions and not unit:
            warnings.append(
                f'X and Y have no unit; put {{"coordinate_unit": "mm"}} into {path.name}.json'
            )
        plates, patterns = (texts(lists, key, count) for key in ("plate_id", "pattern_fn"))
        measurements = []
        for i, name in enumerate(names):
            values = numbers(path, lists, f"I{i + 1}", len(q))
            facets = [
                *text_facets("sample", name, "sample_no"),
                *text_facets("plate", plates[i], "plate_id"),
                *text_facets("pattern", patterns[i], "pattern_fn"),
                Facet("technique", "X-ray diffraction", "header:Q"),
            ]
            for letter, positions in zip("xy", wafer_positions, strict=False):
                if unit:
                    position = positions[i]
                    facets += quantity_facets(f"wafer_{letter}", position, unit, letter.upper())
            measurement = spectrum(name, f"sample {name}", coordinates, values, "arb. unit", facets)
            fractions = dict(zip(elements, composition[i].tolist(), strict=True))
            measurements.append(replace(measurement, composition=fractions))
        header = [(k, v) for k, v in lists.items() if len(v) < 400]
        return Reading(
            measurements,
            header,
            [
                *warnings,
                *composition_warnings,
                *suffix_warnings(path, "a DRNets instance", *TEXT_SUFFIXES),
            ],
        )


MAX_SAMPLES = 100_000
PLAUSIBLE = (1.0, 12.0, 200.0)
"""Q in 1/nm is between the outer two and exceeds the middle one."""


def lists_of(lines: Sequence[str]) -> dict[str, str]:
    """The text of every key; the first of a repeated key counts."""
    lists: dict[str, str] = {}
    for line in lines:
        key, separator, value = line.partition("=")
        if separator and not line.startswith("//"):
            lists.setdefault(key.strip(), value.strip())
    return lists


def samples_of(path: Path, lists: Mapping[str, str]) -> tuple[int, list[str]]:
    """Number of samples and the elements of their composition."""
    count = lists.get("N", "")
    elements = [name.strip() for name in lists.get("Composition", "").split(",")]
    if not (count.isdecimal() and 0 < int(count[:9]) <= MAX_SAMPLES and len(count) < 9):
        raise UnreadableFileError(f"{path.name} declares N={count[:20]} samples; correct the file")
    if not set(elements) <= ELEMENT_SYMBOLS:
        raise UnreadableFileError(
            f"{path.name} declares Composition={','.join(elements)[:60]}, which are not chemical "
            "elements; "
            "correct the file"
        )
    return int(count), elements


def numbers(path: Path, lists: Mapping[str, str], key: str, count: int = 0) -> NDArray[np.float64]:
    """One list as numbers.

    Raises:
        UnreadableFileError: it is missing, has something that is not a number, or does not have
            `count` of them.
    """
    cells_text = lists.get(key, "")
    try:
        values = np.array([float("x" if "_" in cell else cell) for cell in cells_text.split(",")])
    except ValueError:
        raise UnreadableFileError(
            f"{path.name} has no list of numbers {key}= (it is {cells_text[:40]!r}); it is cut "
            "short or "
            "damaged: fetch it again"
        ) from None
    if count and len(values) != count:
        raise UnreadableFileError(
            f"{key}= of {path.name} has {len(values):,} numbers instead of {count:,}; it "
            "is cut short: fetch it again"
        )
    return values


def texts(lists: Mapping[str, str], key: str, count: int) -> list[str]:
    """One list as text, empty where it is missing or of another length."""
    values = [cell.strip() for cell in lists.get(key, "").split(",")]
    return values if len(values) == count else [""] * count


def q_axis(path: Path, q: NDArray[np.float64]) -> SpectralAxis:
    """The axis of the patterns, in 1/nm as published.

    Raises:
        UnreadableFileError: the values cannot be in 1/nm.
    """
    lowest, threshold, highest = PLAUSIBLE
    if lowest < q.min() and threshold < q.max() < highest:
        return SpectralAxis("q", "1/nm")
    raise UnreadableFileError(
        f"Q of {path.name} runs from {q.min():g} to {q.max():g}, which is not in 1/nm as in the "
        'published format; put {"axis": "q", "axis_unit": "1/angstrom"} into '
        f"{path.name}.json next to it if it is in another unit"
    )
