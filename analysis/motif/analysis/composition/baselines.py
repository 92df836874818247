"""Other models on the same folds: what the networks must be measured against."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from motif.analysis.composition.comparison import compare_with_truth
from motif.analysis.composition.gaussian_process import fit_gaussian_process
from motif.analysis.composition.gradients import PER_ATOMIC_PERCENT, along_simplex
from motif.analysis.composition.kernel_ridge import fit_kernel_ridge
from motif.analysis.composition.partition import Partition, make_partition
from motif.analysis.composition.preparation import Prepared, prepare
from motif.analysis.composition.response import SpectralResponse, spectral_response
from motif.analysis.composition.samples import Samples
from motif.analysis.composition.truth import true_gradient
from motif.analysis.composition.validation import mean_absolute_error, r2_score
from motif.core.workspace import Workspace

STAGE = "composition-baselines"
VERSION = 3
TREES = 30
JUDGED = 2_000
"""Most samples whose gradients are compared with the exact ones."""

Array = NDArray[np.float64]
Gradient = Callable[[Samples], tuple[Array, Array]]
Spread = Callable[[Samples, SpectralResponse], Array]


@dataclass(frozen=True)
class Fitted:
    """A baseline fitted on some samples; `gradients` and `spread` are None where it has none."""

    predict: Callable[[Samples], Array]
    gradients: Gradient | None
    spread: Spread | None = None
    """Its own standard deviation (n, E) of the total gradient, in target units per at.%."""


Fit = Callable[[Samples, NDArray[np.int64], int], Fitted]


def score_baselines(
    workspace: Workspace,
    collection: str,
    *,
    target: str | None = None,
    where: str | None = None,
    folds: int = 5,
    seed: int = 0,
    stratify: bool = False,
    shuffle_index: Path | None = None,
) -> dict[str, dict[str, Any]]:
    """Scores by baseline: held-out ``r2`` and ``mae``, ``seconds``, ``gradient_cosine``.

    The folds are those of `train_composition` with the same options. The cosine is that of the
    total gradient with the exact one, on simulated libraries only. Kept in the ledger.
    """
    prepared = prepare(workspace.library(collection, target, where))
    partition = make_partition(
        workspace,
        prepared,
        folds=folds,
        seed=seed,
        stratify=stratify,
        shuffle_index=shuffle_index,
    )
    parameters = {
        "version": VERSION,
        "target": prepared.target_name,
        "folds": folds,
        "partition": partition.identity,
        "seed": seed,
        "data": prepared.digest,
        **({"where": where} if where else {}),
    }
    found = workspace.ledger.find(STAGE, parameters, prepared.ids)
    if found is None:
        started = time.monotonic()
        scores, predictions = _score_all(prepared, partition, true_gradient(workspace, prepared))
        found = workspace.ledger.record(
            STAGE,
            collection,
            parameters,
            prepared.ids,
            predictions,
            {"baselines": scores, **partition.told()},
            time.monotonic() - started,
        )
    baselines: dict[str, dict[str, Any]] = found.summary["baselines"]
    return baselines


def _score_all(
    prepared: Prepared, partition: Partition, truth: Array | None
) -> tuple[dict[str, dict[str, Any]], dict[str, Array]]:
    samples = prepared.samples
    response = spectral_response(samples.spectra, samples.composition)
    fold, seed = partition.fold, partition.first_seed
    scores: dict[str, dict[str, Any]] = {}
    predictions: dict[str, Array] = {}
    for name, fit in BASELINES.items():
        started = time.process_time()
        held_out = held_out_predictions(samples, fold, fit, seed)
        scores[name] = {
            "r2": r2_score(samples.target, held_out),
            "mae": mean_absolute_error(samples.target, held_out),
            "cpu_seconds": round(time.process_time() - started, 3),
            "gradient_cosine": None,
        }
        predictions[name.replace(" ", "_")] = held_out
        if truth is not None:
            whole = fit(samples, np.arange(len(samples.target)), seed)
            judged = _judge(whole, samples, response, truth, seed)
            if judged is not None:
                scores[name] |= {"truth": judged, "gradient_cosine": judged["cosine"]}
    return scores, predictions


def _judge(
    fitted: Fitted, samples: Samples, response: SpectralResponse, truth: Array, seed: int
) -> dict[str, Any] | None:
    """Its total gradients against the exact ones; None for a model without gradients."""
    if fitted.gradients is None:
        return None
    rows = np.random.default_rng(seed).permutation(len(truth))[:JUDGED]
    chosen = Samples(samples.spectra[rows], samples.composition[rows], samples.target[rows])
    total = total_gradient(fitted.gradients, chosen, response)
    std = fitted.spread(chosen, response) if fitted.spread is not None else None
    return compare_with_truth(total, truth[rows], std)


def held_out_predictions(samples: Samples, fold: NDArray[np.int64], fit: Fit, seed: int) -> Array:
    """Prediction (n,) of each sample by a model fitted on the other folds."""
    predicted = np.empty(len(samples.target))
    for held in range(int(fold.max()) + 1):
        inside = fold == held
        fitted = fit(samples, np.flatnonzero(~inside), seed)
        chosen = Samples(
            samples.spectra[inside], samples.composition[inside], samples.target[inside]
        )
        predicted[inside] = fitted.predict(chosen)
    return predicted


def total_gradient(gradient: Gradient, samples: Samples, response: SpectralResponse) -> Array:
    """Total gradient (n, E) along the simplex, in target units per at.%."""
    by_composition, by_spectrum = gradient(samples)
    through = response.chain(by_spectrum[None], samples.composition)[0]
    return along_simplex(by_composition + through) * PER_ATOMIC_PERCENT


def _ridge(scaled: bool) -> Fit:
    def fit(samples: Samples, rows: NDArray[np.int64], seed: int) -> Fitted:
        model = fit_kernel_ridge(samples, rows, scaled=scaled, seed=seed)
        return Fitted(model.predict, model.gradients)

    return fit


def _process(samples: Samples, rows: NDArray[np.int64], seed: int) -> Fitted:
    model = fit_gaussian_process(samples, rows, seed)
    return Fitted(model.posterior.predict, model.posterior.gradients, model.total_gradient_std)


def _forest(samples: Samples, rows: NDArray[np.int64], seed: int) -> Fitted:
    """Random forest; a tenth of the inputs is tried at each split, for they are many and alike."""

    def inputs(chosen: Samples) -> Array:
        return np.concatenate([chosen.composition, chosen.spectra], 1)

    model = RandomForestRegressor(TREES, max_features=0.1, n_jobs=1, random_state=seed)
    model.fit(inputs(samples)[rows], samples.target[rows])
    return Fitted(lambda chosen: np.asarray(model.predict(inputs(chosen))), None)


BASELINES: dict[str, Fit] = {
    "kernel ridge": _ridge(scaled=False),
    "kernel ridge, scaled": _ridge(scaled=True),
    "Gaussian process": _process,
    "random forest": _forest,
}
