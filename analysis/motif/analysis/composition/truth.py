"""The exact gradient of a simulated library, told by its record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.composition.gradients import PER_ATOMIC_PERCENT, along_simplex
from motif.analysis.composition.preparation import Prepared
from motif.core.testing.truth import COEFFICIENTS, ELEMENTS, bivo4_gradient
from motif.core.workspace import Workspace

FUNCTION = "bivo4_performance"


def true_gradient(workspace: Workspace, prepared: Prepared) -> NDArray[np.float64] | None:
    """∂P/∂c (n, E) along the simplex in target units per at.%, at each sample's hidden state.

    None for measured data, and for simulated data whose law is not the one known here.
    """
    if not prepared.simulated or set(prepared.elements) != set(ELEMENTS):
        return None
    rows = {row.id: row for row in workspace.select(ids=prepared.ids)}
    told: dict[str, Mapping[str, float]] = {}
    for record in {row.record_id for row in rows.values()}:
        told[record] = _distortions(workspace.record(record).metadata.get("truth"))
    hidden = [told[rows[i].record_id].get(rows[i].key) for i in prepared.ids]
    if any(value is None for value in hidden):
        return None
    order = [prepared.elements.index(element) for element in ELEMENTS]
    composition = prepared.samples.composition[:, order]
    exact = bivo4_gradient(composition, np.array(hidden, dtype=np.float64))
    gradient = np.empty_like(exact)
    gradient[:, order] = along_simplex(exact) * PER_ATOMIC_PERCENT
    return gradient


def _distortions(truth: Any) -> Mapping[str, float]:
    """Hidden distortion by sample, if the record tells a law that is known here."""
    if not isinstance(truth, Mapping) or truth.get("function") != FUNCTION:
        return {}
    if truth.get("coefficients") != dict(COEFFICIENTS):
        return {}
    return dict(truth["distortion"])
