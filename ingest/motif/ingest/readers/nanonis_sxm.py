"""Nanonis scans (.sxm): planes of big-endian 32-bit numbers behind a text header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers import nanonis_header as nanonis
from motif.ingest.readers.naming import misnamed
from motif.ingest.readers.spm_image import Grid, Plane, announced, image, unknown_units

START = b"\x1a\x04"
"""Stands between the header and the data."""
DIRECTIONS = {"forward": ("Trace",), "backward": ("Retrace",), "both": ("Trace", "Retrace")}


class NanonisScan:
    """Reads every channel of an ``.sxm``, forward as ``Trace`` and backward as ``Retrace``.

    Lines lie in the order of measuring, points in the sense of the motion: both are turned. A
    range covers all pixels, as the positions in Nanonis grids show.
    """

    name = "nanonis-sxm"
    version = 2

    def recognises(self, head: bytes, name: str) -> bool:
        """The first key of the header."""
        return head.startswith(b":NANONIS_VERSION:")

    def __call__(self, path: Path) -> Reading:
        """Read all planes; what an interrupted scan did not reach is NaN."""
        raw = path.read_bytes()
        text, at = nanonis.head_of(path, raw, b":SCANIT_END:")
        header = nanonis.scan_header(text)
        values = nanonis.lookup(header)
        at = raw.find(START, at, at + 64)
        size, ranges = (
            nanonis.numbers(values.get(key, "")) for key in ("SCAN_PIXELS", "SCAN_RANGE")
        )
        kind = " ".join(values.get("SCANIT_TYPE", "").split())
        if at < 0 or len(size) != 2 or len(ranges) != 2 or kind != "FLOAT MSBFIRST":
            raise UnreadableFileError(
                f"the header of {path.name} tells {values.get('SCAN_PIXELS', '?')} pixels, a range "
                f"of {values.get('SCAN_RANGE', '?')} m and numbers of type {kind or '?'},"
                " which is no scan Nanonis writes; copy the file again"
            )
        x, y = int(size[0]), int(size[1])
        channels = list(_channels(values.get("DATA_INFO", "")))
        count = x * y * len(channels) if min(x, y) > 0 else 0
        what = f"{len(channels)} planes of {x} x {y} pixels"
        announced(path, what, 4 * count, len(raw) - at - len(START))
        stored = np.frombuffer(raw, ">f4", count, at + len(START))
        planes = []
        up = values.get("SCAN_DIR", "").strip().lower() != "down"
        for (name, unit, direction), data in zip(channels, stored.reshape(-1, y, x), strict=True):
            turned = data[:: 1 if up else -1, :: -1 if direction == "Retrace" else 1]
            planes.append(Plane(name + direction, unit, turned.astype("=f4")))
        grid = Grid(ranges[1] / y, ranges[0] / x)
        found = image(path, "0", path.stem, planes, grid, nanonis.scan_facets(values))
        missing = int(np.isnan(planes[0].values).all(axis=1).sum())
        notes = [f"interrupted: {y - missing} of {y} lines were measured"] if missing else []
        notes += unknown_units(planes) + misnamed(path, "a Nanonis scan", ".sxm")
        return Reading([found], header, notes)


def _channels(table: str) -> Iterator[tuple[str, str, str]]:
    """Name, unit and direction of each plane, from the lines below the headings."""
    for line in table.splitlines():
        cells = line.split()
        if len(cells) >= 4 and cells[3].lower() in DIRECTIONS:
            for direction in DIRECTIONS[cells[3].lower()]:
                yield cells[1], cells[2], direction
