"""Nanonis single spectra (.dat): tab-separated columns behind ``key<tab>value`` lines."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header, Reading
from motif.ingest.readers.naming import misnamed
from motif.ingest.readers.nanonis_header import head_of, lookup, signal, spectrum_facets
from motif.ingest.readers.spectral_axes import Axis
from motif.ingest.readers.spectrum import coordinates, sized, spectrum
from motif.ingest.readers.spm_values import base_unit, decoded

LARGEST = 64 * 2**20
START = b"[DATA]"


class NanonisSpectrum:
    """Reads every column over the first, the swept signal."""

    name = "nanonis-dat"
    version = 2

    def recognises(self, head: bytes, name: str) -> bool:
        """The first key of the header, a tab behind it."""
        return head.startswith(b"Experiment\t")

    def __call__(self, path: Path) -> Reading:
        """Read the columns, each a spectrum."""
        sized(path, LARGEST)
        raw = path.read_bytes()
        text, at = head_of(path, raw, START)
        pairs = (line.split("\t") for line in re.split(r"[\r\n]+", text) if line.strip())
        header = [(cells[0].strip(), " ".join(cells[1:]).strip()) for cells in pairs]
        headings, table = _table(path, decoded(raw[at:]))
        swept, told = signal(headings[0])
        scale, _, unit = base_unit(told)
        dimension = re.sub(r"\W+", "_", swept.lower()).strip("_") or "sweep"
        on = coordinates(path, Axis(dimension, unit or "1"), scale * table[:, 0])
        found = []
        for number, heading in enumerate(headings[1:], 1):
            name, told = signal(heading)
            scale, _, unit = base_unit(told)
            facets = [Facet("channels", name or heading, "header:[DATA]"), *_facets(header)]
            key = f"{number}/{heading}"
            found.append(spectrum(key, name, on, scale * table[:, number], unit, facets))
        return Reading(found, header, misnamed(path, "a Nanonis spectrum", ".dat"))


def _facets(header: Header) -> list[Facet]:
    return spectrum_facets(lookup(header))


def _table(path: Path, text: str) -> tuple[list[str], NDArray[np.float64]]:
    """Headings and numbers; every row must have a cell under every heading."""
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    headings = [cell.strip() for cell in lines[0].split("\t")] if lines else []
    rows = [line.split("\t") for line in lines[1:]]
    whole = all(len(row) == len(headings) for row in rows)
    if len(headings) < 2 or not rows or not whole or "_" in "".join(lines[1:]):
        raise UnreadableFileError(
            f"the {len(rows)} rows of {path.name} do not fit its {len(headings)} columns: the file "
            "is cut short or holds no spectrum; export it again"
        )
    try:
        return headings, np.array([[float(cell) for cell in row] for row in rows])
    except ValueError as error:
        raise UnreadableFileError(
            f"{path.name} holds a value that is no number ({error}); export it again"
        ) from error
