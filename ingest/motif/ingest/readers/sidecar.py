"""The ``NAME.json`` beside a picture, which may tell its scale and what it shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motif.core.facets import as_quantity
from motif.ingest.readers.spm_image import Grid, spread

LARGEST = 2**20
"""Bytes a sidecar may have."""
UNSCALED = Grid(1.0, 1.0, "pixel")


def sidecar(path: Path) -> tuple[Mapping[str, Any], list[str]]:
    """The object in the sidecar of a file, empty where there is none, and remarks on it."""
    beside = path.with_name(path.name + ".json")
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
) -> tuple[Grid, list[str]]:
    """Where the pixels of a picture lie.

    Args:
        path: for remarks.
        told: the sidecar: ``pixel_size`` or ``scan_size`` (the width from the first pixel to the
            last), each with a unit, as ``"2 nm"`` or ``{"value": 2, "unit": "nm"}``.
        shape: (lines, points).
        own: pixel size in metres that the file itself tells.

    Returns:
        A grid in metres, or in pixels where nothing tells the scale, and remarks.
    """
    notes: list[str] = []
    for key, steps in (("pixel_size", 1), ("scan_size", shape[1])):
        if key not in told:
            continue
        size = _metres(told[key])
        if size is not None:
            step = size if steps == 1 else spread(size, steps)
            return Grid(step, step), notes
        notes.append(f"{key} = {told[key]!r} beside {path.name} is no length with a unit")
    if own is not None:
        return Grid(own, own), notes
    hint = f'put {{"pixel_size": "2 nm"}} into {path.name}.json to tell it'
    return UNSCALED, [
        *notes,
        f"the scale of {path.name} is not known, positions are pixels; {hint}",
    ]


def _metres(value: Any) -> float | None:
    unit = ""
    if isinstance(value, Mapping):
        value, unit = value.get("value"), str(value.get("unit", ""))
    quantity = as_quantity(value, unit)
    return quantity[0] if quantity and quantity[1] == "m" and 0 < quantity[0] < 1e3 else None
