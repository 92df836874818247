"""Gwyddion files (.gwy): data fields with the metadata of the instrument they came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header, Measurement, Reading
from motif.ingest.readers.asylum.asylum_note import asylum_processing, note_facets
from motif.ingest.readers.gwyddion.gwyddion_objects import Object, parse
from motif.ingest.readers.kit import (
    ScanGrid,
    ScanPlane,
    base_unit,
    image,
    processing_facets,
    suffix_warnings,
)

VERSIONS = (b"GWYP", b"GWYO")
"""Magic bytes of version 2 and of version 1, whose objects have the same layout."""
_FIELD = re.compile(r"/(\d+)/(?:base/)?data")
OTHERS = {
    "GwyBrick": "volumes", "GwySpectra": "sets of spectra", "GwyGraphModel": "graphs",
    "GwySurface": "point clouds", "GwyLawn": "curve maps",
}  # fmt: skip


class Gwyddion:
    """Reads every data field of a ``.gwy``; fields with the same pixels form one image."""

    name = "gwyddion"
    version = 3
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """A container of version 1 or 2, by its first bytes."""
        return head[:4] in VERSIONS and head[4:17] == b"GwyContainer\0"

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read all fields; masks, presentations and other data give a warning."""
        try:
            container = parse(path.read_bytes())
        except ValueError as error:
            raise UnreadableFileError(
                f"{path.name} is not an intact Gwyddion file ({error}); copy or save it again"
            ) from error
        groups: dict[Any, list[GwyddionField]] = {}
        for number, data in _fields(container):
            data_field = field(path, number, data, container)
            groups.setdefault(data_field.pixels, []).append(data_field)
        other_data = _other_data(container)
        if not groups:
            content = ", ".join(other_data) or "no data"
            raise UnreadableFileError(f"{path.name} contains {content} but no image (data field)")
        pairs = header(container)
        facets = note_facets(pairs)
        images = [measurement(path, group, facets, pairs) for group in groups.values()]
        warnings = [f"{path.name} contains {kind}, which are not read" for kind in other_data]
        warnings += [
            warning
            for group in groups.values()
            for data_field in group
            for warning in data_field.warnings
        ]
        warnings += suffix_warnings(path, "a Gwyddion file", ".gwy")
        return Reading(images, pairs, list(dict.fromkeys(warnings)))


def _fields(container: Object) -> Iterator[tuple[int, Object]]:
    numbered = [(int(m[1]), v) for k, v in container.items() if (m := _FIELD.fullmatch(k))]
    for number, value in sorted(numbered, key=lambda item: item[0]):
        if isinstance(value, dict) and value[""] == "GwyDataField":
            yield number, value


def _other_data(container: Object) -> list[str]:
    """Kinds of data in the file other than images."""
    kinds = {value[""] for value in container.values() if isinstance(value, dict)}
    nouns = [noun for kind, noun in OTHERS.items() if kind in kinds]
    masks = any(re.fullmatch(r"/\d+/(mask|show)", key) for key in container)
    return [*nouns, *(["masks or presentations"] if masks else [])]


@dataclass(frozen=True)
class GwyddionField:
    """One data field with its number in the file."""

    number: int
    plane: ScanPlane
    grid: ScanGrid
    log: str
    """Functions applied in Gwyddion; "" if the file lists none."""
    warnings: tuple[str, ...]

    @property
    def pixels(self) -> tuple[Any, ...]:
        """What fields have in common that are planes of one image."""
        return self.plane.values.shape, self.grid


def field(
    path: Path, number: int, data: dict[str, Any], container: dict[str, Any]
) -> GwyddionField:
    """A field in base units, its lowest line first.

    Gwyddion keeps numbers in base units and uses a prefix such as in "nm" for display alone.
    ``xreal`` is the extent of all pixels, not the distance of the first and the last.

    Raises:
        UnreadableFileError: the sizes of the field contradict each other.
    """
    x, y, values = data.get("xres", 0), data.get("yres", 0), data.get("data")
    has_size = isinstance(x, int) and isinstance(y, int) and min(x, y) > 0
    if not has_size or not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        raise UnreadableFileError(
            f"data field {number} of {path.name} has no pixels; save it again"
        )
    if x * y != values.size:
        raise UnreadableFileError(
            f"data field {number} of {path.name} announces {x} x {y} pixels but has "
            f"{values.size:,}; save or copy the file again"
        )
    lateral, unit = (_unit(data.get(key)) for key in ("si_unit_xy", "si_unit_z"))
    steps = [_real(data.get(f"{axis}real")) / n for axis, n in (("x", x), ("y", y))]
    start = [_real(data.get(f"{axis}off", 0.0)) for axis in "xy"]
    grid = ScanGrid(steps[1], steps[0], lateral or "pixel", start[1], start[0])
    title = container.get(f"/{number}/data/title", container.get(f"/{number}/data/untitled"))
    name = title if isinstance(title, str) and title.strip() else f"Data field {number}"
    warnings = [] if lateral else [f"no lateral unit is known for {name}"]
    warnings += [] if unit else [f"no unit is known for {name}"]
    plane = ScanPlane(name, unit, values.reshape(y, x)[::-1].astype("=f8", copy=False))
    return GwyddionField(
        number, plane, grid, _log(container.get(f"/{number}/data/log")), tuple(warnings)
    )


def measurement(
    path: Path, group: Sequence[GwyddionField], facets: Sequence[Facet], header: Header
) -> Measurement:
    """One image of fields with the same pixels."""
    in_gwyddion = processing_facets(
        (f"{item.plane.name}: {item.log}" for item in group if item.log), "log"
    )
    by_instrument = asylum_processing(header, [item.plane.name for item in group])
    if in_gwyddion and by_instrument:
        in_gwyddion = processing_facets(
            [str(by_instrument[0].value), str(in_gwyddion[0].value)], "log"
        )
    file_facets = [f for f in facets if f.name not in ("pixels", "channels")]
    title = path.stem if len(group) > 1 else group[0].plane.name
    key = str(group[0].number)
    grid = group[0].grid
    return image(
        path,
        key,
        title,
        [item.plane for item in group],
        grid,
        [*file_facets, *in_gwyddion, *by_instrument],
    )


def header(container: dict[str, Any]) -> Header:
    """Metadata of the first field by their own keys, then everything else by its path."""
    metadata = {k: v for k, v in container.items() if k.endswith("/meta") and isinstance(v, dict)}
    first = dict(_texts(next(iter(metadata.values()), {})))
    pairs = list(first.items())
    for key, meta in list(metadata.items())[1:]:
        pairs += [(f"{key}/{k}", v) for k, v in _texts(meta) if first.get(k) != v]
    return pairs + [(k, v) for k, v in _texts(container) if k.startswith("/")]


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
