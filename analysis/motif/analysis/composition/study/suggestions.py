"""Compositions to prepare next: beyond the measured ones, in the direction of the gradient."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

from motif.analysis.arrays import FloatArray, IntArray
from motif.analysis.composition.composition_text import with_unit
from motif.analysis.composition.datasets.composition_library import PreparedLibrary
from motif.analysis.composition.gradients.performance_gradients import (
    PER_ATOMIC_PERCENT,
    SpectralResponse,
    spectral_response,
)
from motif.analysis.composition.regression.ensemble import NetworkEnsemble
from motif.analysis.composition.study.composition_study import CompositionStudy, load_study, reload

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

SUGGESTIONS_STAGE = "suggestions"
SUGGESTIONS_VERSION = 2
STEPS = (0.5, 1.0, 2.0, 3.0)
"""Lengths of the steps tried from each sample, in at.%."""
MIN_DISTANCE = 0.5
"""Least distance of a suggestion from every measured sample and from the others, in at.%."""
SPREAD_QUANTILE = 0.9
"""Quantile of the spread over measured samples that the spread of a suggestion may not exceed."""
MIN_CHANGE = 0.05
"""Changes below this many at.% are not listed in the reason."""


@dataclass(frozen=True)
class SuggestedCompositions:
    """Compositions one step along the total gradient from a measured sample."""

    origin: IntArray
    """(m,) row of the sample the step starts from."""
    composition: FloatArray
    """(m, E) atomic fractions; rows sum to 1."""
    prediction: FloatArray
    """(m,) ensemble mean at the library's average spectrum there."""
    spread: FloatArray
    """(m,)"""
    gain: FloatArray
    """(m,) predicted gain over the origin's composition, at average spectra for both."""
    agreement: FloatArray
    """(m,) share of members that predict a gain."""
    distance: FloatArray
    """(m,) to the nearest measured composition, in at.%."""


def suggest(
    workspace: Workspace, collection: str, *, target: str | None = None, count: int = 10
) -> Derivation:
    """Rank compositions worth preparing; stored in the ledger with a table in its summary.

    From every sample a step of 0.5-3 at.% is taken along the ensemble's total gradient. A
    composition qualifies where every member predicts a gain, its distance from the measured set
    is at least 0.5 at.% and its spread is not above that of measured samples. Qualified ones are
    ranked by prediction minus spread. A hidden state that only the spectrum of the origin shows
    is not carried over: predictions are made at the average spectrum of the new composition.

    Arrays, one row per suggestion: ``composition`` (m, E) of ``elements``, ``prediction``,
    ``spread`` and ``gain`` in the summary's ``unit``, ``distance`` in at.%, ``origin``. The
    table gives the same with reasons.
    """
    started = time.monotonic()
    study = load_study(workspace, collection, target)
    parameters = {"version": SUGGESTIONS_VERSION, "count": count}
    known = workspace.ledger.find(SUGGESTIONS_STAGE, parameters, [study.derivation.id])
    if known is not None:
        return known
    prepared, ensemble = reload(workspace, study)
    response = spectral_response(prepared.samples.spectra, prepared.samples.composition)
    candidates = _candidates(prepared, ensemble, response, study.arrays["gradient_total_mean"])
    limit = float(np.quantile(study.arrays["prediction_std"], SPREAD_QUANTILE))
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
        SUGGESTIONS_STAGE,
        collection,
        parameters,
        [study.derivation.id],
        arrays,
        summary,
        time.monotonic() - started,
    )


def _candidates(
    prepared: PreparedLibrary,
    ensemble: NetworkEnsemble,
    response: SpectralResponse,
    gradient: FloatArray,
) -> SuggestedCompositions:
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
    return SuggestedCompositions(
        origin=origin,
        composition=moved,
        prediction=after.mean(0),
        spread=after.std(0),
        gain=(after - before).mean(0),
        agreement=(after > before).mean(0),
        distance=np.asarray(distance) / PER_ATOMIC_PERCENT,
    )


def _ranked(candidates: SuggestedCompositions, limit: float, count: int) -> IntArray:
    """Best candidates first, none closer than `MIN_DISTANCE` to another."""
    qualified = (candidates.agreement == 1) & (candidates.distance >= MIN_DISTANCE)
    qualified &= candidates.spread <= limit
    merit = np.where(qualified, candidates.prediction - candidates.spread, -np.inf)
    chosen: list[int] = []
    for i in np.argsort(-merit, kind="stable"):
        if not qualified[i] or len(chosen) == count:
            break
        others = candidates.composition[chosen]
        gap = np.linalg.norm(others - candidates.composition[i], axis=1)
        if not len(others) or gap.min() >= MIN_DISTANCE * PER_ATOMIC_PERCENT:
            chosen.append(int(i))
    return np.array(chosen, dtype=np.int64)


def _row(
    prepared: PreparedLibrary, study: CompositionStudy, candidates: SuggestedCompositions, i: int
) -> dict[str, Any]:
    """One row of the table, with the reason as a sentence."""
    origin = int(candidates.origin[i])
    change = (candidates.composition[i] - prepared.samples.composition[origin]) / PER_ATOMIC_PERCENT
    changes = [
        f"{delta:+.1f} at.% {element}"
        for element, delta in sorted(
            zip(prepared.elements, change.tolist(), strict=True), key=lambda pair: -abs(pair[1])
        )
        if abs(delta) >= MIN_CHANGE
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
            f"From sample {prepared.names[origin]}: {', '.join(changes)}. All {members} members "
            f"predict a gain, {gain} on average; the "
            f"nearest measured composition is {candidates.distance[i]:.1f} at.% away."
        ),
    }
