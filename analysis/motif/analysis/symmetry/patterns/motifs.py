"""Random motifs of the 17 wallpaper groups, free of accidental symmetry.

A motif is a set of random structure factors averaged over the group in reciprocal space,

    F'(h) = 1/|G| sum over (W, w) in G of F(W^-T h) exp(2 pi i (W^-T h).w),

followed by a pointwise nonlinearity, which keeps every symmetry and makes domain-like
motifs. Motifs that carry a further symmetry by accident are drawn again, so that the label
is right; see `accidental_symmetry`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from motif.analysis.symmetry.patterns.wallpaper_groups import (
    GROUP_NAMES,
    METRIC_ODDS,
    METRICS,
    extra_operations,
    group,
)

REACH = 5
"""Structure factors have indices -REACH..REACH."""
SIDE = 2 * REACH + 1
GRID = 24
"""The unit cell is sampled GRID x GRID to look for accidental symmetry."""
SPURIOUS = 0.75
"""A motif whose correlation with its image under a foreign operation exceeds this is redrawn."""
PIXELS_PER_DETAIL = 8.5
"""The envelope is at most as wide as the pixels of a cell over this, so that nothing is aliased."""
_ROUNDS = 40


@dataclass(frozen=True)
class Motifs:
    """Structure factors (n, `SIDE`^2) complex, already symmetric, and their nonlinearity."""

    factors: Tensor
    centre: Tensor
    spread: Tensor
    shape: Tensor
    spurious: Tensor


@cache
def indices(device: torch.device) -> Tensor:
    """Structure factor indices (`SIDE`^2, 2)."""
    line = torch.arange(-REACH, REACH + 1, device=device)
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)


@cache
def _averaging(device: torch.device) -> tuple[Tensor, Tensor]:
    """Gather index and complex weight (17, 12, `SIDE`^2) of the group average.

    Reflections with an image outside the index square get weight 0 in every operation, so
    that the set of structure factors is closed under the group.
    """
    h = indices(device)
    gather = torch.zeros(len(GROUP_NAMES), 12, len(h), dtype=torch.long, device=device)
    weight = torch.zeros(len(GROUP_NAMES), 12, len(h), dtype=torch.complex64, device=device)
    for g, name in enumerate(GROUP_NAMES):
        inside = torch.ones(len(h), dtype=torch.bool, device=device)
        for o, (linear, shift) in enumerate(group(name).operations):
            w = torch.tensor(linear, dtype=torch.float32, device=device)
            source = torch.round(h.float() @ torch.linalg.inv(w)).long()
            ok = source.abs().amax(1) <= REACH
            inside &= ok
            source = torch.where(ok[:, None], source, 0)
            gather[g, o] = (source[:, 0] + REACH) * SIDE + source[:, 1] + REACH
            phase = 2 * math.pi * (source.float() @ torch.tensor(shift, device=device))
            weight[g, o] = torch.polar(torch.ones_like(phase), phase) / group(name).order
        weight[g] *= inside
    return gather, weight


def symmetrise(factors: Tensor, labels: Tensor) -> Tensor:
    """Average structure factors (n, `SIDE`^2) over the operations of their groups."""
    gather, weight = _averaging(factors.device)
    spread = factors[:, None].expand(-1, 12, -1).gather(2, gather[labels])
    return (spread * weight[labels]).sum(1)


def cell_values(factors: Tensor, grid: int = GRID) -> Tensor:
    """Real density (n, grid, grid) at fractional coordinates (i, j)/grid."""
    full = torch.zeros(len(factors), grid, grid, dtype=factors.dtype, device=factors.device)
    h = indices(factors.device) % grid
    full[:, h[:, 0], h[:, 1]] = factors
    density: Tensor = torch.fft.ifft2(full, norm="forward").real
    return density


def nonlinearity(z: Tensor, shape: Tensor) -> Tensor:
    """Pointwise map of the standardised density; `shape` (n, 4) is kind and parameters."""
    kind, gain, offset, rate = (p.reshape(-1, *[1] * (z.ndim - 1)) for p in shape.T)
    soft = torch.tanh(gain * (z - offset))
    bands = torch.sin(rate * z + 3 * offset)
    ridge = torch.exp(-((z - offset).square()) * gain)
    linear = z.clamp(-3, 3)
    return torch.where(
        kind < 1, linear, torch.where(kind < 2, soft, torch.where(kind < 3, bands, ridge))
    )


def draw_motifs(
    labels: Tensor, metric: Tensor, basis: Tensor, pixels: Tensor, rng: torch.Generator
) -> Motifs:
    """Draw motifs until none carries an accidental symmetry (at most `_ROUNDS` times).

    Args:
        labels: (n,) index into `GROUP_NAMES`.
        metric: (n,) index into `METRICS`.
        basis: (n, 2, 2) cell vectors of unit area, one a row.
        pixels: (n,) square root of the cell area in pixels, which bounds the detail.
        rng: source of all randomness; its device is where everything happens.
    """
    n, device = len(labels), labels.device
    factors = torch.zeros(n, SIDE**2, dtype=torch.complex64, device=device)
    centre, spread = torch.zeros(2, n, device=device)
    shape = torch.zeros(n, 4, device=device)
    spurious = torch.full((n,), torch.inf, device=device)
    todo = torch.arange(n, device=device)
    for _ in range(_ROUNDS):
        f = _draw_factors(labels[todo], basis[todo], pixels[todo], rng)
        density = cell_values(f)
        mean, std = density.mean((1, 2)), density.std((1, 2)).clamp_min(1e-12)
        s = _draw_shapes(len(todo), rng)
        cell = nonlinearity((density - mean[:, None, None]) / std[:, None, None], s)
        worst = accidental_symmetry(cell, labels[todo], metric[todo])
        better = worst < spurious[todo]
        kept = todo[better]
        factors[kept], centre[kept], spread[kept] = f[better], mean[better], std[better]
        shape[kept], spurious[kept] = s[better], worst[better]
        todo = todo[spurious[todo] >= SPURIOUS]
        if len(todo) == 0:
            break
    return Motifs(factors, centre, spread, shape, spurious)


def _draw_factors(labels: Tensor, basis: Tensor, pixels: Tensor, rng: torch.Generator) -> Tensor:
    """Gaussian structure factors under a Gaussian envelope of random width, symmetrised."""
    n, device = len(labels), labels.device
    h = indices(device).float()
    reciprocal = torch.linalg.inv(basis).mT
    length = torch.einsum("hi,nij->nhj", h, reciprocal).square().sum(-1)
    order = torch.tensor([group(name).order for name in GROUP_NAMES], device=device)[labels]
    # groups of high order keep few independent factors unless the band is wider
    width = (1.2 + 0.08 * order) * (1 + 0.5 * uniform(rng, n))
    # finer detail than the pixels can show would be aliased and break the lattice
    width = torch.minimum(width, pixels / PIXELS_PER_DETAIL)
    envelope = torch.exp(-0.5 * length / width[:, None].square())
    noise = torch.randn(2, n, len(h), generator=rng, device=device)
    factors = torch.complex(noise[0], noise[1]) * envelope
    factors[:, len(h) // 2] = 0
    return symmetrise(factors, labels)


def _draw_shapes(n: int, rng: torch.Generator) -> Tensor:
    u = uniform(rng, n, 4)
    kind = (u[:, 0, None] > torch.tensor([0.3, 0.65, 0.8], device=u.device)).sum(1)
    return torch.stack([kind, 1 + 3 * u[:, 1], 1.4 * u[:, 2] - 0.7, 1 + u[:, 3]], dim=1)


@cache
def _foreign(device: torch.device) -> tuple[Tensor, Tensor]:
    """Grid permutations of foreign point operations, and where each (group, metric) starts.

    Returns permutations (m, GRID^2) and starts (17 * len(METRICS) + 1,).
    """
    line = torch.arange(GRID)
    points = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    rows, starts = [], [0]
    for name in GROUP_NAMES:
        for metric in METRICS:
            for entries in extra_operations(name, metric) if metric in METRIC_ODDS[name] else ():
                image = (points @ torch.tensor(entries).reshape(2, 2).T) % GRID
                rows.append(image[:, 0] * GRID + image[:, 1])
            starts.append(len(rows))
    return torch.stack(rows).to(device), torch.tensor(starts, device=device)


@cache
def _sublattice(device: torch.device) -> Tensor:
    """Flat grid indices of the translations by halves, thirds and quarters of a cell."""
    flat = {
        (i * GRID // d) % GRID * GRID + (j * GRID // d) % GRID
        for d in (2, 3, 4)
        for i in range(d)
        for j in range(d)
    } - {0}
    return torch.tensor(sorted(flat), device=device)


def accidental_symmetry(cell: Tensor, labels: Tensor, metric: Tensor) -> Tensor:
    """Largest normalised correlation of a cell with itself under a foreign operation.

    Every point operation the lattice allows and the group lacks is tried at every
    translation of the grid, and the identity at the translations of a finer lattice.

    Args:
        cell: (n, GRID, GRID) values in fractional coordinates.
        labels: (n,) index into `GROUP_NAMES`.
        metric: (n,) index into `METRICS`.

    Returns:
        (n,) correlations; 1 means the motif has a higher symmetry than its label says.
    """
    n, device = len(cell), cell.device
    flat = cell.reshape(n, -1)
    flat = flat - flat.mean(1, keepdim=True)
    flat = flat / flat.square().sum(1, keepdim=True).sqrt().clamp_min(1e-12)
    spectrum = torch.fft.rfft2(flat.reshape(n, GRID, GRID))
    own = torch.fft.irfft2(spectrum.abs().square(), s=(GRID, GRID)).reshape(n, -1)
    worst: Tensor = own[:, _sublattice(device)].amax(1)
    permutations, starts = _foreign(device)
    pair = labels * len(METRICS) + metric
    counts = starts[pair + 1] - starts[pair]
    image = torch.repeat_interleave(torch.arange(n, device=device), counts)
    if len(image) == 0:
        return worst
    first = torch.cumsum(counts, 0) - counts
    step = torch.arange(len(image), device=device) - first[image]
    moved = flat[image].gather(1, permutations[starts[pair[image]] + step])
    product: Tensor = torch.fft.rfft2(moved.reshape(-1, GRID, GRID)).conj() * spectrum[image]
    peak = torch.fft.irfft2(product, s=(GRID, GRID)).flatten(1).amax(1)
    highest: Tensor = worst.scatter_reduce(0, image, peak, "amax")
    return highest


def uniform(rng: torch.Generator, *shape: int) -> Tensor:
    """Uniform numbers in 0..1 on the device of `rng`."""
    return torch.rand(*shape, generator=rng, device=rng.device)


def _normal(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=rng, device=rng.device)


def standardise(images: Tensor) -> Tensor:
    """Zero mean and unit variance for each image (n, height, width)."""
    mean = images.mean((-2, -1), keepdim=True)
    return (images - mean) / images.std((-2, -1), keepdim=True).clamp_min(1e-8)


def scanner_drift(n: int, size: int, strength: float, rng: torch.Generator) -> Tensor:
    """Displacement in pixels of each line along the fast and slow axis (2, n, size).

    Linear drift up to 1 % of the image plus the creep of a scanner, quadratic in time.
    """
    time = torch.linspace(-1, 1, size, device=rng.device)
    linear = (2 * uniform(rng, 2, n, 1) - 1) * 0.01
    creep = (2 * uniform(rng, 2, n, 1) - 1) * 0.005
    return strength * size / 2 * (linear * time + creep * (time.square() - 1 / 3))


def apply_artefacts(images: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Degrade standardised images (n, size, size); each artefact hits a random share of them.

    At `strength` 1: blur up to 1.5 pixels, a ghost of up to 25 % shifted by up to 4 pixels,
    line offsets up to 0.3 and line gains up to 15 % of the contrast, tilt up to one standard
    deviation, up to 4 scars, white noise up to 0.5 standard deviations.
    """
    images = _blur(standardise(images), strength, rng)
    n, size = images.shape[0], images.shape[-1]
    gain = 1 + _share(n, 0.5, rng) * 0.15 * strength * _normal(rng, n, size, 1)
    offset = _share(n, 0.5, rng) * 0.3 * strength * _normal(rng, n, size, 1)
    axis = torch.linspace(-1, 1, size, device=images.device)
    slope = _share(n, 0.5, rng) * strength * (2 * uniform(rng, n, 2, 1) - 1)
    tilt = slope[:, :1] * axis[None, :, None] + slope[:, 1:] * axis
    noise = _share(n, 0.8, rng) * 0.5 * strength * _normal(rng, n, size, size)
    return _scar(images * gain + offset + tilt, strength, rng) + noise


