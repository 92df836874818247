"""Makes the first layers of several runs comparable: the order of their units is arbitrary."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

ROUNDS = 10

Array = NDArray[np.float64]


def align_units(weights: Array) -> Array:
    """Reorder the units of each run so that like stands under like.

    Args:
        weights: first-layer weights (K, E, units) of K runs.

    Returns:
        The same, units permuted within each run: the assignment that correlates best with the
        mean over runs, repeated until it stays; columns ordered by their strength.
    """
    aligned = np.array(weights, dtype=np.float64)
    reference = aligned[0].copy()
    for _ in range(ROUNDS):
        before = aligned.copy()
        for k, run in enumerate(aligned):
            _, order = linear_sum_assignment(_correlation(reference, run), maximize=True)
            aligned[k] = run[:, order]
        reference = aligned.mean(0)
        if np.array_equal(before, aligned):
            break
    return aligned[:, :, np.argsort(-np.abs(reference).sum(0), kind="stable")]


def likeness(weights: Array) -> tuple[Array, Array]:
    """How alike the network treats two elements: Pearson of their rows of first-layer weights.

    Returns mean and standard deviation (E, E) over the K runs of weights (K, E, units). The
    order of units plays no part.
    """
    per_run = np.stack([np.corrcoef(run) for run in weights.astype(np.float64)])
    return per_run.mean(0), per_run.std(0)


def _correlation(a: Array, b: Array) -> Array:
    """Pearson coefficients (units, units) between columns of (E, units); constants give 0."""
    left, right = a - a.mean(0), b - b.mean(0)
    norm = np.outer(np.linalg.norm(left, axis=0), np.linalg.norm(right, axis=0))
    return np.asarray((left.T @ right) / np.where(norm > 0, norm, 1))
