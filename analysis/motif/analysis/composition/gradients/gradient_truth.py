"""The exact gradient of a simulated library, and how near computed gradients come to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.arrays import FloatArray
from motif.analysis.composition.datasets.composition_library import PreparedLibrary
from motif.analysis.composition.gradients.performance_gradients import (
    PER_ATOMIC_PERCENT,
    along_simplex,
)
from motif.core.testing.bivo4_truth import COEFFICIENTS, ELEMENTS, bivo4_gradient

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

NEGLIGIBLE = 0.05
"""Components below this share of the root mean square have no sign worth checking."""
SPREAD_GROUPS = 5
KNOWN_FUNCTION = "bivo4_performance"


def compare_with_truth(
    mean: FloatArray,
    truth: FloatArray,
    std: FloatArray | None = None,
    agreement: FloatArray | None = None,
) -> dict[str, Any]:
    """Direction, sign, size and spread of gradients (n, E) against the exact ones (n, E).

    Both are compared along the simplex, in the same unit. Keys:

    * ``cosine``: mean over samples of the cosine of the angle between the two;
    * ``slope``: of computed on true components, 1 when sizes are right, below 1 when too small;
    * ``sign_right``: share of components with the right sign, negligible true ones left out;
      ``sign_right_where_agreed``: the same where all members agree, ``agreed`` their share;
    * ``calibration``: see `calibration`.
    """
    computed, exact = along_simplex(mean), along_simplex(truth)
    matters = np.abs(exact) > NEGLIGIBLE * np.sqrt((exact**2).mean())
    right = np.sign(computed) == np.sign(exact)
    result: dict[str, Any] = {
        "cosine": cosine(computed, exact),
        "slope": float((computed * exact).sum() / (exact**2).sum()),
        "sign_right": float(right[matters].mean()),
    }
    if agreement is not None:
        agreed = matters & (agreement == 1)
        result["agreed"] = float(agreed.sum() / matters.sum())
        result["sign_right_where_agreed"] = float(right[agreed].mean()) if agreed.any() else None
    if std is not None:
        result["calibration"] = calibration(np.abs(computed - exact), std)
    return result


def cosine(a: FloatArray, b: FloatArray) -> float:
    """Mean cosine between the rows of two arrays (n, E); a row of zeros counts as 0."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.mean((a * b).sum(1) / np.where(norms > 0, norms, 1)))


def calibration(error: FloatArray, spread: FloatArray) -> dict[str, Any]:
    """How well the spread over members predicts the absolute error; both (n, E).

    ``within_1`` and ``within_2`` are the shares of components whose error is at most 1 and 2
    spreads (0.68 and 0.95 if the spread were a standard error). ``spread`` and ``error`` are
    mean spread and root-mean-square error in five equal groups from small to large spread.
    """
    order = np.argsort(spread, axis=None)
    groups = [group for group in np.array_split(order, SPREAD_GROUPS) if len(group)]
    errors, spreads = error.ravel(), spread.ravel()
    return {
        "within_1": float((error <= spread).mean()),
        "within_2": float((error <= 2 * spread).mean()),
        "spread": [float(spreads[group].mean()) for group in groups],
        "error": [float(np.sqrt((errors[group] ** 2).mean())) for group in groups],
    }


def true_gradient(workspace: Workspace, prepared: PreparedLibrary) -> FloatArray | None:
    """∂P/∂c (n, E) along the simplex in target units per at.%, at each sample's hidden state.

    None for measured data, and for simulated data of another law than that of
    `motif.core.testing.bivo4_truth`.
    """
    if not prepared.simulated or set(prepared.elements) != set(ELEMENTS):
        return None
    rows = {row.id: row for row in workspace.select(ids=prepared.ids)}
    distortions = {
        record: _distortions(workspace.record(record).metadata.get("truth"))
        for record in {row.record_id for row in rows.values()}
    }
    hidden = [distortions[rows[i].record_id].get(rows[i].key) for i in prepared.ids]
    if any(value is None for value in hidden):
        return None
    order = [prepared.elements.index(element) for element in ELEMENTS]
    composition = prepared.samples.composition[:, order]
    exact = bivo4_gradient(composition, np.array(hidden, dtype=np.float64))
    gradient = np.empty_like(exact)
    gradient[:, order] = along_simplex(exact) * PER_ATOMIC_PERCENT
    return gradient


def _distortions(truth: Any) -> Mapping[str, float]:
    """Hidden distortion by sample, if the record's metadata describe the known law."""
    if not isinstance(truth, Mapping) or truth.get("function") != KNOWN_FUNCTION:
        return {}
    if truth.get("coefficients") != dict(COEFFICIENTS):
        return {}
    return dict(truth["distortion"])
