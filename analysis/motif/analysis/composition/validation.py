"""Scores of held-out predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def r2_score(target: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Share of the target's variance that the predictions explain."""
    residual = ((target - predicted) ** 2).sum()
    return float(1 - residual / ((target - target.mean()) ** 2).sum())


def mean_absolute_error(target: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """In units of the target."""
    return float(np.abs(target - predicted).mean())
