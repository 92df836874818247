"""The lattice an image repeats by, from its autocorrelation. Batched, on any torch device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

FARTHEST = 0.72
"""Shifts beyond this share of the image side leave too little overlap to be trusted."""
NEAREST = 4.0
DETAIL = 0.7
"""Power of the wave number that details are raised by before a lattice is looked for."""
CUT = 0.25
"""Wave number in 1/pixel beyond which detail is taken for noise."""
_CANDIDATES = 12
_STRONG = 0.65
"""Height of a peak, relative to the highest, that may span a cell."""
_PREFER_SMALL = 0.05
"""Loss of mean correlation that a cell half as large may cost."""


@dataclass(frozen=True)
class Lattice:
    """Estimated lattices of n images.

    Attributes:
        basis: (n, 2, 2) reduced cell vectors in pixels, one a row, as (x, y): the first is a
            shortest one, the angle between them lies in 60..90 degrees.
        order: (n,) mean autocorrelation at the lattice points, relative to 1 at the origin.
        margin: (n,) lead of the chosen lattice over the best one that is not a sublattice of it.
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


def emphasised(images: Tensor) -> Tensor:
    """Images with their fine detail raised and their noise cut, before a lattice is looked for.

    What is blurred holds its power in the coarsest waves, and then half a cell may correlate
    almost as well as a whole one.
    """
    transfer = _emphasis(images.shape[-1], images.device)
    raised: Tensor = torch.fft.irfft2(torch.fft.rfft2(images) * transfer, s=images.shape[-2:])
    return raised


@cache
def _emphasis(size: int, device: torch.device) -> Tensor:
    fy = torch.fft.fftfreq(size, device=device)[:, None]
    fx = torch.fft.rfftfreq(size, device=device)
    wave = torch.sqrt(fy.square() + fx.square())
    return wave**DETAIL * torch.exp(-(wave / CUT).square())


@cache
def _overlap(size: int, device: torch.device) -> Tensor:
    """Autocorrelation of `disc` on the half plane of `autocorrelation`."""
    return _half_plane(disc(size, device)[None], size)[0]


