"""Nanonis scans (.sxm): planes of big-endian 32-bit numbers after a text header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.kit import (
    ScanGrid,
    ScanPlane,
    check_announced,
    image,
    suffix_warnings,
    unit_warnings,
)
from motif.ingest.readers.nanonis import nanonis_header as nanonis

START = b"\x1a\x04"
"""Separates the header from the data."""
DIRECTIONS = {"forward": ("Trace",), "backward": ("Retrace",), "both": ("Trace", "Retrace")}


class NanonisScan:
    """Reads every channel of an ``.sxm``, forward as ``Trace`` and backward as ``Retrace``.

    Lines are stored in the order of measuring and points in the direction of motion; both are
    reversed where necessary. The range covers all pixels, as positions in Nanonis grids show.
    """

    name = "nanonis-sxm"
    version = 3

    def recognises(self, head: bytes, name: str) -> bool:
        """The first key of the header."""
        return head.startswith(b":NANONIS_VERSION:")

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read all planes; pixels that an interrupted scan did not reach are NaN."""
        raw = path.read_bytes()
        text, at = nanonis.header_text(path, raw, b":SCANIT_END:")
        header = nanonis.scan_header(text)
        values = nanonis.first_values(header)
        at = raw.find(START, at, at + 64)
        size, ranges = (
            nanonis.numbers_of(values.get(key, "")) for key in ("SCAN_PIXELS", "SCAN_RANGE")
        )
        kind = " ".join(values.get("SCANIT_TYPE", "").split())
        if at < 0 or len(size) != 2 or len(ranges) != 2 or kind != "FLOAT MSBFIRST":
            raise UnreadableFileError(
                f"the header of {path.name} states {values.get('SCAN_PIXELS', '?')} pixels, a "
                f"range of {values.get('SCAN_RANGE', '?')} m and numbers of type {kind or '?'}, "
                "which is not a Nanonis scan; copy the file again"
            )
        x, y = int(size[0]), int(size[1])
        channels = list(_channels(values.get("DATA_INFO", "")))
        count = x * y * len(channels) if min(x, y) > 0 else 0
        content = f"{len(channels)} planes of {x} x {y} pixels"
        check_announced(path, content, 4 * count, len(raw) - at - len(START))
        stored = np.frombuffer(raw, ">f4", count, at + len(START))
        planes = []
        upwards = values.get("SCAN_DIR", "").strip().lower() != "down"
        for (name, unit, direction), data in zip(channels, stored.reshape(-1, y, x), strict=True):
            oriented = data[:: 1 if upwards else -1, :: -1 if direction == "Retrace" else 1]
            planes.append(ScanPlane(name + direction, unit, oriented.astype("=f4")))
        grid = ScanGrid(ranges[1] / y, ranges[0] / x)
        scan = image(path, "0", path.stem, planes, grid, nanonis.scan_facets(values))
        missing = int(np.isnan(planes[0].values).all(axis=1).sum())
        warnings = [f"interrupted: {y - missing} of {y} lines were measured"] if missing else []
        warnings += unit_warnings(planes) + suffix_warnings(path, "a Nanonis scan", ".sxm")
        return Reading([scan], header, warnings)


def _channels(table: str) -> Iterator[tuple[str, str, str]]:
    """Name, unit and direction of each plane, from the lines below the headings."""
    for line in table.splitlines():
        cells = line.split()
        if len(cells) >= 4 and cells[3].lower() in DIRECTIONS:
            for direction in DIRECTIONS[cells[3].lower()]:
                yield cells[1], cells[2], direction
