"""Gwyddion simple fields (.gsf): one plane of 32-bit numbers behind a short text header."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.naming import misnamed
from motif.ingest.readers.spm_image import Grid, Plane, announced, image, unknown_units
from motif.ingest.readers.spm_values import base_unit, decoded, number, told

MAGIC = b"Gwyddion Simple Field 1.0\n"
LONGEST = 2**20
"""Bytes a header may have."""


class SimpleField:
    """Reads a ``.gsf``; its first stored line is the topmost."""

    name = "gwyddion-simple-field"
    version = 1
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The first line of the format."""
        return head.startswith(MAGIC)

    def __call__(self, path: Path) -> Reading:
        """Read the plane in base units, positions from the header."""
        raw = path.read_bytes()
        end = raw.find(b"\0", 0, LONGEST)
        if end < 0 or not raw.startswith(MAGIC):
            raise UnreadableFileError(f"{path.name} has no end of its header; copy the file again")
        lines = decoded(raw[len(MAGIC) : end]).splitlines()
        header = [(k.strip(), v.strip()) for k, _, v in (line.partition("=") for line in lines)]
        values = {key.lower(): value for key, value in header}
        x, y = (_count(path, values, key) for key in ("xres", "yres"))
        start = end + 4 - end % 4
        announced(path, f"{x} x {y} pixels", 4 * x * y, len(raw) - start)
        data = np.frombuffer(raw, "<f4", x * y, start).reshape(y, x)[::-1].astype("=f4")
        scale, _, lateral = base_unit(values.get("xyunits", ""))
        step_x, step_y = (
            scale * (number(values.get(key, "1")) or float("nan")) / n
            for key, n in (("xreal", x), ("yreal", y))
        )
        notes = [] if lateral else [f"{path.name} tells no lateral unit, so it has no scale"]
        start_x, start_y = (
            scale * (number(values.get(key, "0")) or 0.0) for key in ("xoffset", "yoffset")
        )
        title = values.get("title", "")
        plane = Plane(title or "Data", values.get("zunits", ""), data)
        grid = (
            Grid(step_y, step_x, lateral, start_y, start_x) if lateral else Grid(1.0, 1.0, "pixel")
        )
        facets = told("remark", values.get("comment", ""), "header:Comment")
        found = image(path, "0", title, [plane], grid, facets)
        notes += unknown_units([plane]) + misnamed(path, "a Gwyddion simple field", ".gsf")
        return Reading([found], header, notes)


def _count(path: Path, values: dict[str, str], key: str) -> int:
    text = values.get(key, "")
    if not text.isdecimal() or not 0 < len(text) < 8 or not int(text):
        raise UnreadableFileError(
            f"{path.name} announces {key} = {text!r}, which is no number of pixels; export it again"
        )
    return int(text)
