"""Trained members: their weights, with the scaling of inputs and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motif.analysis.arrays import Float32Array, FloatArray, IntArray
from motif.analysis.composition.datasets.composition_library import Samples
from motif.analysis.composition.regression.composition_network import (
    NetworkArchitecture,
    Parameters,
    forward,
)
from motif.analysis.composition.regression.training_recipe import EnsembleMember, TrainingRecipe
from motif.core.errors import UnsuitableDataError

CHUNK = 64
"""Samples evaluated at once: their activations fit in a core's cache."""
MIN_CURVED = -0.5
"""Smallest product of curvature and fraction: lower values are errors of an analysis."""


@dataclass(frozen=True)
class InputScaling:
    """Affine maps between physical values and network values, for K members.

    Statistics come from the rows a member is trained on, so held-out rows stay unseen.
    """

    spectrum_center: Tensor
    """(K, L)"""
    spectrum_scale: Tensor
    """(K,)"""
    composition_bend: Tensor
    """(K, E), curvature b: fractions c enter as log(1 + b c)/b, which resolves small fractions;
    0: as c."""
    composition_center: Tensor
    """(K, E) of the curved fractions."""
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
        curved = curved_fractions(values, self.composition_bend[:, None])
        return (curved - self.composition_center[:, None]) / self.composition_scale[:, None, None]

    def to(self, target: str | torch.device | torch.dtype) -> InputScaling:
        """The same scaling on another device or in another precision."""
        return replace(
            self, **{field.name: getattr(self, field.name).to(target) for field in fields(self)}
        )


@dataclass(frozen=True)
class NetworkEnsemble:
    """K trained members of one architecture."""

    architecture: NetworkArchitecture
    parameters: Parameters
    scaling: InputScaling

    @property
    def members(self) -> int:
        """Number of members K."""
        return len(self.scaling.target_mean)

    def to(self, target: str | torch.device | torch.dtype) -> NetworkEnsemble:
        """The same ensemble on another device or in another precision."""
        parameters = {name: value.to(target) for name, value in self.parameters.items()}
        return NetworkEnsemble(self.architecture, parameters, self.scaling.to(target))

    def evaluate(self, spectra: Tensor, composition: Tensor) -> Tensor:
        """Predictions (K, B) in units of the target, differentiable in both inputs.

        Takes normalised spectra and atomic fractions, each (B, ·) or (K, B, ·).
        """
        scaling = self.scaling
        standardised = forward(
            self.architecture,
            self.parameters,
            scaling.spectra(spectra) if self.architecture.points else None,
            scaling.composition(composition) if self.architecture.elements else None,
        )
        return standardised * scaling.target_std[:, None] + scaling.target_mean[:, None]

    def predict(self, spectra: FloatArray, composition: FloatArray) -> FloatArray:
        """Predictions (K, n) in units of the target for spectra (n, L), compositions (n, E)."""
        like = self.scaling.target_mean
        chunks = []
        with torch.no_grad():
            for start in range(0, len(composition), CHUNK):
                rows = slice(start, start + CHUNK)
                chunks.append(
                    self.evaluate(
                        torch.as_tensor(spectra[rows]).to(like),
                        torch.as_tensor(composition[rows]).to(like),
                    ).cpu()
                )
        return torch.cat(chunks, 1).double().numpy()

    def member_arrays(self, member: int) -> dict[str, Float32Array]:
        """Named arrays of one member, for the store: ``weights.…`` and ``scaling.…``."""
        arrays = {f"weights.{name}": value[member] for name, value in self.parameters.items()}
        for field in fields(InputScaling):
            arrays[f"scaling.{field.name}"] = getattr(self.scaling, field.name)[member : member + 1]
        return {name: value.detach().cpu().numpy() for name, value in arrays.items()}

    @classmethod
    def from_arrays(
        cls, architecture: NetworkArchitecture, members: Sequence[Mapping[str, Float32Array]]
    ) -> NetworkEnsemble:
        """Stack members stored as `member_arrays` gives them."""

        def stacked(name: str) -> Tensor:
            return torch.from_numpy(np.stack([np.asarray(arrays[name]) for arrays in members]))

        parameters = {name: stacked(f"weights.{name}") for name in architecture.shapes()}
        scaling = {
            field.name: stacked(f"scaling.{field.name}")[:, 0] for field in fields(InputScaling)
        }
        return cls(architecture, parameters, InputScaling(**scaling))


def curved_fractions(composition: Tensor, bend: Tensor) -> Tensor:
    """log(1 + b c)/b of fractions c for curvatures b >= 0; slope 1 at c = 0, falling with c."""
    if not bend.any():
        return composition
    divisor = torch.where(bend > 0, bend, 1)
    curved = torch.log1p((bend * composition).clamp_min(MIN_CURVED)) / divisor
    return torch.where(bend > 0, curved, composition)


def input_scaling(
    samples: Samples,
    rows: Sequence[IntArray],
    members: Sequence[EnsembleMember],
    recipe: TrainingRecipe,
) -> InputScaling:
    """Scaling of each member from its own training rows, float64.

    Raises:
        UnsuitableDataError: the target does not vary among a member's rows.
    """
    scalings = [
        _member_scaling(samples, member_rows, member, recipe)
        for member_rows, member in zip(rows, members, strict=True)
    ]
    stacked = {
        field.name: torch.from_numpy(
            np.stack([getattr(scaling, field.name).numpy() for scaling in scalings])
        )
        for field in fields(InputScaling)
    }
    return InputScaling(**stacked)


def _member_scaling(
    samples: Samples, rows: IntArray, member: EnsembleMember, recipe: TrainingRecipe
) -> InputScaling:
    """Scaling of one member, without the first axis."""
    target = samples.target[rows]
    if not target.std() > 0:
        raise UnsuitableDataError(
            f"The figure of merit is {target[0]:g} in all {len(rows)} training samples; "
            "there is nothing to learn from a constant."
        )
    composition, mean = samples.composition[rows], samples.composition[rows].mean(0)
    bend = recipe.dilution * member.share / np.where(mean > 0, mean, np.inf)
    curved = curved_fractions(torch.from_numpy(composition), torch.from_numpy(bend)).numpy()
    centres, scales = [], []
    for values, width in ((samples.spectra[rows], 1.0), (curved, recipe.composition_width)):
        centres.append(values.mean(0) if recipe.scaled else np.zeros(values.shape[1]))
        spread = width * values.std(0).mean() if recipe.scaled and values.size else 1.0
        scales.append(spread if spread > 0 else 1.0)

    def tensor(value: Any) -> Tensor:
        return torch.as_tensor(value, dtype=torch.float64)

    return InputScaling(
        spectrum_center=tensor(centres[0]),
        spectrum_scale=tensor(scales[0]),
        composition_bend=tensor(bend),
        composition_center=tensor(centres[1]),
        composition_scale=tensor(scales[1]),
        target_mean=tensor(target.mean()),
        target_std=tensor(target.std()),
    )
