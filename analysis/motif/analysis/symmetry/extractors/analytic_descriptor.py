"""The analytic symmetry descriptor: numbers one can explain, without any weights.

How well an image survives each rotation, and a mirror through each axis, at the best
translation; its radial spectrum and grey statistics; its dominant period. All of it is
unchanged by turning, mirroring, shifting or inverting the image and by its gain and offset.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from motif.analysis.symmetry.evidence import measures
from motif.analysis.symmetry.evidence.lattice import autocorrelation, windowed
from motif.core.contracts import check_images
from motif.core.records import content_id

BATCH = 32
VERSION = 4
PARTS = {
    "symmetry": {
        "rotation": 1.7, "mirror": 0.35, "order": 1.7, "order 2-fold": 1.0, "order 4-fold": 2.3,
        "order 6-fold": 2.5, "order 8-fold": 0.7, "lattice": 0.05,
    },
    "texture": {"spectrum": 0.02, "grey": 1.4},
    "scale": {"decades": 0.3, "period": 0.85},
}  # fmt: skip
"""Factors of what each part is made of, found by retrieval on simulated domain patterns."""
SIZES = {
    "rotation": len(measures.ROTATIONS),
    "mirror": measures.AXES // 2 + measures.HARMONICS,
    **dict.fromkeys(measures.FOLDS, measures.RADII),
    "lattice": 33,
    "spectrum": measures.OFFSETS[1] - measures.OFFSETS[0],
    "grey": 2 * measures.PAIRS,
    "decades": 1,
    "period": 2 * measures.WAVES,
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
        check_images(images, pixel_size)
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
            features: NDArray[np.float32] = joined(made, square).numpy()
        return features


def joined(made: Mapping[str, Tensor], square: Tensor) -> Tensor:
    """Weighted features (n, d) of square images; zero for an image without contrast."""
    blocks = [factor * made[block] for blocks in PARTS.values() for block, factor in blocks.items()]
    # an unknown pixel size leaves the scale undefined, which then counts for nothing
    known = torch.nan_to_num(torch.cat(blocks, dim=1))
    contrast = square.flatten(1).std(1, keepdim=True) > 1e-6
    return torch.where(contrast, known, 0.0)


def measured(square: Tensor, pixel_size: Tensor) -> dict[str, Tensor]:
    """Everything the descriptor is made of, by name: arrays (n, k) of square images.

    And the dominant ``frequency`` (n,) in 1/pixel.
    """
    flat = windowed(square)
    acf = autocorrelation(flat)
    rotation, mirror = measures.survival(flat)
    spectrum, frequency = measures.radial_spectrum(flat)
    decades = measures.decades(frequency, pixel_size)
    return {
        "rotation": rotation,
        "mirror": measures.mirror_summary(mirror),
        **dict(zip(measures.FOLDS, measures.order(acf, frequency), strict=True)),
        "lattice": measures.lattice_evidence(flat, acf),
        "spectrum": measures.about_peak(spectrum, frequency),
        "grey": measures.grey_statistics(square),
        "decades": decades,
        "period": measures.period_waves(decades),
        "frequency": frequency,
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
