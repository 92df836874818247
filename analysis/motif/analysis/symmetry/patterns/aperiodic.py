"""Images that have none of the 17 wallpaper groups: stripes, quasi-crystals, and no order at all.

Most real images are of these kinds, and what names groups has to say so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motif.analysis.symmetry.patterns.motifs import (
    apply_artefacts,
    nonlinearity,
    scanner_drift,
    standardise,
    uniform,
)

LATTICE, NOTHING = "lattice", "no order"
QUASI = {"8-fold": 8, "10-fold": 10, "12-fold": 12}
"""Quasi-periodic kinds by the symmetry of their diffraction; a 5-fold pattern diffracts 10-fold."""
KINDS: tuple[str, ...] = (LATTICE, "stripes", *QUASI, NOTHING)
"""What an image can be; those after the first are drawn here."""
FINEST = 8.0
"""Shortest period in pixels."""
MOST_PERIODS = 0.5
"""Longest period as a share of the image side."""
SEEDS = 96
"""Grains or dots an image has at the most."""


@dataclass(frozen=True)
class Drawn:
    """Images (n, size, size) float32 of zero mean and unit variance; index into `KINDS` (n,)."""

    images: Tensor
    labels: Tensor


def draw_aperiodic(
    n: int,
    *,
    seed: int,
    size: int = 128,
    kinds: Sequence[str] = KINDS[1:],
    artefacts: float = 0.0,
) -> Drawn:
    """Draw `n` images without a lattice, the kinds in equal shares and in random order.

    `artefacts` scales blur, noise and scanning-probe artefacts as in `generator.generate`. The
    same seed gives the same images.
    """
    rng = torch.Generator().manual_seed(seed)
    index = torch.tensor([KINDS.index(name) for name in kinds])
    labels = index[torch.arange(n) % len(kinds)][torch.randperm(n, generator=rng)]
    images = torch.empty(n, size, size)
    for label in index.tolist():
        chosen = (labels == label).nonzero()[:, 0]
        if len(chosen):
            images[chosen] = _DRAWERS[KINDS[label]](len(chosen), size, artefacts, rng)
    if artefacts > 0:
        images = apply_artefacts(images, artefacts, rng)
    return Drawn(standardise(images), labels)


def _shape(n: int, rng: torch.Generator) -> Tensor:
    """Parameters of a random `nonlinearity`; half of them make domains with walls."""
    u = uniform(rng, n, 4)
    kind = (u[:, 0, None] > torch.tensor([0.3, 0.8, 0.9])).sum(1)
    return torch.stack([kind, 1 + 3 * u[:, 1], 1.2 * u[:, 2] - 0.6, 1 + u[:, 3]], dim=1)


def _periods(n: int, size: float, rng: torch.Generator) -> Tensor:
    """Periods (n,) in pixels, log-uniform."""
    longest = MOST_PERIODS * size
    return FINEST * (longest / FINEST) ** uniform(rng, n)


def _coordinates(n: int, size: int, strength: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pixel coordinates (n, size, size) as x and y under the drift of a scanner."""
    axis = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    fast, slow = scanner_drift(n, size, strength, rng)
    x = axis + fast[:, :, None]
    y = (axis + slow)[:, :, None]
    return x, y.expand(-1, -1, size)


def _smooth(n: int, size: int, length: Tensor, rng: torch.Generator) -> Tensor:
    """Random fields (n, size, size) of unit variance that vary over `length` (n,) pixels."""
    return _filtered(n, size, lambda k: torch.exp(-((math.pi * k * length) ** 2)), rng)


def _filtered(
    n: int, size: int, transfer: Callable[[Tensor], Tensor], rng: torch.Generator
) -> Tensor:
    """White noise through a filter of the wave number (1, size, size // 2 + 1) in 1/pixel.

    The filter may broadcast parameters of shape (n, 1, 1).
    """
    k = torch.sqrt(
        torch.fft.fftfreq(size)[None, :, None].square() + torch.fft.rfftfreq(size).square()
    )
    noise = torch.fft.rfft2(torch.randn(n, size, size, generator=rng))
    return standardise(torch.fft.irfft2(noise * transfer(k), s=(size, size)))


def _stripes(n: int, size: int, strength: float, rng: torch.Generator) -> Tensor:
    """One-dimensional order: any profile, its walls straight or wandering."""
    period, angle = _periods(n, size, rng)[:, None, None], 2 * math.pi * uniform(rng, n, 1, 1)
    x, y = _coordinates(n, size, strength, rng)
    phase = 2 * math.pi * (x * torch.cos(angle) + y * torch.sin(angle)) / period
    wander = 0.9 * uniform(rng, n, 1, 1) * (uniform(rng, n, 1, 1) < 0.6)
    phase = phase + wander * _smooth(n, size, 1.5 * period, rng)
    field = torch.zeros(n, size, size)
    for harmonic in range(1, 5):
        weight = torch.randn(n, 1, 1, generator=rng) * math.exp(-0.8 * (harmonic - 1))
        shift = 2 * math.pi * uniform(rng, n, 1, 1)
        field += weight * torch.cos(harmonic * phase + shift)
    return nonlinearity(standardise(field), _shape(n, rng))


