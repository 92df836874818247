"""From a scan with several channels to one feature vector with named parts.

Each kind of channel tells something of its own: amplitude and phase the ferroelectric domains,
topography the surface. Each is prepared in its own way, described by the extractor, and weighs
by its share; parts of the same name are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch.nn import functional

from motif.analysis.symmetry.extractors.preparation_recipe import (
    FIELD,
    WEIGHTS,
    Levelling,
    PreparationRecipe,
    aspect,
)
from motif.core.catalog.database import MeasurementRow
from motif.core.contracts import Extractor
from motif.core.records import canonical_json, content_id

__all__ = ["WEIGHTS", "Features", "channel_of", "clipped", "flattened", "phase_pattern", "prepare"]

Image: TypeAlias = NDArray[np.float32]

VERSION = 2
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
LONGEST = 4
"""Squares described at most along a scan that is longer than wide."""
SPREAD = 2
"""Squares described at most along each edge where images are compared in nanometres."""
PHYSICAL = 1.0
"""Factor of the shares of contrast by wavelength."""
POLARITY = 1.0
"""Factor of the mean direction of the phase."""


class Features:
    """Features of scans: the extractor applied to each kind of channel, weighted and joined."""

    def __init__(self, extractor: Extractor, recipe: PreparationRecipe | None = None) -> None:
        self._extractor = extractor
        self.recipe = recipe or PreparationRecipe()
        self._blocks = dict(extractor.parts)
        self._size = max(part.stop for part in extractor.parts.values())
        for name, size in (
            ("physical", BANDS if self.recipe.nm_per_pixel else 0),
            ("polarity", 2 if self.recipe.phase == "signed" else 0),
        ):
            if size:
                start = max(part.stop for part in self._blocks.values())
                self._blocks[name] = slice(start, start + size)
        self._width = max(part.stop for part in self._blocks.values())
        self.kinds = tuple(self.recipe.kinds)
        self.dimension = self._width * len(self.kinds)
        self.fingerprint = content_id(
            extractor.fingerprint, canonical_json(self.recipe.document()), str(VERSION),
            str((PHYSICAL, POLARITY)),
        )  # fmt: skip

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Named ranges of the joined vector: for each part of the extractor, all channels."""
        found, start = {}, 0
        for name, part in self._blocks.items():
            stop = start + (part.stop - part.start) * len(self.kinds)
            found[name] = (start, stop)
            start = stop
        return found

    def __call__(self, scans: Sequence[tuple[MeasurementRow, Image]]) -> Image:
        """Feature vectors (n, d) of scans, each with its channels (channel, y, x)."""
        blocks = np.zeros((len(scans), len(self.kinds), self._width), np.float32)
        for place, kind in enumerate(self.kinds):
            squares: dict[int, list[tuple[int, Image, float]]] = {}
            for number, (row, frame) in enumerate(scans):
                channel = channel_of(row.channels, kind)
                if channel is None or min(frame.shape[1:]) < SMALLEST:
                    continue
                plane, unit = frame[channel], row.units[channel]
                for square, size in self._squares(row, plane, kind, unit):
                    squares.setdefault(len(square), []).append((number, square, size))
                if kind == "phase" and "polarity" in self._blocks:
                    blocks[number, place, self._blocks["polarity"]] = polarity(plane, unit)
            self._describe(blocks[:, place], squares)
        weights = np.array(list(self.recipe.kinds.values()), np.float32)[:, None]
        blocks *= np.sqrt(weights / weights.sum())
        return np.concatenate(
            [blocks[:, :, part].reshape(len(scans), -1) for part in self._blocks.values()], axis=1
        )

    def _squares(
        self, row: MeasurementRow, plane: Image, kind: str, unit: str
    ) -> list[tuple[Image, float]]:
        """Squares of a channel that are described, of square pixels, and their pixel size in m."""
        image = prepare(plane, kind, unit, self.recipe.levelling)
        tall, size = aspect(row), abs(row.pixel_size or np.nan)
        # Pixels become square by the finer of their edges, so nothing measured is lost.
        down, across = max(1.0, tall), max(1.0, 1 / tall)
        size, side, most = size / across, None, LONGEST
        wanted = self.recipe.nm_per_pixel
        if wanted is not None:
            zoom = size * 1e9 / wanted
            if not np.isfinite(zoom):
                return []
            down, across, size = down * zoom, across * zoom, wanted * 1e-9
            side, most = FIELD, SPREAD
        image = resampled(image, down, across)
        shorter = min(image.shape)
        side = shorter if side is None else min(side, shorter)
        return [(square, size) for square in windows(image, side, most)]

    def _describe(self, block: Image, squares: dict[int, list[tuple[int, Image, float]]]) -> None:
        """Fill the rows (n, width) of one kind of channel with the mean over a scan's squares."""
        counts = np.zeros(len(block), np.float32)
        described = slice(0, self._size)
        for members in squares.values():
            numbers = [number for number, _, _ in members]
            images = np.stack([square for _, square, _ in members])
            sizes = np.array([size for _, _, size in members])
            np.add.at(block[:, described], numbers, self._extractor(images, sizes))
            if "physical" in self._blocks:
                shares = PHYSICAL * wavelengths(images, FIELD)
                np.add.at(block[:, self._blocks["physical"]], numbers, shares)
            np.add.at(counts, numbers, 1)
        shared = np.maximum(counts, 1)[:, None]
        block[:, described] /= shared
        if "physical" in self._blocks:
            block[:, self._blocks["physical"]] /= shared


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


