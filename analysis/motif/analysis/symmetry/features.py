"""From a scan with several channels to one feature vector with named parts.

Each kind of channel tells something of its own: amplitude and phase the ferroelectric domains,
topography the surface. Each is prepared in its own way, described by the extractor, and weighs
by its share; parts of the same name are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from motif.core.catalog import MeasurementRow
from motif.core.contracts import Extractor
from motif.core.records import content_id

Image: TypeAlias = NDArray[np.float32]

VERSION = 1
WEIGHTS = {"phase": 1.0, "amplitude": 0.5, "height": 0.1}
"""Share of each kind of channel in the distance between two scans."""
PREFIXES = {
    "phase": ("phase", "phas"),
    "amplitude": ("amplitude", "ampl", "amp"),
    "height": ("height", "zsensor", "z", "topography", "topo"),
}
DIRECTIONS = ("retrace", "trace")
"""Which direction is taken where a channel was recorded in both, in this order."""
RADIANS = ("rad", "radian", "radians")
SMALLEST = 8
"""Pixels below which a scan has no pattern to describe."""


class Features:
    """Features of scans: the extractor applied to each kind of channel, weighted and joined."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor
        self._size = max(part.stop for part in extractor.parts.values())
        self.dimension = self._size * len(WEIGHTS)
        self.fingerprint = content_id(extractor.fingerprint, repr(WEIGHTS), str(VERSION))

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Named ranges of the joined vector: for each part of the extractor, all channels."""
        found, start = {}, 0
        for name, part in self._extractor.parts.items():
            stop = start + (part.stop - part.start) * len(WEIGHTS)
            found[name] = (start, stop)
            start = stop
        return found

    def __call__(self, scans: Sequence[tuple[MeasurementRow, Image]]) -> Image:
        """Feature vectors (n, d) of scans, each with its channels (channel, y, x)."""
        blocks = np.zeros((len(scans), len(WEIGHTS), self._size), np.float32)
        for place, kind in enumerate(WEIGHTS):
            shapes: dict[tuple[int, ...], list[tuple[int, Image]]] = {}
            for number, (row, frame) in enumerate(scans):
                channel = channel_of(row.channels, kind)
                if channel is not None and min(frame.shape[1:]) >= SMALLEST:
                    image = prepare(frame[channel], kind, row.units[channel])
                    shapes.setdefault(image.shape, []).append((number, image))
            for members in shapes.values():
                numbers = [number for number, _ in members]
                sizes = np.array([scans[number][0].pixel_size or np.nan for number in numbers])
                images = np.stack([image for _, image in members])
                blocks[numbers, place] = self._extractor(images, sizes)
        weights = np.array(list(WEIGHTS.values()), np.float32)[:, None]
        blocks *= np.sqrt(weights / weights.sum())
        return np.concatenate(
            [blocks[:, :, part].reshape(len(scans), -1) for part in self._extractor.parts.values()],
            axis=1,
        )


def channel_of(channels: Sequence[str], kind: str) -> int | None:
    """Index of the channel of a kind; of trace and retrace the first of `DIRECTIONS`."""
    found = [number for number, name in enumerate(channels) if _stem(name) in PREFIXES[kind]]
    for direction in DIRECTIONS:
        for number in found:
            if channels[number].lower().endswith(direction):
                return number
    return found[0] if found else None


def _stem(name: str) -> str:
    """``PhaseRetrace`` -> ``phase``; ``Amplitude1`` -> ``amplitude``."""
    lowered = name.lower()
    for direction in DIRECTIONS:
        lowered = lowered.removesuffix(direction)
    return lowered.strip(" _-0123456789")


def prepare(plane: Image, kind: str, unit: str = "") -> Image:
    """One channel as a picture of its pattern: finite, flat, without what the scanner added.

    Lines and columns never measured are cut off; single missing points get the median.
    """
    finite = np.isfinite(plane)
    rows, columns = finite.any(axis=1), finite.any(axis=0)
    if min(rows.sum(), columns.sum()) < SMALLEST:
        return np.zeros((SMALLEST, SMALLEST), np.float32)
    values = np.asarray(plane[rows][:, columns], np.float64)
    finite = finite[rows][:, columns]
    values = np.where(finite, values, np.median(values[finite]))
    if kind == "phase":
        return phase_pattern(np.rad2deg(values) if unit in RADIANS else values)
    if kind == "height":
        values = flattened(values)
    return clipped(values)


def phase_pattern(degrees: NDArray[np.float64]) -> Image:
    """Projection of the phase on its main axis: circular, and blind to which domain is "up".

    Domains that differ by 180 degrees lie at opposite ends of one axis of the doubled angle's
    principal direction; the projection is +1 for one and -1 for the other.
    """
    phasor = np.exp(1j * np.deg2rad(degrees))
    centred = phasor - phasor.mean()
    axis = np.angle(np.mean(centred**2)) / 2 if np.abs(centred).max() > 1e-9 else 0.0
    return clipped(np.real(centred * np.exp(-1j * axis)))


def flattened(height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Topography without its plane and without the offsets of its lines."""
    y, x = np.mgrid[-1 : 1 : height.shape[0] * 1j, -1 : 1 : height.shape[1] * 1j]
    terms = np.stack([np.ones_like(x), x, y], axis=-1).reshape(-1, 3)
    plane, *_ = np.linalg.lstsq(terms, height.ravel(), rcond=None)
    level = height - (terms @ plane).reshape(height.shape)
    offsets = np.median(level, axis=1)
    slow = gaussian_filter(offsets, max(1.0, len(offsets) / 6))
    return np.asarray(level - (offsets - slow)[:, None])


def clipped(values: NDArray[np.float64]) -> Image:
    """Without outliers, centred and scaled to unit variance; zero where there is no contrast."""
    low, high = np.percentile(values, (0.5, 99.5))
    inside = np.clip(values, low, high)
    spread = inside.std()
    if spread <= 1e-9 * float(np.abs(inside).max()):
        return np.zeros(values.shape, np.float32)
    return np.asarray((inside - inside.mean()) / spread, np.float32)