def _share(n: int, share: float, rng: torch.Generator) -> Tensor:
    """Random amplitude (n, 1, 1): 0 for most, else uniform in 0..1 for a `share` of images."""
    return (uniform(rng, n, 1, 1) < share) * uniform(rng, n, 1, 1)


def _blur(images: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Gaussian tip of finite size and, sometimes, a second tip that adds a shifted ghost."""
    n, size = images.shape[0], images.shape[-1]
    fy = torch.fft.fftfreq(size, device=images.device)[:, None]
    fx = torch.fft.rfftfreq(size, device=images.device)[None]
    sigma = 1.5 * strength * uniform(rng, n, 1, 1)
    ghost = 0.25 * strength * _share(n, 0.2, rng)
    angle, reach = 2 * math.pi * uniform(rng, n, 1, 1), 4 * uniform(rng, n, 1, 1)
    phase = -2 * math.pi * reach * (torch.cos(angle) * fx + torch.sin(angle) * fy)
    transfer = torch.exp(-2 * (math.pi * sigma).square() * (fx.square() + fy.square()))
    transfer = transfer * (1 - ghost + ghost * torch.polar(torch.ones_like(phase), phase))
    blurred: Tensor = torch.fft.irfft2(torch.fft.rfft2(images) * transfer, s=(size, size))
    return blurred


def _scar(images: Tensor, strength: float, rng: torch.Generator, most: int = 4) -> Tensor:
    """Up to `most` short streaks along the fast axis, one line high."""
    n, size = images.shape[0], images.shape[-1]
    column = torch.arange(size, device=images.device)
    active = uniform(rng, n, most) < 0.3 * strength
    row = (uniform(rng, n, most) * size).long()
    start = uniform(rng, n, most) * size
    length = size * (0.1 + 0.5 * uniform(rng, n, most))
    height = 2 * _normal(rng, n, most)
    inside = (column >= start[..., None]) & (column < (start + length)[..., None])
    streak = torch.where(inside & active[..., None], height[..., None], 0.0)
    return images.scatter_add(1, row[..., None].expand(-1, -1, size), streak)
