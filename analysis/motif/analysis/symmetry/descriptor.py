"""The analytic symmetry descriptor: numbers one can explain, without any weights.

How well an image survives each rotation, and a mirror through each axis, at the best
translation; its radial spectrum and grey statistics; its dominant period. All of it is
unchanged by turning, mirroring, shifting or inverting the image and by its gain and offset.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from motif.analysis.symmetry import measures
from motif.analysis.symmetry.lattice import autocorrelation, windowed
from motif.core.records import content_id

BATCH = 32
VERSION = 2
PARTS = {
    "symmetry": {"survival": 0.86, "order": 1.9, "lattice": 0.11},
    "texture": {"spectrum": 0.02, "grey": 1.3},
    "scale": {"period": 1.0},
}
"""Factors of what each part is made of, found by retrieval on simulated domain patterns."""
SIZES = {
    "survival": len(measures.ROTATIONS) + measures.AXES // 2 + measures.HARMONICS,
    "order": measures.RADII * measures.FOLDS,
    "lattice": 33,
    "spectrum": measures.OFFSETS[1] - measures.OFFSETS[0],
    "grey": 2 * measures.PAIRS,
    "period": 1,
}


class AnalyticDescriptor:
    """Extractor of the analytic descriptor; see `motif.core.contracts.Extractor`."""

    name = "analytic"

    def __init__(self) -> None:
        self.fingerprint = content_id("analytic", str(VERSION), repr(PARTS))
        self.parts: dict[str, slice] = {}
        start = 0
        for name, blocks in PARTS.items():
            stop = start + sum(SIZES[block] for block in blocks)
            self.parts[name] = slice(start, stop)
            start = stop

    def __call__(
        self, images: NDArray[np.float32], pixel_size: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Features (n, d) of images (n, height, width) whose pixels measure `pixel_size` m."""
        made = [
            self._batch(images[i : i + BATCH], pixel_size[i : i + BATCH])
            for i in range(0, len(images), BATCH)
        ]
        return np.concatenate(made) if made else np.empty((0, self.parts["scale"].stop), np.float32)

    def _batch(
        self, images: NDArray[np.float32], pixel_size: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        with torch.inference_mode():
            square, zoom = centre_square(torch.from_numpy(np.ascontiguousarray(images)))
            made = measured(square, torch.from_numpy(pixel_size).float() * zoom)
            joined = torch.cat(
                [
                    factor * made[block]
                    for blocks in PARTS.values()
                    for block, factor in blocks.items()
                ],
                dim=1,
            )
            contrast = square.flatten(1).std(1, keepdim=True) > 1e-6
            features: NDArray[np.float32] = torch.where(contrast, joined, 0.0).numpy()
        return features


def measured(square: Tensor, pixel_size: Tensor) -> dict[str, Tensor]:
    """Everything the descriptor is made of, by name: arrays (n, k) of square images."""
    flat = windowed(square)
    acf = autocorrelation(flat)
    rotation, mirror = measures.survival(flat)
    spectrum, frequency = measures.radial_spectrum(flat)
    return {
        "survival": torch.cat([rotation, measures.mirror_summary(mirror)], 1),
        "order": measures.order(acf, frequency),
        "lattice": measures.lattice_evidence(flat, acf),
        "spectrum": measures.about_peak(spectrum, frequency),
        "grey": measures.grey_statistics(square),
        "period": measures.scale(frequency, pixel_size),
    }


def centre_square(images: Tensor, size: int = measures.SIZE) -> tuple[Tensor, float]:
    """The largest central square at `size` pixels a side, and how much larger its pixels are."""
    side = min(images.shape[1:])
    top, left = (images.shape[1] - side) // 2, (images.shape[2] - side) // 2
    square = images[:, None, top : top + side, left : left + side]
    if side != size:
        square = functional.interpolate(
            square, (size, size), mode="bilinear", antialias=side > size, align_corners=False
        )
    return square[:, 0], side / size
