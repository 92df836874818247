"""Gaussian process on composition and spectrum: kernel ridge whose widths the evidence chooses.

One Gaussian kernel with a width for each of the two inputs; widths, signal and noise maximise
the marginal likelihood of a random subset (Rasmussen & Williams 2006, chapter 5).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motif.analysis.composition.kernel_ridge import (
    KernelRidge,
    block_scaling,
    gaussian_kernel,
    solve_ridge,
    thinned,
)
from motif.analysis.composition.samples import Samples

SUBSET = 400
"""Samples the marginal likelihood is computed on."""
ITERATIONS = 60
RATE = 0.1
SMALLEST_NOISE = 1e-6


def fit_gaussian_process(samples: Samples, rows: NDArray[np.int64], seed: int = 0) -> KernelRidge:
    """Posterior mean of a Gaussian process fitted on `rows`."""
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
    widths, noise = _evidence(x[chosen], residual[chosen], elements)
    per_input = np.where(np.arange(x.shape[1]) < elements, *np.sqrt(widths))
    x, factor = x * per_input, factor * per_input
    solved = solve_ridge(gaussian_kernel(x, x, 1.0), residual, noise)
    return KernelRidge(centre, factor, x, solved * std, 1.0, mean)


def _evidence(
    x: NDArray[np.float64], target: NDArray[np.float64], elements: int
) -> tuple[NDArray[np.float64], float]:
    """Inverse squared widths of both blocks and noise over signal variance."""
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
    return widths, max(noise, SMALLEST_NOISE) / signal


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
