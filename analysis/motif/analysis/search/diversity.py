"""Hits that are like the question without all being like each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import ConfigError

POOL = 10
"""Nearest measurements for every hit among which diverse ones are chosen."""


def diverse(
    vectors: NDArray[np.float32], distances: NDArray[np.float64], k: int, amount: float
) -> NDArray[np.int64]:
    """Places of `k` of the rows, nearest first, by maximal marginal relevance.

    Each next one has the largest ``(1 - amount) * -d(question) + amount * d(nearest chosen)``
    (Carbonell & Goldstein, SIGIR 1998, with distances for similarities). 0 gives the nearest.

    Args:
        vectors: weighted features (n, d).
        distances: from the question (n,), ascending.
        k: how many.
        amount: from 0 to 1.
    """
    if not 0 <= amount <= 1:
        raise ConfigError(f"Diversity lies from 0 to 1, not at {amount:g}.")
    k = min(k, len(vectors))
    if amount == 0 or k < 2:
        return np.arange(k)
    chosen = [0]
    apart = np.full(len(vectors), np.inf)
    while len(chosen) < k:
        step = vectors - vectors[chosen[-1]]
        apart = np.minimum(apart, np.sqrt(np.einsum("ij,ij->i", step, step)))
        gain = amount * apart - (1 - amount) * distances
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return np.sort(np.array(chosen))
