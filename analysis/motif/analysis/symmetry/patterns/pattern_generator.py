"""Images of the 17 wallpaper groups, made on the fly on any torch device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motif.analysis.symmetry.patterns.motifs import (
    SIDE,
    Motifs,
    apply_artefacts,
    draw_motifs,
    indices,
    nonlinearity,
    scanner_drift,
    standardise,
    uniform,
)
from motif.analysis.symmetry.patterns.wallpaper_groups import GROUP_NAMES, METRIC_ODDS, METRICS

PIXELS_PER_CELL = 10.0
"""Finer lattices than this cannot show their motif; the number of cells in view is capped."""


@dataclass(frozen=True)
class Patterns:
    """Generated images and what is known of them.

    Attributes:
        images: (n, size, size) float32, zero mean and unit variance each.
        labels: (n,) index into `GROUP_NAMES`.
        lattices: (n, 2, 2) primitive cell vectors in pixels, one a row, as (x, y).
        cells: (n,) image side divided by the square root of the cell area.
        spurious: (n,) largest correlation under a foreign operation (see
            `accidental_symmetry`).
    """

    images: Tensor
    labels: Tensor
    lattices: Tensor
    cells: Tensor
    spurious: Tensor


def generate(
    n: int,
    *,
    seed: int,
    size: int = 128,
    groups: Sequence[str] = GROUP_NAMES,
    cells: tuple[float, float] = (2.0, 12.0),
    artefacts: float = 0.0,
    device: torch.device | str = "cpu",
) -> Patterns:
    """Draw `n` images, the groups in equal shares and in random order.

    `cells` bounds the number of cells along the image side (log-uniform); `artefacts` scales
    the blur, noise and scanning-probe artefacts (0: none, 1: as in an ordinary scan). The
    same seed on the same kind of device gives the same images.
    """
    rng = torch.Generator(device=device).manual_seed(seed)
    index = torch.tensor([GROUP_NAMES.index(name) for name in groups], device=device)
    order = torch.randperm(n, generator=rng, device=device)
    labels = index[torch.arange(n, device=device) % len(groups)][order]
    metric = _draw_metrics(labels, rng)
    basis = _draw_bases(metric, rng)
    low, high = cells
    high = min(high, size / PIXELS_PER_CELL)
    count = low * (high / low) ** uniform(rng, n)
    lattices = basis * (size / count)[:, None, None]
    motifs = draw_motifs(labels, metric, basis, size / count, rng)
    images = rasterise(motifs, lattices, size, rng, artefacts)
    if artefacts > 0:
        images = apply_artefacts(images, artefacts, rng)
    return Patterns(standardise(images), labels, lattices, count, motifs.spurious)


def _draw_metrics(labels: Tensor, rng: torch.Generator) -> Tensor:
    """Index into `METRICS` for each label, by the odds of its group."""
    odds = torch.zeros(len(GROUP_NAMES), len(METRICS), device=labels.device)
    for i, name in enumerate(GROUP_NAMES):
        for metric, share in METRIC_ODDS[name].items():
            odds[i, METRICS.index(metric)] = share
    return torch.multinomial(odds[labels], 1, generator=rng)[:, 0]


def _draw_bases(metric: Tensor, rng: torch.Generator) -> Tensor:
    """Cell vectors (n, 2, 2), one a row, of unit area and random orientation and handedness.

    Free parameters stay away from the values that would make the lattice more symmetric.
    """
    n = len(metric)
    u = uniform(rng, 4, n)
    elongation = 1.12 * (1.9 / 1.12) ** u[0]
    kind = {name: metric == i for i, name in enumerate(METRICS)}
    ratio = torch.ones(n, device=metric.device)
    ratio = torch.where(kind["rectangular"] | kind["oblique"], elongation, ratio)
    # projection of b on a, in units of a: 0 is rectangular, 1/2 is rhombic
    along = torch.where(kind["oblique"], 0.12 + 0.26 * u[1], torch.zeros_like(ratio))
    windows = torch.tensor([(40.0, 54.0), (66.0, 83.0), (97.0, 114.0), (126.0, 140.0)])
    window = windows.to(metric.device)[(u[2] * 4).long()]
    degrees = window[:, 0] + (window[:, 1] - window[:, 0]) * u[1]
    degrees = torch.where(kind["hex60"], 60.0, torch.where(kind["hex120"], 120.0, degrees))
    angled = kind["rhombic"] | kind["hex60"] | kind["hex120"]
    along = torch.where(angled, torch.cos(torch.deg2rad(degrees)), along)
    height = torch.sqrt(ratio**2 - along**2)
    zero, one = torch.zeros_like(ratio), torch.ones_like(ratio)
    basis = torch.stack([torch.stack([one, zero], 1), torch.stack([along, height], 1)], 1)
    swap = (kind["rectangular"]) & (u[3] < 0.5)
    basis = torch.where(swap[:, None, None], basis.flip(1), basis)
    basis = basis / torch.sqrt(height)[:, None, None]
    angle = 2 * math.pi * uniform(rng, n)
    mirror = torch.where(uniform(rng, n) < 0.5, 1.0, -1.0)
    c, s = torch.cos(angle), torch.sin(angle)
    turn = torch.stack([torch.stack([c, s], 1), torch.stack([-s * mirror, c * mirror], 1)], 1)
    return basis @ turn


def rasterise(
    motifs: Motifs, lattices: Tensor, size: int, rng: torch.Generator, artefacts: float = 0.0
) -> Tensor:
    """Images (n, size, size) of motifs on lattices (n, 2, 2) in pixels, at random offsets.

    The pixel grid is separable even under scan drift, so that the sum over structure factors
    is one real batched matrix product of inner size 2 x (number of factors)/2.
    """
    n, device = len(lattices), lattices.device
    half = slice(SIDE**2 // 2 + 1, None)
    h = indices(device)[half].float()
    wave = 2 * math.pi * torch.einsum("hi,nij->nhj", h, torch.linalg.inv(lattices).mT)
    factors = motifs.factors[:, half] + motifs.factors.flip(1)[:, half].conj()
    offset = 2 * math.pi * torch.einsum("hi,ni->nh", h, uniform(rng, n, 2))
    factors = factors * torch.polar(torch.ones_like(offset), offset)
    axis = torch.arange(size, device=device, dtype=torch.float32) - (size - 1) / 2
    drift = scanner_drift(n, size, artefacts, rng) if artefacts > 0 else torch.zeros(2, n, size)
    fast, slow = drift.to(device)
    x = wave[:, :, :1] * axis
    y = wave[:, :, 1:] * (axis + slow[:, None]) + wave[:, :, :1] * fast[:, None]
    fr, fi = factors.real[..., None], factors.imag[..., None]
    cy, sy = torch.cos(y), torch.sin(y)
    left = torch.cat([fr * cy - fi * sy, -(fr * sy + fi * cy)], 1)
    right = torch.cat([torch.cos(x), torch.sin(x)], 1)
    density = torch.bmm(left.mT, right)
    z = (density - motifs.centre[:, None, None]) / motifs.spread[:, None, None]
    return nonlinearity(z, motifs.shape)
