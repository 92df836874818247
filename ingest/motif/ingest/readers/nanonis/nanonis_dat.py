"""Nanonis single spectra (.dat): tab-separated columns after ``key<tab>value`` lines."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header, Reading
from motif.ingest.readers.kit import (
    SpectralAxis,
    axis_coordinates,
    base_unit,
    check_size,
    decode_text,
    spectrum,
    suffix_warnings,
)
from motif.ingest.readers.nanonis.nanonis_header import (
    channel_and_unit,
    first_values,
    header_text,
    spectrum_facets,
)

LARGEST = 64 * 2**20
START = b"[DATA]"


class NanonisSpectrum:
    """Reads every column over the first, the swept signal."""

    name = "nanonis-dat"
    version = 3

    def recognises(self, head: bytes, name: str) -> bool:
        """The first key of the header, followed by a tab."""
        return head.startswith(b"Experiment\t")

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the columns, each a spectrum."""
        check_size(path, LARGEST)
        raw = path.read_bytes()
        text, data_start = header_text(path, raw, START)
        pairs = (line.split("\t") for line in re.split(r"[\r\n]+", text) if line.strip())
        header = [(cells[0].strip(), " ".join(cells[1:]).strip()) for cells in pairs]
        headings, table = _table(path, decode_text(raw[data_start:]))
        swept, unit_text = channel_and_unit(headings[0])
        scale, _, unit = base_unit(unit_text)
        dimension = re.sub(r"\W+", "_", swept.lower()).strip("_") or "sweep"
        on = axis_coordinates(path, SpectralAxis(dimension, unit or "1"), scale * table[:, 0])
        spectra = []
        for number, heading in enumerate(headings[1:], 1):
            name, unit_text = channel_and_unit(heading)
            scale, _, unit = base_unit(unit_text)
            facets = [Facet("channels", name or heading, "header:[DATA]"), *_facets(header)]
            key = f"{number}/{heading}"
            spectra.append(spectrum(key, name, on, scale * table[:, number], unit, facets))
        return Reading(spectra, header, suffix_warnings(path, "a Nanonis spectrum", ".dat"))


def _facets(header: Header) -> list[Facet]:
    return spectrum_facets(first_values(header))


def _table(path: Path, text: str) -> tuple[list[str], NDArray[np.float64]]:
    """Headings and numbers; every row must have a cell under every heading."""
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    headings = [cell.strip() for cell in lines[0].split("\t")] if lines else []
    rows = [line.split("\t") for line in lines[1:]]
    complete = all(len(row) == len(headings) for row in rows)
    if len(headings) < 2 or not rows or not complete or "_" in "".join(lines[1:]):
        raise UnreadableFileError(
            f"the {len(rows)} rows of {path.name} do not fit its {len(headings)} columns: the file "
            "is cut short or has no spectrum; export it again"
        )
    try:
        return headings, np.array([[float(cell) for cell in row] for row in rows])
    except ValueError as error:
        raise UnreadableFileError(
            f"{path.name} has a value that is not a number ({error}); export it again"
        ) from error