def prepare(plane: Image, kind: str, unit: str = "", levelling: Levelling = "lines") -> Image:
    """One channel as a picture of its pattern: finite, flat, without what the scanner added.

    Lines and columns never measured are cut off; single missing points get the median. Height
    loses what `levelling` says, phase and amplitude are taken as measured.
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
    if kind == "height" and levelling != "none":
        values = flattened(values, lines=levelling == "lines")
    return clipped(values)


def polarity(plane: Image, unit: str = "") -> NDArray[np.float64]:
    """Mean cosine and sine of the phase: its length is 1 for one domain, 0 for equal shares."""
    phase = plane[np.isfinite(plane)].astype(np.float64)
    if not phase.size:
        return np.zeros(2)
    angle = phase if unit in RADIANS else np.deg2rad(phase)
    return POLARITY * np.array([np.cos(angle).mean(), np.sin(angle).mean()])


def phase_pattern(degrees: NDArray[np.float64]) -> Image:
    """Projection of the phase on its main axis: circular, and blind to which domain is "up".

    Domains that differ by 180 degrees lie at opposite ends of one axis of the doubled angle's
    principal direction; the projection is +1 for one and -1 for the other.
    """
    phasor = np.exp(1j * np.deg2rad(degrees))
    centred = phasor - phasor.mean()
    axis = np.angle(np.mean(centred**2)) / 2 if np.abs(centred).max() > 1e-9 else 0.0
    return clipped(np.real(centred * np.exp(-1j * axis)))


def flattened(height: NDArray[np.float64], *, lines: bool = True) -> NDArray[np.float64]:
    """Topography without its plane and, where `lines`, without the offsets of its lines."""
    y, x = np.mgrid[-1 : 1 : height.shape[0] * 1j, -1 : 1 : height.shape[1] * 1j]
    terms = np.stack([np.ones_like(x), x, y], axis=-1).reshape(-1, 3)
    plane, *_ = np.linalg.lstsq(terms, height.ravel(), rcond=None)
    level = height - (terms @ plane).reshape(height.shape)
    if not lines:
        return np.asarray(level)
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


ROUND = 0.01
"""Relative difference of sizes that is not worth resampling for."""
BANDS = 12
"""Bands of wavelength, equally wide in the logarithm."""


def resampled(image: Image, down: float, across: float) -> Image:
    """An image with `down` times as many rows and `across` times as many columns, antialiased."""
    if abs(down - 1) < ROUND and abs(across - 1) < ROUND:
        return image
    size = [max(1, round(n * by)) for n, by in zip(image.shape, (down, across), strict=True)]
    with torch.inference_mode():
        made = functional.interpolate(
            torch.from_numpy(np.ascontiguousarray(image))[None, None], size, mode="bilinear",
            antialias=True, align_corners=False,
        )  # fmt: skip
        result: Image = made[0, 0].numpy()
    return result


def windows(image: Image, side: int, most: int) -> list[Image]:
    """Squares of `side` pixels spread evenly over an image, at most `most` along each edge.

    As many as fit next to each other, so that a long scan counts in its whole length.
    """
    starts = []
    for extent in image.shape:
        count = min(most, max(1, round(extent / side)))
        room = extent - side
        places = np.linspace(0, room, count) if count > 1 else [room // 2]
        starts.append([int(place) for place in places])
    return [image[y : y + side, x : x + side] for y in starts[0] for x in starts[1]]


def wavelengths(images: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Share of the contrast in each band of wavelength (n, 12), as square roots.

    The bands reach from 2 to `side` pixels whatever the size of the square images (n, s, s), so
    with pixels of one size they are bands of nanometres. Turning or shifting changes nothing.
    """
    size = images.shape[1]
    window = np.hanning(size)
    flat = (images - images.mean((1, 2), keepdims=True)) * window[:, None] * window
    power = np.square(np.abs(np.fft.fft2(flat)))
    band, inside = _bands(size, side)
    found = np.stack([np.bincount(band, one[inside], BANDS) for one in power])
    total = found.sum(1, keepdims=True)
    result: NDArray[np.float32] = np.sqrt(found / np.where(total > 0, total, 1)).astype(np.float32)
    return result


@cache
def _bands(size: int, side: int) -> tuple[NDArray[np.int_], NDArray[np.bool_]]:
    """Band of each frequency that has one."""
    y, x = np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)
    frequency = np.hypot(x, y)
    inside = (frequency > 0) & (frequency <= 0.5)
    octaves = np.log2(frequency[inside] * side) / np.log2(side / 2)
    return np.clip((octaves * BANDS).astype(int), 0, BANDS - 1), inside
