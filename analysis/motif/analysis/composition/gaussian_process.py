"""Gaussian process on composition and spectrum: kernel ridge whose widths the evidence chooses.

One Gaussian kernel with a width for each of the two inputs; widths, signal and noise maximise
the marginal likelihood of a random subset (Rasmussen & Williams 2006, chapter 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from torch import Tensor

from motif.analysis.composition.gradients import PER_ATOMIC_PERCENT, along_simplex
from motif.analysis.composition.kernel_ridge import (
    KernelRidge,
    block_scaling,
    gaussian_kernel,
    solve_ridge,
    thinned,
)
from motif.analysis.composition.response import SpectralResponse
from motif.analysis.composition.samples import Samples

SUBSET = 400
"""Samples the marginal likelihood is computed on."""
ITERATIONS = 60
RATE = 0.1
SMALLEST_NOISE = 1e-6
CHUNK = 64
"""Samples whose directions are held at once."""


@dataclass(frozen=True)
class GaussianProcess:
    """A fitted process: its posterior mean, and what its own spread is made from."""

    posterior: KernelRidge
    factor: NDArray[np.float64]
    """Lower Cholesky factor (m, m) of the kernel of the training samples with noise."""
    signal: float
    """Prior standard deviation, in units of the target."""

    def total_gradient_std(
        self, samples: Samples, response: SpectralResponse
    ) -> NDArray[np.float64]:
        """Posterior standard deviation (n, E) of the total gradient, in target units per at.%.

        The derivative along d of a process with kernel exp(-|x - x'|²) has prior variance
        2 |d|² and covariance 2 d·(x_j - x) k(x, x_j) with the value at x_j.
        """
        variance = [
            self._variance(
                Samples(samples.spectra[part], samples.composition[part], samples.target[part]),
                response,
            )
            for start in range(0, len(samples.target), CHUNK)
            for part in [slice(start, start + CHUNK)]
        ]
        std = np.sqrt(np.maximum(np.concatenate(variance), 0))
        return np.asarray(self.signal * std * PER_ATOMIC_PERCENT)

    def _variance(self, samples: Samples, response: SpectralResponse) -> NDArray[np.float64]:
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


def fit_gaussian_process(
    samples: Samples, rows: NDArray[np.int64], seed: int = 0
) -> GaussianProcess:
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
    chosen = rng.permutation(len(rows))[:SUBSET]
    widths, signal, noise = _evidence(x[chosen], residual[chosen], elements)
    per_input = np.where(np.arange(x.shape[1]) < elements, *np.sqrt(widths))
    x, factor = x * per_input, factor * per_input
    kernel = gaussian_kernel(x, x, 1.0)
    solved = solve_ridge(kernel, residual, noise / signal)
    posterior = KernelRidge(centre, factor, x, solved * std, 1.0, mean)
    lower = np.asarray(np.linalg.cholesky(kernel + noise / signal * np.eye(len(x))), np.float64)
    return GaussianProcess(posterior, lower, std * math.sqrt(signal))


def _evidence(
    x: NDArray[np.float64], target: NDArray[np.float64], elements: int
) -> tuple[NDArray[np.float64], float, float]:
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
    return widths, signal, max(noise, SMALLEST_NOISE)


def _negative_log_likelihood(logs: Tensor, distances: list[Tensor], y: Tensor) -> Tensor:
    by_composition, by_spectrum, signal, noise = logs.exp()
    exponent = by_composition * distances[0] + by_spectrum * distances[1]
    identity = torch.eye(len(y), dtype=y.dtype)
    covariance = signal * torch.exp(-exponent) + (noise + SMALLEST_NOISE) * identity
    factor = torch.linalg.cholesky(covariance)
    solved = torch.cholesky_solve(y[:, None], factor)[:, 0]
    half_determinant = factor.diagonal().log().sum()
    constant = 0.5 * len(y) * math.log(2 * math.pi)
    result: Tensor = torch.dot(y, solved) / 2 + half_determinant + constant
    return result
