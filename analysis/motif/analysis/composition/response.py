"""How spectra follow composition across a library: a regression dS/dc with exact derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

ANCHORS = 300
"""Most centres of the kernel expansion; more samples are summarised by clustering."""
RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 1e1)
"""Penalties tried on the curved part, per sample."""


@dataclass(frozen=True)
class SpectralResponse:
    """Ridge regression of spectra on composition: linear part plus Gaussian kernels.

    S(c) = b + A c + Σ_j k(c, a_j) w_j with k(c, a) = exp(-γ |c - a|²).
    """

    offset: NDArray[np.float64]
    """b, (L,)"""
    linear: NDArray[np.float64]
    """A, (E, L)"""
    anchors: NDArray[np.float64]
    """a, (m, E)"""
    weights: NDArray[np.float64]
    """w, (m, L)"""
    gamma: float

    def predict(self, composition: NDArray[np.float64]) -> NDArray[np.float64]:
        """Average spectra (n, L) at compositions (n, E)."""
        kernel = _kernel(composition, self.anchors, self.gamma)
        return np.asarray(self.offset + composition @ self.linear + kernel @ self.weights)

    def jacobian(self, composition: NDArray[np.float64]) -> NDArray[np.float64]:
        """dS/dc, (B, E, L) at compositions (B, E)."""
        kernel = _kernel(composition, self.anchors, self.gamma)
        pull = kernel[:, None] * (self.anchors.T - composition[..., None])
        return np.asarray(self.linear + 2 * self.gamma * (pull @ self.weights))

    def chain(
        self, by_spectrum: NDArray[np.float64], composition: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(∂P/∂S)(dS/dc): (K, B, E) for ∂P/∂S (K, B, L) at compositions (B, E)."""
        kernel = _kernel(composition, self.anchors, self.gamma)
        along = (by_spectrum @ self.weights.T) * kernel
        pull = along @ self.anchors - along.sum(-1, keepdims=True) * composition
        return np.asarray(by_spectrum @ self.linear.T + 2 * self.gamma * pull)


def spectral_response(
    spectra: NDArray[np.float64], composition: NDArray[np.float64]
) -> SpectralResponse:
    """Fit the response on spectra (n, L) and compositions (n, E).

    The penalty on the curved part is the one that predicts a fifth of the samples best from
    the others.
    """
    n, elements = composition.shape
    anchors = np.unique(composition, axis=0)
    if len(anchors) > ANCHORS:
        clusters = MiniBatchKMeans(ANCHORS, n_init=1, random_state=0).fit(composition)
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
    features: NDArray[np.float64], spectra: NDArray[np.float64], ridge: float, elements: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients (features, L) of a ridge regression about the mean, and the features' mean."""
    centre = features.mean(0)
    centred = features - centre
    gram = centred.T @ centred / len(features)
    penalty = np.full(len(centre), ridge)
    penalty[:elements] = min(ridge, 1.0) * 1e-3
    gram[np.diag_indices_from(gram)] += penalty
    moment = centred.T @ (spectra - spectra.mean(0)) / len(features)
    return np.linalg.solve(gram, moment), centre


def _kernel(
    points: NDArray[np.float64], anchors: NDArray[np.float64], gamma: float
) -> NDArray[np.float64]:
    squared = (points**2).sum(1)[:, None] + (anchors**2).sum(1) - 2 * points @ anchors.T
    return np.asarray(np.exp(-gamma * np.maximum(squared, 0)))
