"""JCAMP-DX spectra (``.jdx``, ``.dx``): single, compound (LINK) and paged (NTUPLES)."""

from __future__ import annotations

import re
from pathlib import Path

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Measurement, Reading
from motif.ingest.readers.jcamp.jcamp_format import JcampBlock, data_blocks, read_blocks
from motif.ingest.readers.jcamp.jcamp_tables import (
    JcampCurve,
    axis_of,
    block_facets,
    curves,
    intensity_unit,
)
from motif.ingest.readers.kit import axis_coordinates, check_size, spectrum, suffix_warnings

LARGEST = 1 << 26
_TITLE = re.compile(rb"(?:^|[\r\n])\s*##\s*TITLE\s*=", re.IGNORECASE)
_VERSION = re.compile(rb"[\r\n]\s*##\s*JCAMP[-_ ]?(DX|CS)\s*=", re.IGNORECASE)


class JcampDx:
    """Reads every table that has as many points as it declares, on its own axis."""

    name = "jcamp-dx"
    version = 2
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """A title and a version of JCAMP-DX, after any text before them."""
        return b"\0" not in head and bool(_TITLE.search(head) and _VERSION.search(head))

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file; it is refused if one of its tables is damaged."""
        check_size(path, LARGEST)
        root = read_blocks(path, path.read_bytes())
        blocks = data_blocks(root)
        block_curves = [(block, curve) for block in blocks for curve in curves(path, block)]
        if not block_curves:
            raise UnreadableFileError(
                f"{path.name} is a JCAMP-DX file without a spectrum, such as a structure; attach "
                "it to the record of its spectrum"
            )
        measurements = []
        warnings = suffix_warnings(path, "a JCAMP-DX file", ".jdx", ".dx", ".jcm", ".jcamp")
        for number, (block, curve) in enumerate(block_curves):
            measurements.append(_measurement(path, number, block, curve))
            warnings += [f"spectrum {number + 1}: {warning}" for warning in curve.warnings]
        header = [pair for block in root.blocks for pair in _records(block)]
        return Reading(measurements, header, warnings)


def _measurement(path: Path, number: int, block: JcampBlock, curve: JcampCurve) -> Measurement:
    axis = axis_of(path, block, curve)
    title = block.labels.get("TITLE", "").split("\n")[0] or path.stem
    return spectrum(
        str(number),
        f"{title} {curve.page}".strip(),
        axis_coordinates(path, axis, curve.positions),
        curve.values,
        intensity_unit(curve),
        block_facets(block, axis, curve.y_unit),
    )


def _records(block: JcampBlock) -> list[tuple[str, str]]:
    """Records of a block and of those within it."""
    return block.records + [pair for inner in block.blocks for pair in _records(inner)]
