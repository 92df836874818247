"""Gradients of the predicted performance, and how spectra follow composition.

There are two gradients with respect to composition:

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
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor

from motif.analysis.arrays import FloatArray
from motif.analysis.composition.datasets.composition_library import Samples
from motif.analysis.composition.regression.ensemble import CHUNK, NetworkEnsemble
from motif.analysis.composition.regression.member_training import single_thread

PER_ATOMIC_PERCENT = 0.01
"""Atomic fraction in one atomic percent."""
MAX_ANCHORS = 300
"""Most centres of the kernel expansion; more samples are clustered."""
RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 1e1)
"""Penalties tried on the kernel part, per sample."""


@dataclass(frozen=True)
class PerformanceGradients:
    """Mean and spread over K members; composition gradients in target units per at.%.

    The spread is the standard deviation over members, not an error: members can agree and all be
    wrong.
    """

    prediction_mean: FloatArray
    """(n,)"""
    prediction_std: FloatArray
    """(n,)"""
    composition_mean: FloatArray
    """(n, E) partial gradient at fixed spectrum."""
    composition_std: FloatArray
    total_mean: FloatArray
    """(n, E) total gradient along the simplex; each row sums to zero."""
    total_std: FloatArray
    sign_agreement: FloatArray
    """(n, E) fraction of members whose total gradient has the sign of the mean."""
    spectrum_mean: FloatArray
    """(n, L) in target units per unit of normalised intensity."""
    spectrum_std: FloatArray


def gradients(
    ensemble: NetworkEnsemble, samples: Samples, response: SpectralResponse
) -> PerformanceGradients:
    """Predictions and gradients of all samples, averaged over the members."""
    n, elements = samples.composition.shape
    points = samples.spectra.shape[1]
    widths = {"prediction": 1, "composition": elements, "total": elements, "spectrum": points}
    means = {name: np.zeros((n, width)) for name, width in widths.items()}
    stds = {name: np.zeros((n, width)) for name, width in widths.items()}
    agreement = np.ones((n, elements))
    for rows, values in _chunks(ensemble, samples, response):
        for name, value in values.items():
            means[name][rows] = value.mean(0)
            stds[name][rows] = value.std(0)
        total = values["total"]
        agreement[rows] = (np.sign(total) == np.sign(total.mean(0))).mean(0)
    return PerformanceGradients(
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
    ensemble: NetworkEnsemble, spectra: Tensor, composition: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Predictions (K, B) and gradients (K, B, E), (K, B, L) of inputs (B, L) and (B, E).

    Outputs are independent across members and samples, so the gradient of their sum gives
    the gradients of all. Units: target per unit of atomic fraction and of normalised intensity.
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


def along_simplex(gradient: FloatArray) -> FloatArray:
    """Component of gradients (..., E) along which fractions still add up to 1; it sums to zero."""
    return np.asarray(gradient - gradient.mean(-1, keepdims=True))


def _chunks(
    ensemble: NetworkEnsemble, samples: Samples, response: SpectralResponse
) -> Iterator[tuple[slice, dict[str, FloatArray]]]:
    """Chunks of samples with their values (K, B, ·)."""
    like = ensemble.scaling.target_mean
    with single_thread(like.device):
        for start in range(0, len(samples.composition), CHUNK):
            rows = slice(start, start + CHUNK)
            prediction, by_composition, by_spectrum = (
                value.double().cpu().numpy()
                for value in member_gradients(
                    ensemble,
                    torch.as_tensor(samples.spectra[rows]).to(like),
                    torch.as_tensor(samples.composition[rows]).to(like),
                )
            )
            through = response.chain(by_spectrum, samples.composition[rows])
            yield (
                rows,
                {
                    "prediction": prediction[..., None],
                    "composition": by_composition * PER_ATOMIC_PERCENT,
                    "total": along_simplex(by_composition + through) * PER_ATOMIC_PERCENT,
                    "spectrum": by_spectrum,
                },
            )


@dataclass(frozen=True)
class SpectralResponse:
    """Ridge regression of spectra on composition: linear part plus Gaussian kernels.

    S(c) = b + A c + Σ_j k(c, a_j) w_j with k(c, a) = exp(-γ |c - a|²).
    """

    offset: FloatArray
    """b, (L,)"""
    linear: FloatArray
    """A, (E, L)"""
    anchors: FloatArray
    """a, (m, E)"""
    weights: FloatArray
    """w, (m, L)"""
    gamma: float

    def predict(self, composition: FloatArray) -> FloatArray:
        """Average spectra (n, L) at compositions (n, E)."""
        kernel = _kernel(composition, self.anchors, self.gamma)
        return np.asarray(self.offset + composition @ self.linear + kernel @ self.weights)

    def jacobian(self, composition: FloatArray) -> FloatArray:
        """dS/dc, (B, E, L) at compositions (B, E)."""
        kernel = _kernel(composition, self.anchors, self.gamma)
        pull = kernel[:, None] * (self.anchors.T - composition[..., None])
        return np.asarray(self.linear + 2 * self.gamma * (pull @ self.weights))

    def chain(self, by_spectrum: FloatArray, composition: FloatArray) -> FloatArray:
        """(∂P/∂S)(dS/dc): (K, B, E) for ∂P/∂S (K, B, L) at compositions (B, E)."""
        kernel = _kernel(composition, self.anchors, self.gamma)
        along = (by_spectrum @ self.weights.T) * kernel
        pull = along @ self.anchors - along.sum(-1, keepdims=True) * composition
        return np.asarray(by_spectrum @ self.linear.T + 2 * self.gamma * pull)


def spectral_response(spectra: FloatArray, composition: FloatArray) -> SpectralResponse:
    """Fit the response on spectra (n, L) and compositions (n, E).

    The penalty of the kernel part is the one with which four fifths of the samples predict the
    others best.
    """
    n, elements = composition.shape
    anchors = np.unique(composition, axis=0)
    if len(anchors) > MAX_ANCHORS:
        clusters = MiniBatchKMeans(MAX_ANCHORS, n_init=1, random_state=0).fit(composition)
        anchors = np.asarray(clusters.cluster_centers_, dtype=np.float64)
    spread = composition.std(0)
    gamma = 1 / max(2 * float((spread**2).sum()), 1e-12)
    scale = float(spread.mean()) or 1.0
    features = np.concatenate([composition / scale, _kernel(composition, anchors, gamma)], 1)
    test = np.random.default_rng(0).permutation(n) < n // 5
    errors = []
    for ridge in RIDGES:
        solution, centre = _solve(features[~test], spectra[~test], ridge, elements)
        predicted = (features[test] - centre) @ solution + spectra[~test].mean(0)
        errors.append(float(((predicted - spectra[test]) ** 2).sum()))
    best = RIDGES[int(np.argmin(errors))]
    solution, centre = _solve(features, spectra, best, elements)
    return SpectralResponse(
        offset=spectra.mean(0) - centre @ solution,
        linear=solution[:elements] / scale,
        anchors=anchors,
        weights=solution[elements:],
        gamma=gamma,
    )


def _solve(
    features: FloatArray, spectra: FloatArray, ridge: float, elements: int
) -> tuple[FloatArray, FloatArray]:
    """Coefficients (features, L) of a ridge regression about the mean, and the features' mean."""
    centre = features.mean(0)
    centred = features - centre
    gram = centred.T @ centred / len(features)
    penalty = np.full(len(centre), ridge)
    penalty[:elements] = min(ridge, 1.0) * 1e-3
    gram[np.diag_indices_from(gram)] += penalty
    moment = centred.T @ (spectra - spectra.mean(0)) / len(features)
    return np.linalg.solve(gram, moment), centre


def _kernel(points: FloatArray, anchors: FloatArray, gamma: float) -> FloatArray:
    squared = (points**2).sum(1)[:, None] + (anchors**2).sum(1) - 2 * points @ anchors.T
    return np.asarray(np.exp(-gamma * np.maximum(squared, 0)))
