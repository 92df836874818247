"""What a member computes with: inputs and target of like sizes, dilute elements resolved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motif.analysis.composition.recipes import Recipe
from motif.analysis.composition.samples import Member, Samples
from motif.core.errors import UnsuitableDataError

LEAST = -0.5
"""Least product of bend and fraction: below it lie only slips of an analysis."""


@dataclass(frozen=True)
class Scaling:
    """Affine maps between physical values and what a member computes with; K members.

    Statistics come from the rows a member is trained on, so held-out rows stay unseen.
    """

    spectrum_center: Tensor
    """(K, L)"""
    spectrum_scale: Tensor
    """(K,)"""
    composition_bend: Tensor
    """(K, E), b: fractions enter as log(1 + b c)/b, which resolves the dilute end; 0: as c."""
    composition_center: Tensor
    """(K, E) of what enters."""
    composition_scale: Tensor
    """(K,)"""
    target_mean: Tensor
    """(K,)"""
    target_std: Tensor
    """(K,)"""

    def spectra(self, values: Tensor) -> Tensor:
        """Scaled spectra (K, B, L) of normalised spectra (B, L) or (K, B, L)."""
        return (values - self.spectrum_center[:, None]) / self.spectrum_scale[:, None, None]

    def composition(self, values: Tensor) -> Tensor:
        """Scaled compositions (K, B, E) of atomic fractions (B, E) or (K, B, E)."""
        entered = bent(values, self.composition_bend[:, None])
        return (entered - self.composition_center[:, None]) / self.composition_scale[:, None, None]

    def map(self, change: str | torch.device | torch.dtype) -> Scaling:
        """The same on another device or in another precision."""
        return replace(self, **{f.name: getattr(self, f.name).to(change) for f in fields(self)})


def bent(composition: Tensor, bend: Tensor) -> Tensor:
    """log(1 + b c)/b for fractions c and bends b >= 0; its slope is 1 at c = 0 and falls with c."""
    if not bend.any():
        return composition
    divisor = torch.where(bend > 0, bend, 1)
    curved = torch.log1p((bend * composition).clamp_min(LEAST)) / divisor
    return torch.where(bend > 0, curved, composition)


def scaling_of(
    samples: Samples, rows: Sequence[NDArray[np.int64]], members: Sequence[Member], recipe: Recipe
) -> Scaling:
    """Scaling of each member from its own training rows, float64.

    Raises:
        UnsuitableDataError: the target does not vary among a member's rows.
    """
    alone = [_scaling(samples, r, m, recipe) for r, m in zip(rows, members, strict=True)]
    stacked = {
        f.name: torch.from_numpy(np.stack([getattr(one, f.name).numpy() for one in alone]))
        for f in fields(Scaling)
    }
    return Scaling(**stacked)


def _scaling(samples: Samples, rows: NDArray[np.int64], member: Member, recipe: Recipe) -> Scaling:
    """The same for one member, without the first axis."""
    target = samples.target[rows]
    if not target.std() > 0:
        raise UnsuitableDataError(
            f"The figure of merit is {target[0]:g} in all {len(rows)} training samples; "
            "there is nothing to learn from a constant."
        )
    composition, mean = samples.composition[rows], samples.composition[rows].mean(0)
    bend = recipe.dilution * member.share / np.where(mean > 0, mean, np.inf)
    entered = bent(torch.from_numpy(composition), torch.from_numpy(bend)).numpy()
    centres, scales = [], []
    for values, width in ((samples.spectra[rows], 1.0), (entered, recipe.composition_width)):
        centres.append(values.mean(0) if recipe.scaled else np.zeros(values.shape[1]))
        spread = width * values.std(0).mean() if recipe.scaled and values.size else 1.0
        scales.append(spread if spread > 0 else 1.0)

    def tensor(value: Any) -> Tensor:
        return torch.as_tensor(value, dtype=torch.float64)

    return Scaling(
        spectrum_center=tensor(centres[0]),
        spectrum_scale=tensor(scales[0]),
        composition_bend=tensor(bend),
        composition_center=tensor(centres[1]),
        composition_scale=tensor(scales[1]),
        target_mean=tensor(target.mean()),
        target_std=tensor(target.std()),
    )
