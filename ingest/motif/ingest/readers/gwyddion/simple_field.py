"""Gwyddion simple fields (.gsf): one plane of 32-bit numbers after a short text header."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.kit import (
    ScanGrid,
    ScanPlane,
    base_unit,
    check_announced,
    decode_text,
    image,
    leading_number,
    suffix_warnings,
    text_facets,
    unit_warnings,
)

MAGIC = b"Gwyddion Simple Field 1.0\n"
MAX_HEADER_BYTES = 2**20
"""Bytes a header may have."""


class SimpleField:
    """Reads a ``.gsf``; its first stored line is the topmost."""

    name = "gwyddion-simple-field"
    version = 2
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The first line of the format."""
        return head.startswith(MAGIC)

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the plane in base units, positions from the header."""
        raw = path.read_bytes()
        end = raw.find(b"\0", 0, MAX_HEADER_BYTES)
        if end < 0 or not raw.startswith(MAGIC):
            raise UnreadableFileError(
                f"{path.name} has a header without an end; copy the file again"
            )
        lines = decode_text(raw[len(MAGIC) : end]).splitlines()
        header = [(k.strip(), v.strip()) for k, _, v in (line.partition("=") for line in lines)]
        values = {key.lower(): value for key, value in header}
        x, y = (_count(path, values, key) for key in ("xres", "yres"))
        data_start = end + 4 - end % 4
        check_announced(path, f"{x} x {y} pixels", 4 * x * y, len(raw) - data_start)
        data = np.frombuffer(raw, "<f4", x * y, data_start).reshape(y, x)[::-1].astype("=f4")
        scale, _, lateral = base_unit(values.get("xyunits", ""))
        step_x, step_y = (
            scale * (leading_number(values.get(key, "1")) or float("nan")) / n
            for key, n in (("xreal", x), ("yreal", y))
        )
        warnings = (
            [] if lateral else [f"{path.name} states no lateral unit, so its scale is unknown"]
        )
        start_x, start_y = (
            scale * (leading_number(values.get(key, "0")) or 0.0) for key in ("xoffset", "yoffset")
        )
        title = values.get("title", "")
        plane = ScanPlane(title or "Data", values.get("zunits", ""), data)
        grid = (
            ScanGrid(step_y, step_x, lateral, start_y, start_x)
            if lateral
            else ScanGrid(1.0, 1.0, "pixel")
        )
        facets = text_facets("comment", values.get("comment", ""), "Comment")
        measurement = image(path, "0", title, [plane], grid, facets)
        warnings += unit_warnings([plane]) + suffix_warnings(
            path, "a Gwyddion simple field", ".gsf"
        )
        return Reading([measurement], header, warnings)


def _count(path: Path, values: dict[str, str], key: str) -> int:
    text = values.get(key, "")
    if not text.isdecimal() or not 0 < len(text) < 8 or not int(text):
        raise UnreadableFileError(
            f"{path.name} announces {key} = {text!r}, which is not a number of pixels; export it "
            "again"
        )
    return int(text)
