"""Evidence for each symmetry operation in the frame of an image's own lattice.

The image is reduced to its structure factors on the estimated lattice, which averages over
all cells in view. Every point operation a reduced cell can have is then tried at every
translation; *where* the correlation peaks tells a mirror from a glide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from motif.analysis.symmetry.evidence.lattice import NEAREST, reduce

REACH = 6
"""Structure factors have indices -REACH..REACH."""
_SIDE = 2 * REACH + 1
_GRID = 48
"""Translations are tried in steps of 1/_GRID of a cell."""

OPERATIONS: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "C2": ((-1, 0), (0, -1)),
    "C3": ((-1, -1), (1, 0)),
    "C4": ((0, -1), (1, 0)),
    "C6": ((0, -1), (1, 1)),
    "a": ((1, 0), (0, -1)),
    "b": ((-1, 0), (0, 1)),
    "a+b": ((0, 1), (1, 0)),
    "a-b": ((0, -1), (-1, 0)),
    "a|": ((1, 1), (0, -1)),
    "a_": ((-1, -1), (0, 1)),
    "b|": ((-1, 0), (1, 1)),
    "b_": ((1, 0), (-1, -1)),
}
"""Operations of reduced cells (angle 60..90 degrees) as they act on fractional coordinates.

Mirrors are named by the lattice direction of their axis; ``a|`` keeps a and takes b to a-b,
``a_`` is the same turned by 180 degrees, its axis perpendicular to a.
"""
_STEPS = ((1, 0, 2), (0, 1, 2), (1, 1, 2), (1, 0, 3), (0, 1, 3), (1, 1, 3), (1, -1, 3))
_MIRRORS = tuple(OPERATIONS)[4:]


@cache
def _indices(device: torch.device) -> Tensor:
    line = torch.arange(-REACH, REACH + 1, device=device)
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)


def structure_factors(windowed: Tensor, basis: Tensor) -> Tensor:
    """Structure factors (n, 13^2) of windowed images (n, size, size) on lattices (n, 2, 2).

    Separable sum over the pixels; factors beyond the pixel grid's own limit are 0.
    """
    n, size = windowed.shape[:2]
    half = _SIDE**2 // 2 + 1
    h = _indices(windowed.device)[half:].float()
    frequency = torch.einsum("hi,nij->nhj", h, torch.linalg.inv(basis).mT)
    axis = torch.arange(size, device=windowed.device, dtype=torch.float32) - (size - 1) / 2
    x = -2 * math.pi * frequency[:, :, :1] * axis
    y = -2 * math.pi * frequency[:, :, 1:] * axis
    rows = torch.bmm(torch.cat([torch.cos(x), torch.sin(x)], 1), windowed.mT)
    real, imaginary = rows[:, : len(h)], rows[:, len(h) :]
    cosine, sine = torch.cos(y), torch.sin(y)
    factors = torch.complex(
        (real * cosine - imaginary * sine).sum(-1), (real * sine + imaginary * cosine).sum(-1)
    )
    factors = factors * (frequency.norm(dim=-1) < 0.5)
    zero = torch.zeros(n, 1, dtype=factors.dtype, device=factors.device)
    return torch.cat([factors.conj().flip(1), zero, factors], 1)


@cache
def _moves(device: torch.device) -> tuple[Tensor, Tensor]:
    """For each operation W the place of W^T k (12, 13^2), and whether it is inside."""
    k = _indices(device)
    places, inside = [], []
    for w in OPERATIONS.values():
        image = k @ torch.tensor(w, device=device)
        inside.append((image.abs() <= REACH).all(1))
        image = image.clamp(-REACH, REACH)
        places.append((image[:, 0] + REACH) * _SIDE + image[:, 1] + REACH)
    return torch.stack(places), torch.stack(inside)


@cache
def _translations(device: torch.device) -> tuple[Tensor, Tensor]:
    """Bonus (8, _GRID^2): 0 at translations that make each mirror one (first) or a glide, else -9.

    An operation (W, t) of order two satisfies (W + 1) t = 0 modulo the lattice.
    """
    line = torch.arange(_GRID, device=device)
    t = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    mirrors, glides = [], []
    for name in _MIRRORS:
        w = torch.tensor(OPERATIONS[name], device=device) + torch.eye(2, device=device).long()
        intrinsic = (t @ w.T + _GRID // 2) % _GRID - _GRID // 2
        closes = (intrinsic.abs() <= 1).all(1)
        if name in ("a", "b"):
            along = (t[:, "ab".index(name)] + _GRID // 2) % _GRID - _GRID // 2
            mirror, glide = along.abs() <= 1, (along.abs() - _GRID // 2).abs() <= 1
        else:
            mirror, glide = closes, ~closes
        mirrors.append(torch.where(mirror, 0.0, -9.0))
        glides.append(torch.where(glide, 0.0, -9.0))
    return torch.stack(mirrors), torch.stack(glides)


@cache
def _divisions(device: torch.device) -> Tensor:
    """Cells (7, 2, 2) two and three times smaller, in units of the basis; the new step first."""
    cells = [[[i / d, j / d], [0.0, 1.0] if i else [1.0, 0.0]] for i, j, d in _STEPS]
    return torch.tensor(cells, device=device)


@cache
def _finer(device: torch.device) -> Tensor:
    """cos(2 pi h.t) (7, 13^2) at the translations of cells two and three times smaller."""
    t = _divisions(device)[:, 0]
    return torch.cos(2 * math.pi * t @ _indices(device).float().T)


def settle(windowed: Tensor, basis: Tensor, share: float = 0.9) -> tuple[Tensor, Tensor]:
    """Divide cells that repeat inside themselves; returns the basis and structure factors.

    A cell is halved or cut in three where the density correlates with itself by more than
    `share` at the translation in question.
    """
    basis, factors = basis.clone(), structure_factors(windowed, basis)
    todo = torch.arange(len(basis), device=basis.device)
    for _ in range(3):
        power = factors[todo].abs().square()
        repeat = power / power.sum(1, keepdim=True).clamp_min(1e-12) @ _finer(basis.device).T
        finer = reduce(torch.einsum("kij,njl->nkil", _divisions(basis.device), basis[todo]))
        repeat = torch.where(finer[:, :, 0].norm(dim=-1) > NEAREST, repeat, 0.0)
        highest, which = repeat.max(1)
        divided = highest > share
        todo, finer = todo[divided], finer[divided, which[divided]]
        if len(todo) == 0:
            break
        basis[todo] = finer
        factors[todo] = structure_factors(windowed[todo], finer)
    return basis, factors


def correlations(factors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How well the averaged cell survives each operation, each normalised to 1 at the identity.

    Returns:
        Best translation for each of the 12 `OPERATIONS` (n, 12); mirror and glide score of
        the 8 mirrors (n, 8, 2), for rhombic axes the second is the best elsewhere; finer
        translations (n, 7).
    """
    n, device = len(factors), factors.device
    power = factors.abs().square()
    factors = factors / power.sum(1, keepdim=True).sqrt().clamp_min(1e-12)
    places, inside = _moves(device)
    product = factors[:, None] * factors[:, places].conj() * inside
    spectrum = torch.zeros(n, len(places), _GRID, _GRID // 2 + 1, dtype=product.dtype)
    spectrum = spectrum.to(device)
    grid = product.reshape(n, -1, _SIDE, _SIDE)[..., REACH:]
    spectrum[:, :, : REACH + 1, : REACH + 1] = grid[:, :, REACH:]
    spectrum[:, :, -REACH:, : REACH + 1] = grid[:, :, :REACH]
    maps = torch.fft.irfft2(spectrum, s=(_GRID, _GRID), norm="forward").flatten(2)
    mirror, glide = _translations(device)
    where = torch.stack([(maps[:, 4:] + mirror).amax(2), (maps[:, 4:] + glide).amax(2)], -1)
    finer = power / power.sum(1, keepdim=True).clamp_min(1e-12) @ _finer(device).T
    return maps.amax(2), where, finer


@cache
def _operations(device: torch.device) -> Tensor:
    return torch.tensor(list(OPERATIONS.values()), dtype=torch.float32, device=device)


def strains(basis: Tensor) -> Tensor:
    """How far each operation is from an isometry of the lattice: |W^T M W - M| / |M| (n, 12)."""
    metric = basis @ basis.mT
    w = _operations(basis.device)
    changed = torch.einsum("oji,njk,okl->noil", w, metric, w) - metric[:, None]
    strain: Tensor = changed.flatten(2).norm(dim=-1) / metric.flatten(1).norm(dim=-1)[:, None]
    return strain


INVARIANTS = 31
MIRRORS, GLIDES = (11, 13, 15), (12, 14)
"""Places of the mirror and glide scores among the invariants: two rectangular axes, the best
rhombic one."""
_FADE = 0.07
"""Strain at which the belief in an operation has fallen to 1/e."""
_FIX = tuple(_MIRRORS.index(name) for name in ("a-b", "a|", "b|"))
_ANTI = tuple(_MIRRORS.index(name) for name in ("a+b", "a_", "b_"))


TOLERATED = 0.1
"""Fit from which on a rotation counts fully in words: drift strains a lattice by some per cent."""


def turns_of_cell(invariant: Sequence[float]) -> list[float]:
    """Correlation of the averaged cell turned by 180, 120, 90 and 60 degrees, from `invariants`.

    A turn that strains the lattice too much counts only as far as it fits.
    """
    faded, free, fits = invariant[1:4], invariant[4:7], invariant[7:10]
    higher = [
        high if fit > TOLERATED else low for low, high, fit in zip(faded, free, fits, strict=True)
    ]
    return [invariant[0], *higher]


def invariants(factors: Tensor, basis: Tensor) -> Tensor:
    """Evidence (n, 31) that does not depend on which lattice vectors were called a and b.

    An operation counts as far as it fits the lattice (Gaussian in its strain). Rotations (4),
    3-, 4- and 6-fold without regard to fit (3), fits (4); mirror and glide of the two
    rectangular axes, the one more of a mirror first (4); over the three pairs of rhombic axes,
    of which one is along and one across a short lattice vector, best and worst of the higher
    and of the lower score and the means along and across (6), fits in order (3); correlation at
    translations of halves (3) and thirds (4) in order.
    """
    best, where, finer = correlations(factors)
    fit = torch.exp(-(strains(basis) / _FADE).square())
    mirrors, fits = where * fit[:, 4:, None], fit[:, 4:]
    order = (mirrors[:, :2, 0] - mirrors[:, :2, 1]).argsort(1, descending=True)
    rectangular = mirrors[:, :2].gather(1, order[..., None].expand(-1, -1, 2)).flatten(1)
    along, across = mirrors[:, _FIX, 0], mirrors[:, _ANTI, 0]
    high, low = torch.maximum(along, across), torch.minimum(along, across)
    rhombic = [high.amax(1), low.amax(1), high.amin(1), low.amin(1), along.mean(1), across.mean(1)]
    parts = [
        torch.cat([best[:, :1], best[:, 1:4] * fit[:, 1:4]], 1),
        best[:, 1:4],
        fit[:, 1:5],
        rectangular,
        torch.stack(rhombic, 1),
        fits[:, _ANTI].sort(1, descending=True).values,
        finer[:, :3].sort(1, descending=True).values,
        finer[:, 3:].sort(1, descending=True).values,
    ]
    return torch.cat(parts, 1)
