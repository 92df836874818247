"""The lattice an image repeats by, from its autocorrelation. Batched, on any torch device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

FARTHEST = 0.72
"""Shifts beyond this share of the image side leave too little overlap to be trusted."""
NEAREST = 4.0
_CANDIDATES = 12
_PREFER_SMALL = 0.05
"""Loss of mean correlation that a cell half as large may cost."""


@dataclass(frozen=True)
class Lattice:
    """Estimated lattices of n images.

    Attributes:
        basis: (n, 2, 2) reduced cell vectors in pixels, one a row, as (x, y): the first is a
            shortest one, the angle between them lies in 60..90 degrees.
        order: (n,) mean autocorrelation at the lattice points, relative to 1 at the origin.
        margin: (n,) lead of the chosen lattice over the best one that is no sublattice of it.
    """

    basis: Tensor
    order: Tensor
    margin: Tensor


@cache
def disc(size: int, device: torch.device) -> Tensor:
    """Circular window (size, size): flat, with a cosine edge over the outer 30 % of the radius."""
    axis = (torch.arange(size, device=device) - (size - 1) / 2) / (size / 2)
    radius = torch.sqrt(axis[:, None].square() + axis.square())
    edge = ((radius - 0.7) / 0.3).clamp(0, 1)
    return torch.cos(0.5 * torch.pi * edge).square()


def windowed(images: Tensor) -> Tensor:
    """Images (n, size, size) with zero mean and unit power under `disc`, multiplied by it."""
    window = disc(images.shape[-1], images.device)
    total = window.sum()
    mean = (images * window).sum((-2, -1), keepdim=True) / total
    centred = images - mean
    power = (centred.square() * window).sum((-2, -1), keepdim=True) / total
    return centred * window / power.sqrt().clamp_min(1e-6)


@cache
def _overlap(size: int, device: torch.device) -> Tensor:
    """Autocorrelation (size, 2 size) of `disc`: shifts y = 0..size-1, x = -size..size-1."""
    spectrum = torch.fft.rfft2(disc(size, device), s=(2 * size, 2 * size))
    full = torch.fft.irfft2(spectrum.abs().square(), s=(2 * size, 2 * size))
    return torch.roll(full, size, 1)[:size]


def autocorrelation(images: Tensor) -> Tensor:
    """Unbiased autocorrelation (n, size, 2 size) of windowed images; 1 at no shift.

    Rows are shifts y = 0..size-1, columns x = -size..size-1; 0 where the overlap is small.
    """
    size = images.shape[-1]
    overlap = _overlap(size, images.device)
    spectrum = torch.fft.rfft2(images, s=(2 * size, 2 * size))
    full = torch.fft.irfft2(spectrum.abs().square(), s=(2 * size, 2 * size))
    values = torch.roll(full, size, 2)[:, :size]
    values = values / values[:, :1, size : size + 1].clamp_min(1e-12)
    trusted = overlap > 0.02 * overlap.max()
    return torch.where(trusted, values * overlap.max() / overlap.clamp_min(1e-3), 0.0)


def sample(maps: Tensor, shifts: Tensor) -> Tensor:
    """Values (n, k) of half-plane maps (n, size, 2 size) at shifts (n, k, 2), nearest pixel."""
    size = maps.shape[1]
    half = torch.where(shifts[..., 1:] < 0, -shifts, shifts)
    x = (half[..., 0].round().long() + size).clamp(0, 2 * size - 1)
    y = half[..., 1].round().long().clamp(0, size - 1)
    return maps.flatten(1).gather(1, (y * 2 * size + x).flatten(1)).reshape(x.shape)


@cache
def _radius(size: int, device: torch.device) -> Tensor:
    """Length (size, 2 size) of each shift of the half plane; infinite on its duplicate part."""
    y = torch.arange(size, device=device, dtype=torch.float32)[:, None]
    x = torch.arange(-size, size, device=device, dtype=torch.float32)
    radius = torch.sqrt(x.square() + y.square())
    return torch.where((y == 0) & (x < 0), torch.inf, radius)


def _peaks(acf: Tensor) -> tuple[Tensor, Tensor]:
    """The `_CANDIDATES` shortest strong local maxima: shifts (n, k, 2) and values (n, k)."""
    n, size = acf.shape[:2]
    mirrored = torch.cat([acf[:, 1:3].flip(1, 2).roll(1, 2), acf], 1)
    top = functional.max_pool2d(mirrored[:, None], 5, 1, 2)[:, 0, 2:]
    radius = _radius(size, acf.device)
    usable = (radius > NEAREST) & (radius < FARTHEST * size)
    peak = (acf >= top) & usable
    value = torch.where(peak, acf, -1.0)
    strongest = value.flatten(1).amax(1)
    strong = peak & (value > 0.72 * strongest[:, None, None])
    key = torch.where(strong, radius, torch.inf) + torch.where(peak, 0.0, 1e6)
    index = key.flatten(1).topk(_CANDIDATES, largest=False).indices
    shifts = torch.stack([index % (2 * size) - size, index // (2 * size)], -1).float()
    around = _around(acf, shifts)
    shifts = shifts + torch.stack([_vertex(around[..., 1, :]), _vertex(around[..., :, 1])], -1)
    found = value.flatten(1).gather(1, index)
    return shifts, torch.where(strong.flatten(1).gather(1, index), found, -1.0)


@cache
def _neighbours(device: torch.device) -> Tensor:
    """The nine shifts (9, 2) of a 3 x 3 neighbourhood, row by row."""
    return torch.tensor([(i, j) for j in (-1, 0, 1) for i in (-1, 0, 1)], device=device)


def _around(acf: Tensor, centres: Tensor) -> Tensor:
    """Values (n, k, 3, 3) of the neighbourhoods of integer shifts (n, k, 2)."""
    points = centres[:, :, None] + _neighbours(acf.device)
    return sample(acf, points.flatten(1, 2)).reshape(*centres.shape[:2], 3, 3)


def reduce(basis: Tensor) -> Tensor:
    """Gauss reduction of cells (..., 2, 2): |a| <= |b| and 0 <= a.b <= |a|^2/2."""
    a, b = basis[..., 0, :], basis[..., 1, :]
    for _ in range(6):
        longer = (a.square().sum(-1) > b.square().sum(-1))[..., None]
        a, b = torch.where(longer, b, a), torch.where(longer, a, b)
        along = (a * b).sum(-1, keepdim=True) / a.square().sum(-1, keepdim=True).clamp_min(1e-9)
        b = b - torch.round(along) * a
    b = torch.where(((a * b).sum(-1) < 0)[..., None], -b, b)
    return torch.stack([a, b], -2)


@cache
def _steps(reach: int, device: torch.device) -> Tensor:
    """Half of the integer pairs with entries up to `reach`, the origin left out."""
    line = torch.arange(-reach, reach + 1, device=device, dtype=torch.float32)
    pairs = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    return pairs[len(pairs) // 2 + 1 :]


def _support(acf: Tensor, cells: Tensor, reach: int = 3) -> Tensor:
    """Mean correlation (n, k) at the points of cells (n, k, 2, 2), by overlap."""
    n, size = acf.shape[:2]
    points = torch.einsum("pi,nkij->nkpj", _steps(reach, acf.device), cells)
    length = points.norm(dim=-1)
    weight = (1 - length / (FARTHEST * size)).clamp_min(0)
    values = sample(acf, points.reshape(n, -1, 2)).reshape(length.shape)
    return (values * weight).sum(-1) / weight.sum(-1).clamp_min(1e-6)


def _refine(acf: Tensor, basis: Tensor) -> Tensor:
    """Least-squares fit of the basis to the peaks near its points, from near to far."""
    n, size = acf.shape[:2]
    for reach in (1, 2, 4, 8):
        steps = _steps(reach, acf.device)
        points = torch.einsum("pi,nij->npj", steps, basis)
        sign = torch.where(points[..., 1:] < 0, -1.0, 1.0)
        points = points * sign
        centre = points.round()
        for _ in range(2):
            around = _around(acf, centre).flatten(2)
            centre = centre + _neighbours(acf.device)[around.argmax(-1)]
        around = _around(acf, centre)
        peak = around[..., 1, 1]
        found = centre + torch.stack([_vertex(around[..., 1, :]), _vertex(around[..., :, 1])], -1)
        miss = (found - points).norm(dim=-1)
        length = points.norm(dim=-1)
        weight = (1 - length / (FARTHEST * size)).clamp_min(0) * peak.clamp_min(0).square()
        weight = weight * (miss < 2.5)
        m = torch.einsum("np,pi,pj->nij", weight, steps, steps)
        m = m + 1e-3 * torch.eye(2, device=acf.device)
        r = torch.einsum("np,pi,npj->nij", weight, steps, (found - points) * sign)
        basis = basis + torch.linalg.solve(m, r)
    return basis


def _vertex(triple: Tensor) -> Tensor:
    """Place of the maximum of the parabola through three equidistant values (..., 3)."""
    left, mid, right = triple.unbind(-1)
    curve = (2 * mid - left - right).clamp_min(1e-6)
    return (0.5 * (right - left) / curve).clamp(-0.5, 0.5)


@cache
def _divisions(device: torch.device) -> tuple[Tensor, Tensor]:
    """Finer cells (7, 2, 2) in units of the basis, and the coset steps (7, 2) they add."""
    cells, steps = [], []
    for d, pairs in ((2, ((1, 0), (0, 1), (1, 1))), (3, ((1, 0), (0, 1), (1, 1), (1, -1)))):
        for i, j in pairs:
            new = [i / d, j / d]
            cells.append([new, [0.0, 1.0] if i else [1.0, 0.0]])
            steps.append(new)
    return torch.tensor(cells, device=device), torch.tensor(steps, device=device)


def _divide(pooled: Tensor, basis: Tensor, share: float = 0.9) -> Tensor:
    """Replace a cell by a half or third of it where the points in between are as high."""
    cells, steps = _divisions(pooled.device)
    n, size = pooled.shape[:2]
    around = torch.cat([_steps(2, pooled.device), -_steps(2, pooled.device), steps.new_zeros(1, 2)])

    def mean(offset: Tensor) -> Tensor:
        points = torch.einsum("kpi,nij->nkpj", around + offset[:, None], basis)
        length = points.norm(dim=-1)
        weight = (1 - length / (FARTHEST * size)).clamp_min(0) * (length > 1)
        values = sample(pooled, points.reshape(n, -1, 2)).reshape(length.shape)
        return (values * weight).sum(-1) / weight.sum(-1).clamp_min(1e-6)

    own = mean(steps.new_zeros(1, 2))
    ratio = mean(steps) / own.clamp_min(1e-6)
    finer = reduce(torch.einsum("kij,njl->nkil", cells, basis))
    ratio = torch.where(finer[:, :, 0].norm(dim=-1) > NEAREST, ratio, 0.0)
    best = ratio.argmax(1)
    rows = torch.arange(n, device=pooled.device)
    return torch.where((ratio[rows, best] > share)[:, None, None], finer[rows, best], basis)


def estimate(acf: Tensor) -> Lattice:
    """Lattices from autocorrelations (n, size, 2 size) as `autocorrelation` gives them.

    Pairs of short strong peaks propose cells. The cell kept has the highest mean correlation
    at its points; a smaller cell wins where it costs little of it.
    """
    n, size = acf.shape[:2]
    shifts, values = _peaks(acf)
    first, second = torch.triu_indices(_CANDIDATES, _CANDIDATES, 1, device=acf.device)
    cells = reduce(torch.stack([shifts[:, first], shifts[:, second]], -2))
    area = torch.linalg.det(cells).abs()
    length = cells.norm(dim=-1)
    sound = area > 0.3 * length[..., 0] * length[..., 1]
    sound &= (length[..., 0] > NEAREST) & (torch.minimum(values[:, first], values[:, second]) > 0)
    pooled = functional.max_pool2d(acf, 3, 1, 1)
    support = torch.where(sound, _support(pooled, cells), -1.0)
    merit = support - _PREFER_SMALL * torch.log2(area.clamp_min(1) / size**2)
    best = torch.where(sound, merit, -torch.inf).argmax(1)
    rows = torch.arange(n, device=acf.device)
    chosen = cells[rows, best]
    fallback = torch.eye(2, device=acf.device) * size / 2
    chosen = torch.where(sound[rows, best][:, None, None], chosen, fallback)
    basis = reduce(_refine(acf, chosen))
    for _ in range(2):
        basis = _divide(pooled, basis)
    order = _support(pooled, basis[:, None])[:, 0]
    relative = torch.linalg.solve(chosen[:, None].mT, cells.mT).mT
    sub = ((relative - relative.round()).abs() < 0.12).all(-1).all(-1)
    rival = torch.where(sound & ~sub, merit, -1.0).amax(1)
    return Lattice(basis, order, merit[rows, best] - rival)
