"""The analytic symmetry descriptor: numbers one can explain, without any weights.

How well an image survives each rotation, and a mirror through each axis, at the best
translation; its radial spectrum and grey statistics; its dominant period. All of it is
unchanged by turning, mirroring, shifting or inverting the image and by its gain and offset.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from motif.analysis.symmetry.lattice import windowed
from motif.core.records import content_id

SIZE = 64
"""Pixels a side at which symmetry is tested."""
ROTATIONS = (2, 3, 4, 6)
AXES = 36
"""Mirror axes tested over 180 degrees."""
HARMONICS = 13
RINGS = 32
BINS = 16
BATCH = 32
VERSION = 1
WEIGHTS = {"symmetry": 1.8, "texture": 0.12, "scale": 0.55}
"""Factors of the parts: on simulated domain patterns the parts then spread as 1 : 0.35 : 0.25,
the proportions that retrieve their classes best."""


class AnalyticDescriptor:
    """Extractor of the analytic descriptor; see `motif.core.contracts.Extractor`."""

    name = "analytic"

    def __init__(self) -> None:
        self.fingerprint = content_id("analytic", str(VERSION), repr(WEIGHTS))
        sizes = {
            "symmetry": len(ROTATIONS) + AXES // 2 + HARMONICS,
            "texture": RINGS + BINS,
            "scale": 1,
        }
        self.parts: dict[str, slice] = {}
        start = 0
        for name, size in sizes.items():
            self.parts[name] = slice(start, start + size)
            start += size

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
            rotation, mirror = survival(square)
            spectrum, frequency = radial_spectrum(square)
            parts = {
                "symmetry": torch.cat([rotation, mirror_summary(mirror)], 1),
                "texture": torch.cat([spectrum, grey_statistics(square)], 1),
                "scale": scale(frequency, torch.from_numpy(pixel_size).float() * zoom),
            }
            joined = torch.cat([WEIGHTS[name] * part for name, part in parts.items()], 1)
            contrast = square.flatten(1).std(1, keepdim=True) > 1e-6
            features: NDArray[np.float32] = (joined * contrast).numpy()
        return features


def centre_square(images: Tensor, size: int = SIZE) -> tuple[Tensor, float]:
    """The largest central square at `size` pixels a side, and how much larger its pixels are."""
    side = min(images.shape[1:])
    top, left = (images.shape[1] - side) // 2, (images.shape[2] - side) // 2
    square = images[:, None, top : top + side, left : left + side]
    if side != size:
        square = functional.interpolate(
            square, (size, size), mode="bilinear", antialias=side > size, align_corners=False
        )
    return square[:, 0], side / size


def survival(images: Tensor) -> tuple[Tensor, Tensor]:
    """Best correlation over translations with the rotated and the mirrored image.

    Returns:
        Rotations by 360/k degrees (n, 4) and mirrors through axes at every 5 degrees (n, 36).
    """
    n, size = images.shape[:2]
    flat = windowed(images)
    grids = _grids(size)
    turned = functional.grid_sample(
        flat[:, None].expand(-1, 1, -1, -1).repeat_interleave(len(grids), 0),
        grids.repeat(n, 1, 1, 1), mode="bilinear", align_corners=True,
    ).reshape(n, len(grids), size, size)  # fmt: skip
    own, other = torch.fft.rfft2(flat), torch.fft.rfft2(turned)
    matched = torch.fft.irfft2(own[:, None] * other.conj(), s=(size, size))
    norm = flat.square().sum((1, 2)).clamp_min(1e-9)
    best = matched.amax((2, 3)) / norm[:, None]
    return best[:, : len(ROTATIONS)], best[:, len(ROTATIONS) :]


@cache
def _grids(size: int) -> Tensor:
    """Sampling grids (40, size, size, 2) of the rotations and mirrors."""
    matrices = []
    for k in ROTATIONS:
        angle = 2 * math.pi / k
        matrices.append([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    for step in range(AXES):
        double = 2 * math.pi * step / AXES
        matrices.append(
            [[math.cos(double), math.sin(double)], [math.sin(double), -math.cos(double)]]
        )
    theta = torch.tensor(matrices, dtype=torch.float32)
    theta = torch.cat([theta, torch.zeros(len(theta), 2, 1)], 2)
    return functional.affine_grid(theta, [len(theta), 1, size, size], align_corners=True)


def mirror_summary(mirror: Tensor) -> Tensor:
    """The mirror curve without its angle: every second quantile, and moduli of its harmonics."""
    ordered = mirror.sort(1, descending=True).values[:, ::2]
    harmonics = torch.fft.rfft(mirror, dim=1).abs()[:, 1 : HARMONICS + 1] / AXES
    return torch.cat([ordered, 4 * harmonics], 1)


def radial_spectrum(images: Tensor) -> tuple[Tensor, Tensor]:
    """Log power in rings of constant relative width, and the dominant frequency in 1/pixel.

    Returns:
        (n, RINGS) centred log power; (n,) frequency of the strongest ring, between rings.
    """
    size = images.shape[-1]
    power = torch.fft.rfft2(windowed(images), s=(2 * size, 2 * size)).abs().square()
    rings, counts = _ring_of(size)
    total = torch.zeros(len(images), RINGS).index_add_(
        1, rings[rings >= 0], power.flatten(1)[:, rings >= 0]
    )
    mean = total / counts
    density = torch.log10(mean / mean.sum(1, keepdim=True).clamp_min(1e-12) + 1e-5)
    weight = mean * _centres()
    peak = weight.argmax(1).clamp(1, RINGS - 2)
    three = torch.log(torch.stack([weight.gather(1, peak[:, None] + d)[:, 0] for d in (-1, 0, 1)])
                      .clamp_min(1e-12))  # fmt: skip
    bend = (2 * three[1] - three[0] - three[2]).clamp_min(1e-6)
    shift = (0.5 * (three[2] - three[0]) / bend).clamp(-0.5, 0.5)
    step = math.log(_HIGHEST / _LOWEST) / RINGS
    frequency = _LOWEST * torch.exp((peak + 0.5 + shift) * step)
    return density - density.mean(1, keepdim=True), frequency


_LOWEST, _HIGHEST = 1.2 / SIZE, 0.5


@cache
def _centres() -> Tensor:
    step = math.log(_HIGHEST / _LOWEST) / RINGS
    return _LOWEST * torch.exp((torch.arange(RINGS) + 0.5) * step)


@cache
def _ring_of(size: int) -> tuple[Tensor, Tensor]:
    """Ring of each point of the half plane of a doubled transform; -1 outside all."""
    fy = torch.fft.fftfreq(2 * size)[:, None]
    fx = torch.fft.rfftfreq(2 * size)
    frequency = torch.sqrt(fy.square() + fx.square()).flatten()
    step = math.log(_HIGHEST / _LOWEST) / RINGS
    ring = torch.floor(torch.log(frequency.clamp_min(1e-9) / _LOWEST) / step).long()
    ring = torch.where((ring >= 0) & (ring < RINGS), ring, -1)
    counts = torch.bincount(ring[ring >= 0], minlength=RINGS).float().clamp_min(1)
    return ring, counts


def grey_statistics(images: Tensor) -> Tensor:
    """Square roots of a grey histogram (n, BINS) that does not tell an image from its negative."""
    flat = images.flatten(1)
    standard = (flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True).clamp_min(1e-6)
    skew = standard.pow(3).mean(1, keepdim=True)
    upright = torch.where(skew < 0, -standard, standard)
    places = ((upright + 3) / 6 * BINS).floor().clamp(0, BINS - 1).long()
    counts = torch.zeros(len(flat), BINS).scatter_add_(1, places, torch.ones_like(upright))
    share = counts / flat.shape[1]
    both = 0.5 * (share + share.flip(1))
    balance = skew.abs().clamp(0, 1)
    return torch.sqrt(balance * share + (1 - balance) * both)


def scale(frequency: Tensor, pixel_size: Tensor) -> Tensor:
    """Logarithm to base 10 of the dominant period in nm (n, 1); 0 where pixels have no size."""
    pixels = -torch.log10(frequency)
    known = torch.isfinite(pixel_size) & (pixel_size > 0)
    metres = torch.where(known, pixel_size, 1e-9)
    nanometres = torch.where(known, pixels + torch.log10(metres * 1e9), 0.0)
    return nanometres[:, None]
