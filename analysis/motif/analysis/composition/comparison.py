"""How near gradients come to a known truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.composition.gradients import along_simplex

NEGLIGIBLE = 0.05
"""Components below this share of the typical one have no sign worth checking."""


def compare_with_truth(
    mean: NDArray[np.float64],
    truth: NDArray[np.float64],
    std: NDArray[np.float64] | None = None,
    agreement: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Direction, sign, size and spread of gradients (n, E) against the exact ones (n, E).

    Both are compared along the simplex, in the same unit. Keys:

    * ``cosine``: mean over samples of the cosine of the angle between the two;
    * ``slope``: of found on true components, 1 when sizes are right, below 1 when shrunk;
    * ``sign_right``: share of components with the right sign, negligible true ones left out;
      ``sign_right_where_agreed``: the same where all members agree, ``agreed`` their share;
    * ``calibration``: share of components whose error is within 1 and 2 spreads (0.68 and 0.95
      were spread an error) and, from small to large spread in five equal parts, mean spread
      and root-mean-square error.
    """
    found, exact = along_simplex(mean), along_simplex(truth)
    matters = np.abs(exact) > NEGLIGIBLE * np.sqrt((exact**2).mean())
    right = np.sign(found) == np.sign(exact)
    result: dict[str, Any] = {
        "cosine": cosine(found, exact),
        "slope": float((found * exact).sum() / (exact**2).sum()),
        "sign_right": float(right[matters].mean()),
    }
    if agreement is not None:
        agreed = matters & (agreement == 1)
        result["agreed"] = float(agreed.sum() / matters.sum())
        result["sign_right_where_agreed"] = float(right[agreed].mean()) if agreed.any() else None
    if std is not None:
        result["calibration"] = calibration(np.abs(found - exact), std)
    return result


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Mean cosine between the rows of two arrays; a row of zeros counts as 0."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.mean((a * b).sum(1) / np.where(norms > 0, norms, 1)))


def calibration(error: NDArray[np.float64], spread: NDArray[np.float64]) -> dict[str, Any]:
    """How far the spread over members tells the error."""
    order = np.argsort(spread, axis=None)
    parts = [part for part in np.array_split(order, 5) if len(part)]
    errors, spreads = error.ravel(), spread.ravel()
    return {
        "within_1": float((error <= spread).mean()),
        "within_2": float((error <= 2 * spread).mean()),
        "spread": [float(spreads[part].mean()) for part in parts],
        "error": [float(np.sqrt((errors[part] ** 2).mean())) for part in parts],
    }
