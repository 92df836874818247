"""What the record of a file says, or the ``NAME.json`` beside it: the scale, what it shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motif.core.facets import as_quantity
from motif.core.records import Facet
from motif.ingest.readers.beside import looked_at, metadata_of
from motif.ingest.readers.spm_image import Grid, spread

LARGEST = 2**20
"""Bytes a sidecar may have."""
TOLD = "record metadata:"
"""Begins the origin of a facet that the metadata tell a reader, not the file itself."""
UNSCALED = Grid(1.0, 1.0, "pixel")


def sidecar(path: Path) -> tuple[Mapping[str, Any], list[str]]:
    """Metadata of a file, empty where there are none, and remarks on them.

    They are those of the record a sync reads the file for, else the object in ``NAME.json``.
    """
    told = metadata_of(path)
    if told:
        return told, []
    beside = path.with_name(path.name + ".json")
    if told is None:
        looked_at(beside)
    try:
        if not beside.is_file() or beside.stat().st_size > LARGEST:
            return {}, []
        found = json.loads(beside.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        return {}, [f"{beside.name} is no JSON that can be read ({error})"]
    if isinstance(found, dict):
        return found, []
    return {}, [f"{beside.name} holds no JSON object"]


def scale(
    path: Path, told: Mapping[str, Any], shape: tuple[int, int], own: float | None
) -> tuple[Grid, list[Facet], list[str]]:
    """Where the pixels of a picture lie.

    Args:
        path: for remarks.
        told: the sidecar: ``pixel_size`` or ``scan_size`` (the width from the first pixel to the
            last), each with a unit, as ``"2 nm"`` or ``{"value": 2, "unit": "nm"}``.
        shape: (lines, points).
        own: pixel size in metres that the file itself tells.

    Returns:
        A grid in metres, or in pixels where nothing tells the scale; the size with who told
        it, where that is not the file; and remarks.
    """
    notes: list[str] = []
    for key, steps in (("pixel_size", 1), ("scan_size", shape[1])):
        if key not in told:
            continue
        size = _metres(told[key])
        if size is not None:
            step = size if steps == 1 else spread(size, steps)
            width = float(f"{step * (shape[1] - 1):.9g}")
            facets = [Facet("scan_size", width, TOLD + key, "m")] if width else []
            return Grid(step, step), facets, notes
        notes.append(f"{key} = {told[key]!r} beside {path.name} is no length with a unit")
    if own is not None:
        return Grid(own, own), [], notes
    hint = f'put {{"pixel_size": "2 nm"}} into its metadata or {path.name}.json to tell it'
    return (
        UNSCALED,
        [],
        [
            *notes,
            f"the scale of {path.name} is not known, positions are pixels; {hint}",
        ],
    )


def _metres(value: Any) -> float | None:
    unit = ""
    if isinstance(value, Mapping):
        value, unit = value.get("value"), str(value.get("unit", ""))
    quantity = as_quantity(value, unit)
    return quantity[0] if quantity and quantity[1] == "m" and 0 < quantity[0] < 1e3 else None
