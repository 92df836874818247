"""Park Systems scans: a fixed header and the measured numbers in two private tags of a TIFF."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.kit import (
    ScanGrid,
    ScanPlane,
    check_announced,
    image,
    moment_facets,
    number_facets,
    pixel_distance,
    suffix_warnings,
    text_facets,
)

DATA, HEADER = 50434, 50435
FIELDS = np.dtype(
    [
        ("ImageType", "<i4"), ("SourceName", "V64"), ("ImageMode", "V16"), ("LPFStrength", "<f8"),
        ("AutoFlatten", "<i4"), ("ACTrack", "<i4"), ("Width", "<i4"), ("Height", "<i4"),
        ("Angle", "<f8"), ("SineScan", "<i4"), ("OverScan", "<f8"), ("FastScanForward", "<i4"),
        ("SlowScanUp", "<i4"), ("XYSwap", "<i4"), ("XScanSize", "<f8"), ("YScanSize", "<f8"),
        ("XOffset", "<f8"), ("YOffset", "<f8"), ("ScanRate", "<f8"), ("SetPoint", "<f8"),
        ("SetPointUnit", "V16"), ("TipBias", "<f8"), ("SampleBias", "<f8"), ("DataGain", "<f8"),
        ("ZScale", "<f8"), ("ZOffset", "<f8"), ("Unit", "V16"), ("DataMin", "<i4"),
        ("DataMax", "<i4"), ("DataAverage", "<i4"), ("Compression", "<i4"), ("LogScale", "<i4"),
        ("Square", "<i4"),
    ]
)  # fmt: skip
"""The header, packed without gaps; lengths are in micrometres, texts in UTF-16."""
TYPE_AT = 348
"""Offset of the number type in headers of the second version."""
TYPES = {0: "<i2", 1: "<i4", 2: "<f4"}
KINDS = {1: "a line profile", 2: "a spectroscopy map"}
DATES = ("%Y:%m:%d %H:%M:%S",)


def park_scan(path: Path, head: Any, raw: Any, date: Any) -> Reading:
    """The plane of a Park file in physical units; its first line is the lowest.

    Args:
        path: the file.
        head: value of the header's tag.
        raw: value of the data's tag.
        date: value of the TIFF's date.

    Raises:
        UnreadableFileError: not an image, or header and data contradict each other.
    """
    if not isinstance(head, bytes) or not isinstance(raw, bytes) or len(head) < FIELDS.itemsize:
        raise UnreadableFileError(
            f"{path.name} is a Park file whose header or data are missing; save it again"
        )
    fields = np.frombuffer(head, FIELDS, 1)[0]
    header = [(name, _shown(fields[name])) for name in FIELDS.names or ()]
    texts = dict(header)
    x, y, image_type = (int(fields[name]) for name in ("Width", "Height", "ImageType"))
    if image_type != 0:
        raise UnreadableFileError(
            f"{path.name} is {KINDS.get(image_type, 'a Park file')}, not an image"
        )
    code = int.from_bytes(head[TYPE_AT : TYPE_AT + 4], "little") if len(head) >= TYPE_AT + 4 else 0
    dtype = np.dtype(TYPES.get(code, "<i2"))
    name = texts["SourceName"] or "Data"
    count = x * y if min(x, y) > 0 else 0
    check_announced(path, f"{x} x {y} pixels of {name}", count * dtype.itemsize, len(raw))
    gain = float(fields["DataGain"])
    sizes = [1e-6 * float(fields[f"{axis}ScanSize"]) for axis in "XY"]
    if not math.isfinite(gain) or gain == 0:
        raise UnreadableFileError(
            f"{path.name} does not state the size of one step of {name}; save it again"
        )
    values = np.frombuffer(raw, dtype, count).reshape(y, x) * np.float64(gain)
    direction = "Trace" if int(fields["FastScanForward"]) else "Retrace"
    plane = ScanPlane(
        "".join(name.split()) + direction,
        texts["Unit"],
        values.astype("f8" if dtype == "<i4" else "f4"),
    )
    warnings = [
        f"{flag} is set in the header of {path.name}"
        for flag in ("LogScale", "Square", "XYSwap")
        if int(fields[flag])
    ]
    grid = ScanGrid(pixel_distance(sizes[1], y), pixel_distance(sizes[0], x))
    scan = image(path, "0", path.stem, [plane], grid, _facets(fields, texts, plane.name, date))
    return Reading([scan], header, warnings + suffix_warnings(path, "a Park scan", ".tif", ".tiff"))


def _facets(fields: np.void, texts: dict[str, str], name: str, date: Any) -> list[Facet]:
    angle = math.radians(float(fields["Angle"]))
    up = "up" if int(fields["SlowScanUp"]) else "down"
    flat = f"{name}: flattened while scanning" if int(fields["AutoFlatten"]) else ""
    return [
        *moment_facets(date if isinstance(date, str) else "", "DateTime", DATES),
        *text_facets("mode", texts["ImageMode"], "ImageMode"),
        Facet("technique", "Atomic force microscopy", "header:ImageMode"),
        Facet("instrument", "Park Systems", "header:tag 50435"),
        *number_facets("scan_size", 1e-6 * float(fields["XScanSize"]), "m", "XScanSize"),
        *number_facets("scan_rate", float(fields["ScanRate"]), "Hz", "ScanRate"),
        *number_facets("scan_angle", angle, "rad", "Angle"),
        *number_facets("tip_voltage", float(fields["TipBias"]), "V", "TipBias"),
        *number_facets("surface_voltage", float(fields["SampleBias"]), "V", "SampleBias"),
        Facet("scan_direction", up, "header:SlowScanUp"),
        *text_facets("processing", flat, "AutoFlatten"),
    ]


def _shown(value: np.generic) -> str:
    """A field as text: texts are UTF-16 up to the first null."""
    if isinstance(value, np.void):
        return str(value.tobytes(), "utf-16-le", "replace").split("\0", 1)[0].strip()
    return repr(value.item())
