"""Thumbnails by measurement id, drawn once and kept under the workspace's cache."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np

from motif.analysis.symmetry.embedding.tiles import Tile, tiles_of
from motif.core.catalog.database import MeasurementRow, facet_value
from motif.core.errors import NotFoundError
from motif.core.records import ID_LENGTH
from motif.core.workspace import Workspace
from motif.dashboard.data.measurement_picture import (
    SIZES,
    VERSION,
    Style,
    image_picture,
    spectrum_picture,
)
from motif.dashboard.data.number_format import day, quantity
from motif.dashboard.data.point_colours import SCALES, Scale

ID_PATTERN = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")

PREFERRED = ("amplitude", "phase", "topography", "height")
"""Channels that show domain patterns best, in this order."""


def default_channel(channels: Sequence[str]) -> int:
    """The channel shown by default."""
    lowered = [channel.lower() for channel in channels]
    for wanted in PREFERRED:
        for position, name in enumerate(lowered):
            if wanted in name:
                return position
    return 0


def thumbnail_url(
    measurement_id: str,
    size: int = SIZES[0],
    channel: int | None = None,
    scale: Scale = "viridis",
    tile: str = "",
) -> str:
    """Address of a picture; it holds the drawing's version, so it may be cached for ever.

    `tile` is the id of a tile of the image that is shown instead of the whole.
    """
    chosen = "" if channel is None else f"&channel={channel}"
    part = f"&tile={tile}" if tile else ""
    return f"/thumbs/{measurement_id}.webp?v={VERSION}&size={size}&scale={scale}{chosen}{part}"


def thumbnail(
    workspace: Workspace,
    measurement_id: str,
    *,
    size: int = SIZES[0],
    channel: int | None = None,
    scale: Scale = "viridis",
    tile: str = "",
) -> bytes:
    """WebP of one measurement, or of one tile of an image.

    Raises:
        NotFoundError: no live measurement has this id, or it has no such channel.
    """
    if not ID_PATTERN.fullmatch(measurement_id):
        raise NotFoundError("A measurement's id has 32 hexadecimal digits; copy it from its page.")
    if size not in SIZES or scale not in SCALES:
        raise NotFoundError(f"Pictures come in sizes {SIZES} and scales {', '.join(SCALES)}.")
    row = workspace.measurement(measurement_id)
    if not row.live:
        raise NotFoundError(f'The measurement "{measurement_id}" was deleted at its source.')
    part = _tile(row, tile)
    chosen = default_channel(row.channels) if channel is None else channel
    if row.channels and not 0 <= chosen < len(row.channels):
        raise NotFoundError(f"This measurement has the channels 0 to {len(row.channels) - 1}.")
    name = f"{tile or measurement_id}-{chosen}-{size}-{scale}-v{VERSION}.webp"
    place = workspace.cache / "thumbs" / measurement_id[:2] / name
    try:
        return place.read_bytes()
    except FileNotFoundError:
        picture = _draw(workspace, row, chosen, part, Style(size, scale, row.simulated))
    _write(place, picture)
    return picture


def _tile(row: MeasurementRow, tile: str) -> Tile | None:
    """The requested tile of a measurement, None for the whole."""
    if not tile:
        return None
    part = Tile.of(tile)
    if row.kind != "image" or part not in tiles_of(row, part.grid):
        raise NotFoundError("This measurement has no such tile; reload the page.")
    return part


def _draw(
    workspace: Workspace, row: MeasurementRow, channel: int, part: Tile | None, style: Style
) -> bytes:
    stored = workspace.store.snapshot().array(row.array)
    if row.kind == "image":
        # Only this channel is asked for, yet its chunk holds the whole frame.
        frame = np.asarray(stored[row.row, channel], np.float32)
        if part is None:
            return image_picture(frame, row.scan_size, style)
        own = part.cut(frame)
        return image_picture(own, row.pixel_size and row.pixel_size * own.shape[1], style)
    spectrum = workspace.read(row.id)
    axis = np.asarray(spectrum.coords[spectrum.dims[0]].values, np.float64)
    return spectrum_picture(axis, np.asarray(spectrum.values, np.float64), style)


def _write(place: Path, data: bytes) -> None:
    """Write a file atomically: other threads and processes may draw the same picture."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{uuid4().hex}.tmp")
    draft.write_bytes(data)
    os.replace(draft, place)


SHOWN = ("material", "scan_size", "operator", "acquired_at", "temperature", "mode", "outcome")
"""Facets shown first, in this order."""

LINES = 4


@dataclass(frozen=True)
class Caption:
    id: str
    title: str
    lines: list[str]


def caption(workspace: Workspace, measurement_id: str) -> Caption:
    """Title and up to four facets of one measurement."""
    row = workspace.measurement(measurement_id)
    texts: dict[str, str] = {}
    for facet in workspace.catalog.facet_rows([measurement_id]):
        value = facet_value(facet)
        if isinstance(value, str):
            texts[facet.name] = day(value) if facet.name == "acquired_at" else value
        elif not isinstance(value, bool):
            texts[facet.name] = quantity(value, facet.unit)
    return Caption(row.id, row.title, _lines(texts, row.simulated))


def _lines(texts: Mapping[str, str], simulated: bool) -> list[str]:
    lines = [texts[name] for name in SHOWN if name in texts][:LINES]
    return [*lines, "simulated"] if simulated else lines