def _quasi(fold: int) -> Callable[[int, int, float, torch.Generator], Tensor]:
    """Patterns of a star of `fold` plane waves and their nearest sums, as quasi-crystals have."""

    def drawn(n: int, size: int, strength: float, rng: torch.Generator) -> Tensor:
        period = _periods(n, size / 2, rng)[:, None, None]
        x, y = _coordinates(n, size, strength, rng)
        turn = 2 * math.pi * uniform(rng, n, 1, 1)
        # opposite wave vectors belong to one real wave, so their phases are opposite too
        half = 2 * math.pi * uniform(rng, fold // 2, n, 1, 1)
        waves = []
        for j in range(fold):
            angle = turn + 2 * math.pi * j / fold
            sign = 1 if j < fold // 2 else -1
            along = (x * torch.cos(angle) + y * torch.sin(angle)) / period
            waves.append(2 * math.pi * along + sign * half[j % (fold // 2)])
        field = sum((torch.cos(wave) for wave in waves), torch.zeros(n, size, size))
        for step in (1, 2):
            weight, shift = uniform(rng, n, 1, 1) - 0.5, 2 * math.pi * uniform(rng, n, 1, 1)
            for j in range(fold):
                sign = 1 if j < fold // 2 else -1
                together = waves[j] + waves[(j + step) % fold]
                field = field + weight * torch.cos(together + sign * shift)
        return nonlinearity(standardise(field), _shape(n, rng))

    return drawn


def _disorder(n: int, size: int, strength: float, rng: torch.Generator) -> Tensor:
    """Labyrinths, clouds, noise, grains, dots and terraces, in turn at random."""
    drawers = (_labyrinth, _clouds, _grains, _dots, _terraces)
    which = (uniform(rng, n) * len(drawers)).long()
    images = torch.empty(n, size, size)
    for number, drawer in enumerate(drawers):
        chosen = (which == number).nonzero()[:, 0]
        if len(chosen):
            images[chosen] = standardise(drawer(len(chosen), size, rng))
    return images


def _labyrinth(n: int, size: int, rng: torch.Generator) -> Tensor:
    """Domains of one width and no direction: noise from a ring of wave numbers."""
    period = _periods(n, size / 2, rng)[:, None, None]
    width = 0.06 + 0.5 * uniform(rng, n, 1, 1).square()
    ring = _filtered(n, size, lambda k: torch.exp(-(((k * period - 1) / width) ** 2) / 2), rng)
    return nonlinearity(ring, _shape(n, rng))


def _clouds(n: int, size: int, rng: torch.Generator) -> Tensor:
    """Self-affine fields, from white noise to smooth hills, some cut into domains."""
    power = 4 * uniform(rng, n, 1, 1)
    field = _filtered(n, size, lambda k: k.clamp_min(0.5 / size) ** (-power / 2), rng)
    return nonlinearity(field, _shape(n, rng))


def _nearest(n: int, size: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Distances (n, size^2, 2) to the two nearest of random points, and which is nearest."""
    reach = 1 + 2 * uniform(rng, n, 1, 1)
    points = reach * (uniform(rng, n, SEEDS, 2) - 0.5)
    axis = torch.linspace(-0.5, 0.5, size)
    pixels = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1).reshape(1, -1, 2)
    near = torch.cdist(pixels.expand(n, -1, -1), points).topk(2, dim=2, largest=False)
    return near.values, near.indices[..., 0]


def _grains(n: int, size: int, rng: torch.Generator) -> Tensor:
    """Grains of a polycrystal: each at a height of its own, with grooves between."""
    distance, owner = _nearest(n, size, rng)
    height = torch.randn(n, SEEDS, generator=rng).gather(1, owner)
    groove = (20 * (distance[..., 1] - distance[..., 0])).clamp(0, 1)
    return (height * uniform(rng, n, 1) + 2 * groove * uniform(rng, n, 1)).reshape(n, size, size)


def _dots(n: int, size: int, rng: torch.Generator) -> Tensor:
    """Round particles of one size anywhere."""
    distance, _ = _nearest(n, size, rng)
    radius = 0.02 + 0.04 * uniform(rng, n, 1)
    return torch.tanh(3 * (1 - distance[..., 0] / radius)).reshape(n, size, size)


def _terraces(n: int, size: int, rng: torch.Generator) -> Tensor:
    """Uneven steps of a crystal surface."""
    axis = torch.linspace(-1, 1, size)
    angle = 2 * math.pi * uniform(rng, n, 1, 1)
    along = torch.cos(angle) * axis + torch.sin(angle) * axis[:, None]
    slope = 3 * uniform(rng, n, 1, 1) * along
    length = size * (0.08 + 0.15 * uniform(rng, n, 1, 1))
    level = slope + (0.6 + uniform(rng, n, 1, 1)) * _smooth(n, size, length, rng)
    return torch.floor(2 * level) - 2 * slope * (uniform(rng, n, 1, 1) < 0.5)


_DRAWERS: dict[str, Callable[[int, int, float, torch.Generator], Tensor]] = {
    "stripes": _stripes,
    **{name: _quasi(fold) for name, fold in QUASI.items()},
    NOTHING: _disorder,
}
