"""Kernel ridge regression on composition and spectrum, with its exact gradient.

Two forms: as in Umehara et al. (2019), one Gaussian kernel on the raw inputs side by side; and
scaled, where each input block is centred and brought to the same size first, so that neither
drowns the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from motif.analysis.composition.samples import Samples

ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1)
PAPER_GAMMAS = (1e-3, 1e-1, 1e1)
SCALED_GAMMAS = (3e-2, 1e-1, 3e-1)
SCALED_WEIGHTS = (0.3, 1.0, 3.0)
"""Squared size of the composition block relative to the spectrum's."""
MOST = 4_000
"""Training samples above which a random subset is used: memory and time grow as n² and n³."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KernelRidge:
    """A fitted model: f(x) = mean + Σ_j a_j exp(-γ |x - x_j|²) on inputs side by side."""

    centre: Array
    factor: Array
    """Inputs are (composition | spectrum - centre) · factor."""
    inputs: Array
    """(m, E + L) of the training samples."""
    coefficients: Array
    """a, (m,)"""
    gamma: float
    mean: float

    def predict(self, samples: Samples) -> Array:
        """(n,) in units of the target."""
        kernel = gaussian_kernel(self.scaled(samples), self.inputs, self.gamma)
        return np.asarray(self.mean + kernel @ self.coefficients)

    def gradients(self, samples: Samples) -> tuple[Array, Array]:
        """∂f/∂composition (n, E) and ∂f/∂spectrum (n, L), per unit of fraction and intensity."""
        x = self.scaled(samples)
        weighted = gaussian_kernel(x, self.inputs, self.gamma) * self.coefficients
        pull = weighted @ self.inputs - weighted.sum(1, keepdims=True) * x
        gradient = 2 * self.gamma * pull * self.factor
        elements = samples.composition.shape[1]
        return gradient[:, :elements], gradient[:, elements:]

    def scaled(self, samples: Samples) -> Array:
        """Inputs (n, E + L) as the kernel takes them."""
        side_by_side = np.concatenate([samples.composition, samples.spectra], 1)
        return np.asarray((side_by_side - self.centre) * self.factor)


def fit_kernel_ridge(
    samples: Samples, rows: NDArray[np.int64], *, scaled: bool, seed: int = 0
) -> KernelRidge:
    """Fit on `rows`; penalty, width and block weight are those that predict a fifth best."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, len(rows))))
    rows = thinned(rows, rng)
    blocks = (samples.composition[rows], samples.spectra[rows])
    mean = float(samples.target[rows].mean())
    residual = samples.target[rows] - mean
    test = rng.permutation(len(rows)) < max(len(rows) // 5, 1)
    gammas, weights = (SCALED_GAMMAS, SCALED_WEIGHTS) if scaled else (PAPER_GAMMAS, (1.0,))
    best = (np.inf, gammas[0], ALPHAS[0], weights[0])
    for weight, gamma in product(weights, gammas):
        centre, factor = block_scaling(blocks, weight, scaled=scaled)
        x = (np.concatenate(blocks, 1) - centre) * factor
        kernel = gaussian_kernel(x, x, gamma)
        for alpha in ALPHAS:
            solved = solve_ridge(kernel[np.ix_(~test, ~test)], residual[~test], alpha)
            error = float(((kernel[np.ix_(test, ~test)] @ solved - residual[test]) ** 2).mean())
            best = min(best, (error, gamma, alpha, weight))
    _, gamma, alpha, weight = best
    centre, factor = block_scaling(blocks, weight, scaled=scaled)
    x = (np.concatenate(blocks, 1) - centre) * factor
    solved = solve_ridge(gaussian_kernel(x, x, gamma), residual, alpha)
    return KernelRidge(centre, factor, x, solved, gamma, mean)


def thinned(rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """The rows, or a random subset where they are too many for a dense kernel."""
    return rows if len(rows) <= MOST else rng.choice(rows, MOST, replace=False)


def block_scaling(
    blocks: tuple[Array, Array], weight: float, *, scaled: bool
) -> tuple[Array, Array]:
    """Centre and factor of each input; scaled blocks have mean square distance `weight` and 1."""
    if not scaled:
        width = sum(block.shape[1] for block in blocks)
        return np.zeros(width), np.ones(width)
    factors = []
    for block, size in zip(blocks, (weight, 1.0), strict=True):
        spread = float(block.var(0).sum())
        factors.append(np.full(block.shape[1], np.sqrt(size / spread) if spread > 0 else 0.0))
    return np.concatenate([block.mean(0) for block in blocks]), np.concatenate(factors)


def solve_ridge(kernel: Array, target: Array, alpha: float) -> Array:
    """Coefficients of the ridge; a kernel too flat for `alpha` gets the penalty it needs."""
    regular = kernel + alpha * np.eye(len(kernel))
    try:
        return np.asarray(cho_solve(cho_factor(regular, overwrite_a=True), target))
    except LinAlgError:
        return solve_ridge(kernel, target, alpha * 10)


def gaussian_kernel(a: Array, b: Array, gamma: float) -> Array:
    """exp(-γ |a - b|²), (n, m) for inputs (n, d) and (m, d)."""
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.asarray(np.exp(-gamma * np.maximum(squared, 0)))