def _half_plane(images: Tensor, size: int) -> Tensor:
    """Autocorrelation at shifts y = 0..r, x = -r..r of r = `FARTHEST` size, every half pixel.

    Interpolation by zero padding the spectrum is exact: peaks of fine patterns keep their
    height between pixels.
    """
    padded = 16 * math.ceil((1 + FARTHEST) * size / 16)
    fine, far = 2 * padded, reach(size)
    power = torch.fft.rfft2(images, s=(padded, padded)).abs().square()
    wide = power.new_zeros(len(images), fine, padded // 2 + 1)
    wide[:, : padded // 2] = power[:, : padded // 2]
    wide[:, -padded // 2 :] = power[:, padded // 2 :]
    rows = torch.fft.ifft(wide, dim=1)[:, : far + 1]
    full = torch.fft.irfft(rows, n=fine)
    return torch.cat([full[..., -far:], full[..., : far + 1]], -1)


def reach(size: int) -> int:
    """Largest shift of the autocorrelation of an image of `size` pixels, in half pixels."""
    return int(2 * FARTHEST * size)


def autocorrelation(images: Tensor) -> Tensor:
    """Unbiased autocorrelation (n, r + 1, 2 r + 1) of windowed images; 1 at no shift.

    Rows are shifts y = 0..r and columns x = -r..r in half pixels, r = `reach`; 0 where the
    overlap is small.
    """
    size = images.shape[-1]
    overlap = _overlap(size, images.device)
    values = _half_plane(images, size)
    far = reach(size)
    values = values / values[:, :1, far : far + 1].clamp_min(1e-12)
    trusted = overlap > 0.02 * overlap.max()
    return torch.where(trusted, values * overlap.max() / overlap.clamp_min(1e-3), 0.0)


def sample(maps: Tensor, shifts: Tensor) -> Tensor:
    """Values (n, k) of half-plane maps (n, r + 1, 2 r + 1) at shifts (n, k, 2), nearest point."""
    far = maps.shape[1] - 1
    half = torch.where(shifts[..., 1:] < 0, -shifts, shifts)
    x = (half[..., 0].round().long() + far).clamp(0, 2 * far)
    y = half[..., 1].round().long().clamp(0, far)
    return maps.flatten(1).gather(1, (y * (2 * far + 1) + x).flatten(1)).reshape(x.shape)


@cache
def _radius(far: int, device: torch.device) -> Tensor:
    """Length (r + 1, 2 r + 1) of each shift; infinite on the duplicate part of the half plane."""
    y = torch.arange(far + 1, device=device, dtype=torch.float32)[:, None]
    x = torch.arange(-far, far + 1, device=device, dtype=torch.float32)
    radius = torch.sqrt(x.square() + y.square())
    return torch.where((y == 0) & (x < 0), torch.inf, radius)


def _highest(maps: Tensor) -> Tensor:
    """Highest value among the 3 x 3 neighbours of each point; faster here than pooling."""
    across = maps.clone()
    torch.maximum(across[:, :, 1:], maps[:, :, :-1], out=across[:, :, 1:])
    torch.maximum(across[:, :, :-1], maps[:, :, 1:], out=across[:, :, :-1])
    down = across.clone()
    torch.maximum(down[:, 1:], across[:, :-1], out=down[:, 1:])
    torch.maximum(down[:, :-1], across[:, 1:], out=down[:, :-1])
    return down


def _peaks(acf: Tensor) -> tuple[Tensor, Tensor]:
    """The `_CANDIDATES` shortest strong local maxima: shifts (n, k, 2) and values (n, k)."""
    far = acf.shape[1] - 1
    mirrored = torch.cat([acf[:, 1:3].flip(1, 2), acf], 1)
    top = _highest(_highest(mirrored))[:, 2:]
    radius = _radius(far, acf.device)
    peak = (acf >= top) & (radius > 2 * NEAREST) & (radius < far)
    value = torch.where(peak, acf, -1.0)
    strongest = value.flatten(1).amax(1)
    strong = peak & (value > _STRONG * strongest[:, None, None])
    key = torch.where(strong, radius, torch.inf)
    radii, index = key.flatten(1).topk(_CANDIDATES, largest=False)
    shifts = torch.stack([index % (2 * far + 1) - far, index // (2 * far + 1)], -1).float()
    around = _around(acf, shifts)
    shifts = shifts + torch.stack([_vertex(around[..., 1, :]), _vertex(around[..., :, 1])], -1)
    found = value.flatten(1).gather(1, index)
    return shifts, torch.where(radii.isfinite(), found, -1.0)


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
def _steps(most: int, device: torch.device) -> Tensor:
    """Half of the integer pairs with entries up to `most`, the origin left out."""
    line = torch.arange(-most, most + 1, device=device, dtype=torch.float32)
    pairs = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    return pairs[len(pairs) // 2 + 1 :]


def _support(acf: Tensor, cells: Tensor, steps: int = 3) -> Tensor:
    """Mean correlation (n, k) at the points of cells (n, k, 2, 2), by overlap."""
    n, far = len(acf), acf.shape[1] - 1
    points = torch.einsum("pi,nkij->nkpj", _steps(steps, acf.device), cells)
    length = points.norm(dim=-1)
    weight = (1 - length / far).clamp_min(0)
    values = sample(acf, points.reshape(n, -1, 2)).reshape(length.shape)
    mean: Tensor = (values * weight).sum(-1) / weight.sum(-1).clamp_min(1e-6)
    return mean


_FLAT = 0.05
"""Sine of the angle between lattice vectors below which they lie on one line."""


def _refine(acf: Tensor, basis: Tensor) -> Tensor:
    """Least-squares fit of the basis to the peaks near its points, from near to far.

    Where the peaks are too few to span a lattice, as in noise, the basis stays as it was.
    """
    far, start = acf.shape[1] - 1, basis
    for most in (1, 2, 4, 8):
        steps = _steps(most, acf.device)
        points = torch.einsum("pi,nij->npj", steps, basis)
        sign = torch.where(points[..., 1:] < 0, -1.0, 1.0)
        points = points * sign
        centre = points.round()
        for _ in range(3):
            around = _around(acf, centre).flatten(2)
            centre = centre + _neighbours(acf.device)[around.argmax(-1)]
        around = _around(acf, centre)
        peak = around[..., 1, 1]
        found = centre + torch.stack([_vertex(around[..., 1, :]), _vertex(around[..., :, 1])], -1)
        miss = (found - points).norm(dim=-1)
        length = points.norm(dim=-1)
        weight = (1 - length / far).clamp_min(0) * peak.clamp_min(0).square()
        weight = weight * (miss < 5)
        m = torch.einsum("np,pi,pj->nij", weight, steps, steps)
        m = m + 1e-3 * torch.eye(2, device=acf.device)
        r = torch.einsum("np,pi,npj->nij", weight, steps, (found - points) * sign)
        basis = basis + torch.linalg.solve(m, r)
    spans = torch.linalg.det(basis).abs() > _FLAT * basis.norm(dim=-1).prod(-1)
    return torch.where(spans[:, None, None], basis, start)


def _vertex(triple: Tensor) -> Tensor:
    """Place of the maximum of the parabola through three equidistant values (..., 3)."""
    left, mid, right = triple.unbind(-1)
    curve = (2 * mid - left - right).clamp_min(1e-6)
    return (0.5 * (right - left) / curve).clamp(-0.5, 0.5)


def estimate(acf: Tensor) -> Lattice:
    """Lattices from autocorrelations as `autocorrelation` gives them.

    Pairs of short strong peaks propose cells. The cell kept has the highest mean correlation
    at its points; a smaller cell wins where it costs little of it.
    """
    far = acf.shape[1] - 1
    shifts, values = _peaks(acf)
    first, second = torch.triu_indices(_CANDIDATES, _CANDIDATES, 1, device=acf.device)
    cells = reduce(torch.stack([shifts[:, first], shifts[:, second]], -2))
    area = torch.linalg.det(cells).abs()
    length = cells.norm(dim=-1)
    sound = area > 0.3 * length[..., 0] * length[..., 1]
    sound &= torch.minimum(values[:, first], values[:, second]) > 0
    sound &= length[..., 0] > 2 * NEAREST
    pooled = _highest(acf)
    support = torch.where(sound, _support(pooled, cells), -1.0)
    share = support / support.amax(1, keepdim=True).clamp_min(1e-3)
    merit = share - _PREFER_SMALL * torch.log2(area.clamp_min(1) / far**2)
    best = torch.where(sound, merit, -torch.inf).argmax(1)
    rows = torch.arange(len(acf), device=acf.device)
    chosen = cells[rows, best]
    fallback = torch.eye(2, device=acf.device) * far / 1.5
    chosen = torch.where(sound[rows, best][:, None, None], chosen, fallback)
    basis = reduce(_refine(acf, chosen))
    order = _support(pooled, basis[:, None])[:, 0]
    relative = torch.linalg.solve(chosen[:, None].mT, cells.mT).mT
    multiple = ((relative - relative.round()).abs() < 0.12).all(-1).all(-1)
    rival = torch.where(sound & ~multiple, merit, -1.0).amax(1)
    return Lattice(basis / 2, order, merit[rows, best] - rival)
