"""What the metadata of a file's record, or the ``NAME.json`` next to the file, declare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motif.core.contracts import ReaderContext
from motif.core.facets.facet_rules import as_quantity
from motif.core.records import Facet
from motif.ingest.readers.kit.spm_image import ScanGrid, pixel_distance

MAX_SIDECAR_BYTES = 2**20
RECORD_ORIGIN = "record metadata:"
"""Begins the origin of a facet that a reader takes from the metadata, not from the file."""
PIXEL_GRID = ScanGrid(1.0, 1.0, "pixel")
"""The grid of an image without a scale."""


def read_sidecar(
    path: Path, context: ReaderContext | None = None
) -> tuple[Mapping[str, Any], list[str]]:
    """What is declared about a file, and warnings about it.

    That is the metadata of its record during a sync, or else the object in ``NAME.json``; empty
    where there is neither.
    """
    context = context or ReaderContext(path)
    metadata = context.metadata()
    if metadata:
        return metadata, []
    companion = path.with_name(path.name + ".json")
    if metadata is None:
        context.use_companion(companion)
    try:
        if not companion.is_file() or companion.stat().st_size > MAX_SIDECAR_BYTES:
            return {}, []
        document = json.loads(companion.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        return {}, [f"{companion.name} is not readable JSON ({error})"]
    if isinstance(document, dict):
        return document, []
    return {}, [f"{companion.name} is not a JSON object"]


def declared_grid(
    path: Path, declared: Mapping[str, Any], shape: tuple[int, int], own_size: float | None
) -> tuple[ScanGrid, list[Facet], list[str]]:
    """The grid of a picture whose scale may be declared.

    Args:
        path: the file.
        declared: the sidecar with ``pixel_size``, or with ``scan_size`` (the width from the first
            pixel to the last), each with a unit: ``"2 nm"`` or ``{"value": 2, "unit": "nm"}``.
        shape: (lines, points).
        own_size: pixel size in metres that the file itself states.

    Returns:
        A grid in metres, or in pixels where nothing gives the scale; a facet of the scan size
        where it is declared; and warnings.
    """
    warnings: list[str] = []
    for key, count in (("pixel_size", 1), ("scan_size", shape[1])):
        if key not in declared:
            continue
        size = _metres(declared[key])
        if size is not None:
            step = size if count == 1 else pixel_distance(size, count)
            width = float(f"{step * (shape[1] - 1):.9g}")
            facets = [Facet("scan_size", width, RECORD_ORIGIN + key, "m")] if width else []
            return ScanGrid(step, step), facets, warnings
        warnings.append(
            f"{key} = {declared[key]!r} of {path.name} is not a length with a unit such as 2 nm"
        )
    if own_size is not None:
        return ScanGrid(own_size, own_size), [], warnings
    warnings.append(
        f"the scale of {path.name} is not known, positions are pixels; put "
        f'{{"pixel_size": "2 nm"}} into its metadata or {path.name}.json to declare it'
    )
    return PIXEL_GRID, [], warnings


def _metres(value: Any) -> float | None:
    unit = ""
    if isinstance(value, Mapping):
        value, unit = value.get("value"), str(value.get("unit", ""))
    quantity = as_quantity(value, unit)
    return quantity[0] if quantity and quantity[1] == "m" and 0 < quantity[0] < 1e3 else None
