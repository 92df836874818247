"""What to make next: compositions beyond the measured ones where the gradient points."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from motif.analysis.composition.ensemble import Ensemble
from motif.analysis.composition.gradients import PER_ATOMIC_PERCENT
from motif.analysis.composition.preparation import Prepared
from motif.analysis.composition.response import SpectralResponse, spectral_response
from motif.analysis.composition.study import Study, load_study, reload
from motif.analysis.composition.texts import with_unit
from motif.core.catalog import Derivation
from motif.core.workspace import Workspace

STAGE = "suggestions"
VERSION = 2
STEPS = (0.5, 1.0, 2.0, 3.0)
"""Lengths of the steps tried from each sample, in at.%."""
APART = 0.5
"""Least distance of a suggestion from every measured sample and from the others, in at.%."""
MODERATE = 0.9
"""Predictions may spread at most as far as this share of those of measured samples do."""
NAMED = 0.05
"""Changes below this many at.% are not spelled out in the reason."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Candidates:
    """Compositions reached from measured samples by a step along the total gradient."""

    origin: NDArray[np.int64]
    """(m,) row of the sample the step starts from."""
    composition: Array
    """(m, E) atomic fractions; rows sum to 1."""
    prediction: Array
    """(m,) ensemble mean at the library's average spectrum there."""
    spread: Array
    """(m,)"""
    gain: Array
    """(m,) predicted gain over the origin's composition, at average spectra for both."""
    agreement: Array
    """(m,) share of members that predict a gain."""
    distance: Array
    """(m,) to the nearest measured composition, in at.%."""


def suggest(
    workspace: Workspace, collection: str, *, target: str | None = None, count: int = 10
) -> Derivation:
    """Rank compositions worth making; kept in the ledger with a table in its summary.

    From every sample a step of 0.5-3 at.% is taken along the ensemble's total gradient. What
    every member expects to gain, lies apart from the measured set and spreads no further than
    predictions of measured samples do is ranked by prediction minus spread. A hidden state that
    only the spectrum of the origin shows is not carried over: predictions are made at the
    average spectrum of the new composition.

    Arrays, one row a suggestion: ``composition`` (m, E) of ``elements``, ``prediction``,
    ``spread`` and ``gain`` in the summary's ``unit``, ``distance`` in at.%, ``origin``. The
    table holds the same with reasons.
    """
    started = time.monotonic()
    study = load_study(workspace, collection, target)
    parameters = {"version": VERSION, "count": count}
    found = workspace.ledger.find(STAGE, parameters, [study.derivation.id])
    if found is not None:
        return found
    prepared, ensemble = reload(workspace, study)
    response = spectral_response(prepared.samples.spectra, prepared.samples.composition)
    candidates = _candidates(prepared, ensemble, response, study.arrays["gradient_total_mean"])
    limit = float(np.quantile(study.arrays["prediction_std"], MODERATE))
    chosen = _ranked(candidates, limit, count)
    arrays = {
        "elements": np.array(prepared.elements, dtype="S2"),
        "composition": candidates.composition[chosen],
        "prediction": candidates.prediction[chosen],
        "spread": candidates.spread[chosen],
        "gain": candidates.gain[chosen],
        "distance": candidates.distance[chosen],
        "origin": np.array([prepared.ids[i] for i in candidates.origin[chosen]], dtype="S32"),
    }
    summary = {
        "collection": collection,
        "target": prepared.target_name,
        "unit": prepared.target_unit,
        "elements": list(prepared.elements),
        "study": study.derivation.id,
        "members": study.derivation.summary["members"],
        "most_spread": limit,
        "best_measured": float(prepared.samples.target.max()),
        "simulated": prepared.simulated,
        "table": [_row(prepared, study, candidates, int(i)) for i in chosen],
    }
    return workspace.ledger.record(
        STAGE,
        collection,
        parameters,
        [study.derivation.id],
        arrays,
        summary,
        time.monotonic() - started,
    )


def _candidates(
    prepared: Prepared, ensemble: Ensemble, response: SpectralResponse, gradient: Array
) -> Candidates:
    measured = prepared.samples.composition
    strength = np.linalg.norm(gradient, axis=1, keepdims=True)
    direction = gradient / np.where(strength > 0, strength, 1)
    steps = np.repeat(STEPS, len(measured))[:, None] * PER_ATOMIC_PERCENT
    origin = np.tile(np.arange(len(measured)), len(STEPS))
    moved = np.maximum(measured[origin] + steps * direction[origin], 0)
    moved /= moved.sum(1, keepdims=True)
    before = ensemble.predict(response.predict(measured), measured)[:, origin]
    after = ensemble.predict(response.predict(moved), moved)
    distance, _ = cKDTree(measured).query(moved)
    return Candidates(
        origin=origin,
        composition=moved,
        prediction=after.mean(0),
        spread=after.std(0),
        gain=(after - before).mean(0),
        agreement=(after > before).mean(0),
        distance=np.asarray(distance) / PER_ATOMIC_PERCENT,
    )


def _ranked(candidates: Candidates, limit: float, count: int) -> NDArray[np.int64]:
    """Best candidates first, none closer than `APART` to another."""
    fit = (candidates.agreement == 1) & (candidates.distance >= APART)
    fit &= candidates.spread <= limit
    merit = np.where(fit, candidates.prediction - candidates.spread, -np.inf)
    chosen: list[int] = []
    for i in np.argsort(-merit, kind="stable"):
        if not fit[i] or len(chosen) == count:
            break
        others = candidates.composition[chosen]
        gap = np.linalg.norm(others - candidates.composition[i], axis=1)
        if not len(others) or gap.min() >= APART * PER_ATOMIC_PERCENT:
            chosen.append(int(i))
    return np.array(chosen, dtype=np.int64)


def _row(prepared: Prepared, study: Study, candidates: Candidates, i: int) -> dict[str, Any]:
    """One line of the table, with the reason in words."""
    origin = int(candidates.origin[i])
    change = (candidates.composition[i] - prepared.samples.composition[origin]) / 0.01
    parts = [
        f"{delta:+.1f} at.% {element}"
        for element, delta in sorted(
            zip(prepared.elements, change.tolist(), strict=True), key=lambda pair: -abs(pair[1])
        )
        if abs(delta) >= NAMED
    ]
    members = study.derivation.summary["members"]
    gain = with_unit(f"{candidates.gain[i]:.2g}", prepared.target_unit)
    return {
        "composition": dict(
            zip(prepared.elements, candidates.composition[i].round(6).tolist(), strict=True)
        ),
        "prediction": float(candidates.prediction[i]),
        "spread": float(candidates.spread[i]),
        "gain": float(candidates.gain[i]),
        "distance": float(candidates.distance[i]),
        "origin": prepared.ids[origin],
        "sample": prepared.names[origin],
        "reason": (
            f"From sample {prepared.names[origin]}: {', '.join(parts)}. All {members} members "
            f"expect a gain, {gain} on average; the "
            f"nearest measured composition is {candidates.distance[i]:.1f} at.% away."
        ),
    }
