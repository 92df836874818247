"""Trained members: weights with the scaling of their inputs and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motif.analysis.composition.network import Architecture, Parameters, forward
from motif.analysis.composition.scaling import Scaling

CHUNK = 64
"""Samples evaluated at once: their activations fit in a core's cache."""


@dataclass(frozen=True)
class Ensemble:
    """K trained members that share an architecture."""

    architecture: Architecture
    parameters: Parameters
    scaling: Scaling

    @property
    def members(self) -> int:
        """Number of members K."""
        return len(self.scaling.target_mean)

    def to(self, change: str | torch.device | torch.dtype) -> Ensemble:
        """The same on another device or in another precision."""
        parameters = {name: value.to(change) for name, value in self.parameters.items()}
        return Ensemble(self.architecture, parameters, self.scaling.map(change))

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

    def predict(
        self, spectra: NDArray[np.float64], composition: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Predictions (K, n) in units of the target for spectra (n, L), compositions (n, E)."""
        like = self.scaling.target_mean
        chunks = []
        with torch.no_grad():
            for start in range(0, len(composition), CHUNK):
                part = slice(start, start + CHUNK)
                chunks.append(
                    self.evaluate(
                        torch.as_tensor(spectra[part]).to(like),
                        torch.as_tensor(composition[part]).to(like),
                    ).cpu()
                )
        return torch.cat(chunks, 1).double().numpy()

    def member_arrays(self, member: int) -> dict[str, NDArray[np.float32]]:
        """Named arrays of one member, for the store: ``weights.…`` and ``scaling.…``."""
        arrays = {f"weights.{name}": value[member] for name, value in self.parameters.items()}
        for f in fields(Scaling):
            arrays[f"scaling.{f.name}"] = getattr(self.scaling, f.name)[member : member + 1]
        return {name: value.detach().cpu().numpy() for name, value in arrays.items()}

    @classmethod
    def from_arrays(
        cls, architecture: Architecture, members: Sequence[Mapping[str, NDArray[np.float32]]]
    ) -> Ensemble:
        """Stack members kept as by `member_arrays`."""

        def stacked(name: str) -> Tensor:
            return torch.from_numpy(np.stack([np.asarray(arrays[name]) for arrays in members]))

        parameters = {name: stacked(f"weights.{name}") for name in architecture.shapes()}
        scaling = {f.name: stacked(f"scaling.{f.name}")[:, 0] for f in fields(Scaling)}
        return cls(architecture, parameters, Scaling(**scaling))
