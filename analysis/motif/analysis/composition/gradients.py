"""Gradients of predicted performance for all samples and members in one batched pass.

Two gradients with respect to composition are kept apart:

* *partial*: ∂P/∂composition at fixed spectrum, as in Umehara et al. (2019). Composition also
  acts through the spectrum, so how a network divides an effect between its two inputs is
  partly its own choice.
* *total*: ∂P/∂c + (∂P/∂S)(dS/dc) along the simplex: what happens when one element is traded for
  equal parts of the others (components sum to zero) and the spectrum follows as it does on
  average across the library.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motif.analysis.composition.ensemble import CHUNK, Ensemble
from motif.analysis.composition.response import SpectralResponse
from motif.analysis.composition.samples import Samples
from motif.analysis.composition.training import single_thread

PER_ATOMIC_PERCENT = 0.01
"""Atomic fraction in one atomic percent."""


@dataclass(frozen=True)
class Gradients:
    """Mean and spread over K members; composition gradients in target units per at.%.

    Spread is the standard deviation over members, not an error: members can agree and be wrong.
    """

    prediction_mean: NDArray[np.float64]
    """(n,)"""
    prediction_std: NDArray[np.float64]
    """(n,)"""
    composition_mean: NDArray[np.float64]
    """(n, E) partial gradient at fixed spectrum."""
    composition_std: NDArray[np.float64]
    total_mean: NDArray[np.float64]
    """(n, E) total gradient along the simplex; each row sums to zero."""
    total_std: NDArray[np.float64]
    sign_agreement: NDArray[np.float64]
    """(n, E) fraction of members whose total gradient has the sign of the mean."""
    spectrum_mean: NDArray[np.float64]
    """(n, L) in target units per unit of normalised intensity."""
    spectrum_std: NDArray[np.float64]


def gradients(ensemble: Ensemble, samples: Samples, response: SpectralResponse) -> Gradients:
    """Predictions and gradients of all samples, averaged over the members."""
    n, elements = samples.composition.shape
    points = samples.spectra.shape[1]
    widths = {"prediction": 1, "composition": elements, "total": elements, "spectrum": points}
    means = {name: np.zeros((n, width)) for name, width in widths.items()}
    stds = {name: np.zeros((n, width)) for name, width in widths.items()}
    agreement = np.ones((n, elements))
    for part, values in _passes(ensemble, samples, response):
        for name, value in values.items():
            means[name][part] = value.mean(0)
            stds[name][part] = value.std(0)
        total = values["total"]
        agreement[part] = (np.sign(total) == np.sign(total.mean(0))).mean(0)
    return Gradients(
        prediction_mean=means["prediction"][:, 0],
        prediction_std=stds["prediction"][:, 0],
        composition_mean=means["composition"],
        composition_std=stds["composition"],
        total_mean=means["total"],
        total_std=stds["total"],
        sign_agreement=agreement,
        spectrum_mean=means["spectrum"],
        spectrum_std=stds["spectrum"],
    )


def member_gradients(
    ensemble: Ensemble, spectra: Tensor, composition: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Predictions (K, B) and gradients (K, B, E), (K, B, L) of inputs (B, L) and (B, E).

    Outputs are independent across members and samples, hence the gradient of their sum holds
    them all. Units: target per unit of atomic fraction and of normalised intensity.
    """
    inputs = [
        value.expand(ensemble.members, *value.shape).contiguous().requires_grad_()
        for value in (composition, spectra)
    ]
    prediction = ensemble.evaluate(inputs[1], inputs[0])
    by_composition, by_spectrum = torch.autograd.grad(
        prediction.sum(), inputs, allow_unused=True, materialize_grads=True
    )
    return prediction.detach(), by_composition, by_spectrum


def along_simplex(gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    """Part of gradients (..., E) that keeps the sum of fractions: components sum to zero."""
    return np.asarray(gradient - gradient.mean(-1, keepdims=True))


def _passes(
    ensemble: Ensemble, samples: Samples, response: SpectralResponse
) -> Iterator[tuple[slice, dict[str, NDArray[np.float64]]]]:
    """Chunks of samples with their values (K, B, ·)."""
    like = ensemble.scaling.target_mean
    with single_thread(like.device):
        for start in range(0, len(samples.composition), CHUNK):
            part = slice(start, start + CHUNK)
            prediction, by_composition, by_spectrum = (
                value.double().cpu().numpy()
                for value in member_gradients(
                    ensemble,
                    torch.as_tensor(samples.spectra[part]).to(like),
                    torch.as_tensor(samples.composition[part]).to(like),
                )
            )
            through = response.chain(by_spectrum, samples.composition[part])
            yield (
                part,
                {
                    "prediction": prediction[..., None],
                    "composition": by_composition * PER_ATOMIC_PERCENT,
                    "total": along_simplex(by_composition + through) * PER_ATOMIC_PERCENT,
                    "spectrum": by_spectrum,
                },
            )
