"""What can be measured of a pattern without weights: survival, order, spectrum, grey, period."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from motif.analysis.symmetry.evidence.lattice import estimate
from motif.analysis.symmetry.evidence.operations import invariants, settle

SIZE = 64
"""Pixels a side at which patterns are measured."""
ROTATIONS = (2, 3, 4, 6)
AXES = 24
"""Mirror axes tested over 180 degrees."""
HARMONICS = 12
RINGS = 32
"""Rings of the radial spectrum, seven an octave."""
OFFSETS = (-8, 17)
"""Rings kept, counted from the dominant one, so that the spectrum has no scale of its own."""
PAIRS = 8
"""Pairs of grey quantiles, from 3 and 97 % to the middle."""
RADII = 12
"""Shifts of the autocorrelation, in sixths of the dominant period."""
DIRECTIONS = 36
FOLDS = ("order", "order 2-fold", "order 4-fold", "order 6-fold", "order 8-fold")
"""Angular harmonics of the autocorrelation: the mean over directions first."""
WAVES = 8
"""Pairs of sine and cosine that distinguish periods."""
RESOLUTION = 0.08
"""Decades between two periods that begin to count as different."""
_LOWEST, _HIGHEST = 1.2 / SIZE, 0.5


def survival(flat: Tensor) -> tuple[Tensor, Tensor]:
    """Best correlation over translations with the rotated and the mirrored image.

    Returns:
        Rotations by 360/k degrees (n, 4) and mirrors through `AXES` axes (n, 24).
    """
    n, size = flat.shape[:2]
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
    """Sampling grids (28, size, size, 2) of the rotations and mirrors."""
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


def radial_spectrum(flat: Tensor) -> tuple[Tensor, Tensor]:
    """Log power in rings of constant relative width, and the dominant frequency in 1/pixel.

    Returns:
        (n, RINGS) centred log power; (n,) frequency of the strongest ring, between rings.
    """
    size = flat.shape[-1]
    power = torch.fft.rfft2(flat, s=(2 * size, 2 * size)).abs().square()
    power = power * _twice(2 * size)
    rings, counts = _ring_of(size)
    total = torch.zeros(len(flat), RINGS).index_add_(
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
    twice = _twice(2 * size).expand(2 * size, -1).flatten()
    counts = torch.bincount(ring[ring >= 0], twice[ring >= 0], minlength=RINGS).clamp_min(1)
    return ring, counts


@cache
def _twice(size: int) -> Tensor:
    """How many points of the whole plane each column of a half plane stands for.

    Without it the axes count unlike each other, and a quarter turn is seen.
    """
    columns = torch.full((size // 2 + 1,), 2.0)
    columns[[0, -1]] = 1.0
    return columns


def about_peak(spectrum: Tensor, frequency: Tensor) -> Tensor:
    """The log spectrum (n, 25) at multiples of the dominant frequency, centred."""
    step = math.log(_HIGHEST / _LOWEST) / RINGS
    place = torch.log(frequency / _LOWEST) / step - 0.5
    wanted = place[:, None] + torch.arange(*OFFSETS)
    lower = wanted.floor().clamp(0, RINGS - 2)
    share = (wanted - lower).clamp(0, 1)
    index = lower.long()
    values = spectrum.gather(1, index) * (1 - share) + spectrum.gather(1, index + 1) * share
    return values - values.mean(1, keepdim=True)


def order(acf: Tensor, frequency: Tensor) -> tuple[Tensor, ...]:
    """Angular harmonics of the autocorrelation at shifts of 1/6 to 2 dominant periods.

    One array (n, `RADII`) for each of `FOLDS`. Stripes, labyrinths, bubbles and lattices differ in
    how correlation lasts, and in which directions; 0 beyond the reach of the autocorrelation.
    """
    far = acf.shape[1] - 1
    angle = torch.arange(DIRECTIONS) * (math.pi / DIRECTIONS)
    shift = torch.arange(1, RADII + 1) / 6
    radius = 2 * shift[None, :, None] / frequency[:, None, None]
    points = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], -1)
    x = (points[..., 0] + far).clamp(0, 2 * far - 1e-3)
    y = points[..., 1].clamp(0, far - 1e-3)
    left, top = x.floor().long(), y.floor().long()
    dx, dy = x - left, y - top

    def at(row: Tensor, column: Tensor) -> Tensor:
        return acf.flatten(1).gather(1, (row * (2 * far + 1) + column).flatten(1)).view_as(x)

    upper = at(top, left) * (1 - dx) + at(top, left + 1) * dx
    lower = at(top + 1, left) * (1 - dx) + at(top + 1, left + 1) * dx
    values = (upper * (1 - dy) + lower * dy) * (radius < far - 1)
    waves = torch.fft.rfft(values, dim=2)[..., : len(FOLDS)] / DIRECTIONS
    return waves[..., 0].real, *waves[..., 1:].abs().unbind(2)


def lattice_evidence(flat: Tensor, acf: Tensor) -> Tensor:
    """Evidence in the frame of the lattice (n, 33), as far as the image has one.

    The numbers of `evidence.invariants` (rotations, mirrors and glides by where their
    translation sits), ratio of the lattice vectors and cosine of their angle; all multiplied by
    the mean autocorrelation at the lattice points.
    """
    lattice = estimate(acf)
    basis, factors = settle(flat, lattice.basis)
    a, b = basis[:, 0], basis[:, 1]
    length_a, length_b = a.norm(dim=1), b.norm(dim=1)
    shape = torch.stack([length_a / length_b, (a * b).sum(1) / (length_a * length_b)], 1)
    return torch.cat([invariants(factors, basis), shape], 1) * lattice.order.clamp(0, 1)[:, None]


def grey_statistics(images: Tensor) -> Tensor:
    """Shape of the grey distribution (n, 16): half spread and lopsidedness of 8 quantile pairs.

    An image and its negative have the same.
    """
    flat = images.flatten(1).sort(1).values
    flat = (flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True).clamp_min(1e-6)
    place = ((torch.arange(PAIRS) + 0.5) / (2 * PAIRS) * flat.shape[1]).long()
    low, high = flat[:, place], flat[:, -1 - place]
    return torch.cat([(high - low) / 2, ((high + low) / 2).abs()], 1)


def decades(frequency: Tensor, pixel_size: Tensor) -> Tensor:
    """Logarithm to base 10 of the dominant period in nm (n, 1); NaN where pixels have no size."""
    known = torch.isfinite(pixel_size) & (pixel_size > 0)
    metres = torch.where(known, pixel_size, torch.nan)
    return (torch.log10(metres * 1e9) - torch.log10(frequency))[:, None]


def period_waves(logarithm: Tensor) -> Tensor:
    """Waves (n, 2 `WAVES`) over the logarithm of the period, whose distance saturates.

    The squared distance of two periods is close to 1 - exp(-d^2 / 2 s^2), d in decades and
    s = `RESOLUTION`: a factor of 1.5 counts nearly as much as a factor of ten, so that the
    part tells 50 from 80 nm without outweighing everything else where scales differ by decades.
    It repeats every two decades, which the logarithm itself distinguishes.
    """
    harmonic = torch.arange(1, WAVES + 1) * math.pi
    weight = torch.exp(-0.5 * (harmonic * RESOLUTION).square())
    weight = weight / (2 * weight.square().sum()).sqrt()
    return torch.cat(
        [weight * torch.cos(logarithm * harmonic), weight * torch.sin(logarithm * harmonic)], 1
    )
