"""Data fields of a Gwyddion container as planes of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header, Measurement
from motif.ingest.readers.processing import asylum_processing, processing
from motif.ingest.readers.spm_image import Grid, Plane, image
from motif.ingest.readers.spm_values import base_unit


@dataclass(frozen=True)
class Field:
    """One data field with its number in the file."""

    number: int
    plane: Plane
    grid: Grid
    log: str
    """What was done to the field in Gwyddion, "" if nothing is told."""
    notes: tuple[str, ...]

    @property
    def pixels(self) -> tuple[Any, ...]:
        """What fields must share to be planes of one image."""
        return self.plane.values.shape, self.grid


def field(path: Path, number: int, data: dict[str, Any], content: dict[str, Any]) -> Field:
    """A field in base units, its lowest line first.

    Gwyddion keeps numbers in base units and uses a prefix such as in "nm" for display alone.
    ``xreal`` spans all pixels, not the way from the first to the last.

    Raises:
        UnreadableFileError: the sizes of the field contradict each other.
    """
    x, y, values = data.get("xres", 0), data.get("yres", 0), data.get("data")
    sound = isinstance(x, int) and isinstance(y, int) and min(x, y) > 0
    if not sound or not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        raise UnreadableFileError(
            f"data field {number} of {path.name} has no pixels; save it again"
        )
    if x * y != values.size:
        raise UnreadableFileError(
            f"data field {number} of {path.name} announces {x} x {y} pixels but holds "
            f"{values.size:,}; save or copy the file again"
        )
    lateral, unit = (_unit(data.get(key)) for key in ("si_unit_xy", "si_unit_z"))
    steps = [_real(data.get(f"{axis}real")) / n for axis, n in (("x", x), ("y", y))]
    start = [_real(data.get(f"{axis}off", 0.0)) for axis in "xy"]
    grid = Grid(steps[1], steps[0], lateral or "pixel", start[1], start[0])
    title = content.get(f"/{number}/data/title", content.get(f"/{number}/data/untitled"))
    name = title if isinstance(title, str) and title.strip() else f"Data field {number}"
    notes = [] if lateral else [f"no lateral unit is known for {name}"]
    notes += [] if unit else [f"no unit is known for {name}"]
    plane = Plane(name, unit, values.reshape(y, x)[::-1].astype("=f8", copy=False))
    return Field(number, plane, grid, _log(content.get(f"/{number}/data/log")), tuple(notes))


def measurement(
    path: Path, group: Sequence[Field], facets: Sequence[Facet], pairs: Header
) -> Measurement:
    """One image of the fields that share their pixels."""
    done = processing((f"{one.plane.name}: {one.log}" for one in group if one.log), "log")
    before = asylum_processing(pairs, [one.plane.name for one in group])
    if done and before:
        done = processing([str(before[0].value), str(done[0].value)], "log")
    told = [f for f in facets if f.name not in ("pixels", "channels")]
    title = path.stem if len(group) > 1 else group[0].plane.name
    key = str(group[0].number)
    grid = group[0].grid
    return image(path, key, title, [one.plane for one in group], grid, [*told, *done, *before])


def header(content: dict[str, Any]) -> Header:
    """Metadata of the first field by their own keys, then everything else by its path."""
    metas = {k: v for k, v in content.items() if k.endswith("/meta") and isinstance(v, dict)}
    first = dict(_texts(next(iter(metas.values()), {})))
    pairs = list(first.items())
    for key, meta in list(metas.items())[1:]:
        pairs += [(f"{key}/{k}", v) for k, v in _texts(meta) if first.get(k) != v]
    return pairs + [(k, v) for k, v in _texts(content) if k.startswith("/")]


def _texts(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if key and isinstance(value, str | int | float):
            yield key, str(value)


def _unit(value: Any) -> str:
    text = value.get("unitstr", "") if isinstance(value, dict) else ""
    return base_unit(text)[2] if isinstance(text, str) else ""


def _real(value: Any) -> float:
    return value if isinstance(value, float) else float("nan")


def _log(value: Any) -> str:
    """Names of the functions in the log of a field: ``proc::level(...)@date`` → ``level``."""
    lines = value.get("strings", []) if isinstance(value, dict) else []
    names = [str(line).split("(", 1)[0].removeprefix("proc::") for line in lines]
    return ", ".join(name for name in names if not name.startswith("file::"))
