"""Images as squares of square pixels, of any size or of a stated one."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

Image: TypeAlias = NDArray[np.float32]

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

    As many as lie beside each other, so that a long scan counts in its whole length.
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
