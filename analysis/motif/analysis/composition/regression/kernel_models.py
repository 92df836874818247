"""Kernel ridge regression and a Gaussian process on composition and spectrum.

Kernel ridge has two forms: as in Umehara et al. (2019), one Gaussian kernel on the concatenated
raw inputs; and scaled, where composition and spectrum are centred and brought to the same size
first, so that neither dominates. The Gaussian process has one width for each of the two inputs;
widths, signal and noise maximise the marginal likelihood of a random subset (Rasmussen & Williams
2006, chapter 5). All have exact gradients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from torch import Tensor

from motif.analysis.arrays import FloatArray, IntArray
from motif.analysis.composition.datasets.composition_library import Samples
from motif.analysis.composition.gradients.performance_gradients import (
    PER_ATOMIC_PERCENT,
    SpectralResponse,
    along_simplex,
)

ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1)
PAPER_GAMMAS = (1e-3, 1e-1, 1e1)
SCALED_GAMMAS = (3e-2, 1e-1, 3e-1)
SCALED_WEIGHTS = (0.3, 1.0, 3.0)
"""Squared size of the composition inputs relative to that of the spectrum."""
MAX_TRAINING_SAMPLES = 4_000
"""Training samples above which a random subset is used: memory and time grow as n² and n³."""
EVIDENCE_SAMPLES = 400
"""Samples on which the marginal likelihood is computed."""
ITERATIONS = 60
RATE = 0.1
MIN_NOISE = 1e-6
DIRECTIONS_CHUNK = 64
"""Samples whose directions are in memory at once."""


@dataclass(frozen=True)
class KernelRidge:
    """A fitted model: f(x) = mean + Σ_j a_j exp(-γ |x - x_j|²) on concatenated inputs."""

    centre: FloatArray
    factor: FloatArray
    """Inputs are (composition | spectrum - centre) · factor."""
    inputs: FloatArray
    """(m, E + L) of the training samples."""
    coefficients: FloatArray
    """a, (m,)"""
    gamma: float
    mean: float

    def predict(self, samples: Samples) -> FloatArray:
        """(n,) in units of the target."""
        kernel = gaussian_kernel(self.scaled(samples), self.inputs, self.gamma)
        return np.asarray(self.mean + kernel @ self.coefficients)

    def gradients(self, samples: Samples) -> tuple[FloatArray, FloatArray]:
        """∂f/∂composition (n, E) and ∂f/∂spectrum (n, L), per unit of fraction and intensity."""
        x = self.scaled(samples)
        weighted = gaussian_kernel(x, self.inputs, self.gamma) * self.coefficients
        pull = weighted @ self.inputs - weighted.sum(1, keepdims=True) * x
        gradient = 2 * self.gamma * pull * self.factor
        elements = samples.composition.shape[1]
        return gradient[:, :elements], gradient[:, elements:]

    def scaled(self, samples: Samples) -> FloatArray:
        """Centred and scaled inputs (n, E + L) of the kernel."""
        inputs = np.concatenate([samples.composition, samples.spectra], 1)
        return np.asarray((inputs - self.centre) * self.factor)


def fit_kernel_ridge(
    samples: Samples, rows: IntArray, *, scaled: bool, seed: int = 0
) -> KernelRidge:
    """Fit on `rows`, with the penalty, width and weight that predict a fifth of them best."""
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


def thinned(rows: IntArray, rng: np.random.Generator) -> IntArray:
    """The rows, or a random subset where there are too many for a dense kernel."""
    return (
        rows
        if len(rows) <= MAX_TRAINING_SAMPLES
        else rng.choice(rows, MAX_TRAINING_SAMPLES, replace=False)
    )


def block_scaling(
    blocks: tuple[FloatArray, FloatArray], weight: float, *, scaled: bool
) -> tuple[FloatArray, FloatArray]:
    """Centre and factor (E + L,) of the inputs; scaled blocks have variance `weight` and 1."""
    if not scaled:
        width = sum(block.shape[1] for block in blocks)
        return np.zeros(width), np.ones(width)
    factors = []
    for block, size in zip(blocks, (weight, 1.0), strict=True):
        spread = float(block.var(0).sum())
        factors.append(np.full(block.shape[1], np.sqrt(size / spread) if spread > 0 else 0.0))
    return np.concatenate([block.mean(0) for block in blocks]), np.concatenate(factors)


def solve_ridge(kernel: FloatArray, target: FloatArray, alpha: float) -> FloatArray:
    """Ridge coefficients (n,); a singular kernel gets a penalty ten times larger until it works."""
    regular = kernel + alpha * np.eye(len(kernel))
    try:
        return np.asarray(cho_solve(cho_factor(regular, overwrite_a=True), target))
    except LinAlgError:
        return solve_ridge(kernel, target, alpha * 10)


def gaussian_kernel(a: FloatArray, b: FloatArray, gamma: float) -> FloatArray:
    """exp(-γ |a - b|²), (n, m) for inputs (n, d) and (m, d)."""
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.asarray(np.exp(-gamma * np.maximum(squared, 0)))


@dataclass(frozen=True)
class GaussianProcess:
    """A fitted process: posterior mean, and the factors of its posterior variance."""

    posterior: KernelRidge
    factor: FloatArray
    """Lower Cholesky factor (m, m) of the kernel of the training samples with noise."""
    signal: float
    """Prior standard deviation, in units of the target."""

    def total_gradient_std(self, samples: Samples, response: SpectralResponse) -> FloatArray:
        """Posterior standard deviation (n, E) of the total gradient, in target units per at.%.

        The derivative along d of a process with kernel exp(-|x - x'|²) has prior variance
        2 |d|² and covariance 2 d·(x_j - x) k(x, x_j) with the value at x_j.
        """
        variance = [
            self._variance(
                Samples(samples.spectra[part], samples.composition[part], samples.target[part]),
                response,
            )
            for start in range(0, len(samples.target), DIRECTIONS_CHUNK)
            for part in [slice(start, start + DIRECTIONS_CHUNK)]
        ]
        std = np.sqrt(np.maximum(np.concatenate(variance), 0))
        return np.asarray(self.signal * std * PER_ATOMIC_PERCENT)

    def _variance(self, samples: Samples, response: SpectralResponse) -> FloatArray:
        """Variance (B, E) over the squared signal, per unit of atomic fraction."""
        batch, elements = samples.composition.shape
        own = np.broadcast_to(np.eye(elements), (batch, elements, elements))
        moved = np.concatenate([own, response.jacobian(samples.composition)], 2)
        along = along_simplex(moved.swapaxes(1, 2)).swapaxes(1, 2) * self.posterior.factor
        x, trained = self.posterior.scaled(samples), self.posterior.inputs
        reach = along @ trained.T - (along @ x[..., None])
        covariance = 2 * reach * gaussian_kernel(x, trained, 1.0)[:, None]
        solved = solve_triangular(
            self.factor, covariance.reshape(-1, len(trained)).T, lower=True, check_finite=False
        )
        known = (solved**2).sum(0).reshape(batch, elements)
        return np.asarray(2 * (along**2).sum(2) - known)


def fit_gaussian_process(samples: Samples, rows: IntArray, seed: int = 0) -> GaussianProcess:
    """A Gaussian process fitted on `rows`."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, len(rows))))
    rows = thinned(rows, rng)
    blocks = (samples.composition[rows], samples.spectra[rows])
    target = samples.target[rows]
    mean, std = float(target.mean()), float(target.std()) or 1.0
    residual = (target - mean) / std
    centre, factor = block_scaling(blocks, 1.0, scaled=True)
    x = (np.concatenate(blocks, 1) - centre) * factor
    elements = samples.composition.shape[1]
    chosen = rng.permutation(len(rows))[:EVIDENCE_SAMPLES]
    widths, signal, noise = _evidence(x[chosen], residual[chosen], elements)
    per_input = np.where(np.arange(x.shape[1]) < elements, *np.sqrt(widths))
    x, factor = x * per_input, factor * per_input
    kernel = gaussian_kernel(x, x, 1.0)
    solved = solve_ridge(kernel, residual, noise / signal)
    posterior = KernelRidge(centre, factor, x, solved * std, 1.0, mean)
    lower = np.asarray(np.linalg.cholesky(kernel + noise / signal * np.eye(len(x))), np.float64)
    return GaussianProcess(posterior, lower, std * math.sqrt(signal))


def _evidence(x: FloatArray, target: FloatArray, elements: int) -> tuple[FloatArray, float, float]:
    """Inverse squared widths of both blocks, signal variance and noise variance."""
    distances = [
        torch.cdist(part, part, compute_mode="donot_use_mm_for_euclid_dist").square()
        for part in map(torch.from_numpy, (x[:, :elements], x[:, elements:]))
    ]
    y = torch.from_numpy(target)
    logs = torch.tensor([-1.0, -1.0, 0.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([logs], lr=RATE)
    for _ in range(ITERATIONS):
        loss = _negative_log_likelihood(logs, distances, y)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    by_composition, by_spectrum, signal, noise = logs.detach().exp().tolist()
    widths = np.array([by_composition, by_spectrum])
    return widths, signal, max(noise, MIN_NOISE)


def _negative_log_likelihood(logs: Tensor, distances: list[Tensor], y: Tensor) -> Tensor:
    by_composition, by_spectrum, signal, noise = logs.exp()
    exponent = by_composition * distances[0] + by_spectrum * distances[1]
    identity = torch.eye(len(y), dtype=y.dtype)
    covariance = signal * torch.exp(-exponent) + (noise + MIN_NOISE) * identity
    factor = torch.linalg.cholesky(covariance)
    solved = torch.cholesky_solve(y[:, None], factor)[:, 0]
    half_determinant = factor.diagonal().log().sum()
    constant = 0.5 * len(y) * math.log(2 * math.pi)
    result: Tensor = torch.dot(y, solved) / 2 + half_determinant + constant
    return result
