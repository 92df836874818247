"""Other models on the folds of the networks, and skill against the number of samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from motif.analysis.arrays import FloatArray, IntArray
from motif.analysis.composition.datasets.composition_library import (
    PreparedLibrary,
    Samples,
    load_library,
    prepare,
    suited,
)
from motif.analysis.composition.datasets.cross_validation import (
    SamplePartition,
    make_partition,
    mean_absolute_error,
    r2_score,
)
from motif.analysis.composition.gradients.gradient_truth import compare_with_truth, true_gradient
from motif.analysis.composition.gradients.performance_gradients import (
    PER_ATOMIC_PERCENT,
    SpectralResponse,
    along_simplex,
    spectral_response,
)
from motif.analysis.composition.regression.kernel_models import (
    fit_gaussian_process,
    fit_kernel_ridge,
)
from motif.analysis.composition.regression.member_training import train
from motif.analysis.composition.regression.training_recipe import EnsembleMember, TrainingRecipe
from motif.analysis.composition.training_request import TrainingRequest
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.jobs.progress import Progress
    from motif.core.workspace import Workspace

BASELINES_STAGE = "composition-baselines"
BASELINES_VERSION = 3
TREES = 30
MAX_COMPARED = 2_000
"""Most samples whose gradients are compared with the exact ones."""
LEARNING_STAGE = "learning-curve"
LEARNING_VERSION = 1
MIN_TRAINING_SAMPLES = 10
"""Training samples of the smallest set."""
SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
COMPARED_MODEL = "kernel ridge, scaled"
"""The baseline drawn next to the networks in a learning curve."""

GradientFunction = Callable[[Samples], tuple[FloatArray, FloatArray]]
SpreadFunction = Callable[[Samples, SpectralResponse], FloatArray]


@dataclass(frozen=True)
class FittedModel:
    """A baseline fitted on some samples; `gradients` and `spread` are None where it has none."""

    predict: Callable[[Samples], FloatArray]
    gradients: GradientFunction | None
    spread: SpreadFunction | None = None
    """The model's own standard deviation (n, E) of the total gradient, target units per at.%."""


FitFunction = Callable[[Samples, IntArray, int], FittedModel]


@dataclass(frozen=True)
class LearningCurve:
    """Held-out R² by model for growing training sets."""

    samples: tuple[int, ...]
    """Training samples per fold."""
    scores: dict[str, tuple[float, ...]]


def score_baselines(workspace: Workspace, request: TrainingRequest) -> dict[str, dict[str, Any]]:
    """Scores by baseline on the folds of a request, stored in the ledger.

    Keys of each: held-out ``r2`` and ``mae``, ``cpu_seconds``, ``gradient_cosine`` and, on
    simulated libraries, ``truth`` (`compare_with_truth` of the total gradient with the exact
    one). A request without folds is scored on 5.
    """
    request = replace(request, members=1, folds=request.folds or 5)
    prepared = prepare(load_library(workspace, request.collection, request.target, request.where))
    partition = make_partition(workspace, prepared, request)
    parameters = {
        "version": BASELINES_VERSION,
        **request.ledger_parameters(prepared.target_name, partition.identity),
        "data": prepared.digest,
    }
    result = workspace.ledger.find(BASELINES_STAGE, parameters, prepared.ids)
    if result is None:
        started = time.monotonic()
        scores, predictions = _score_all(prepared, partition, true_gradient(workspace, prepared))
        result = workspace.ledger.record(
            BASELINES_STAGE,
            request.collection,
            parameters,
            prepared.ids,
            predictions,
            {"baselines": scores, **partition.summary()},
            time.monotonic() - started,
        )
    baselines: dict[str, dict[str, Any]] = result.summary["baselines"]
    return baselines


def measure_learning(
    workspace: Workspace, request: TrainingRequest, progress: Progress | None = None
) -> Derivation:
    """The learning curve of a request, stored in the ledger.

    Arrays: ``samples`` (s,) and ``scores`` (models, s) in the order of the summary's ``models``.
    The folds are those of `train_composition` for the same request.

    Raises:
        UnsuitableDataError: the library does not suit a study; the message gives the reason.
        ConfigError: the request has no folds.
    """
    started = time.monotonic()
    if request.folds == 0:
        raise ConfigError(
            "A learning curve is scored on held-out samples; request 2 folds or more."
        )
    request = replace(request, members=1)
    prepared = prepare(load_library(workspace, request.collection, request.target, request.where))
    recipe = suited(request.training_recipe, prepared)
    partition = make_partition(workspace, prepared, request)
    parameters = {
        "version": LEARNING_VERSION,
        "recipe": recipe.parameters(),
        **request.ledger_parameters(prepared.target_name, partition.identity),
        "data": prepared.digest,
    }
    known = workspace.ledger.find(LEARNING_STAGE, parameters, prepared.ids)
    if known is not None:
        return known
    if progress is not None:
        progress.expect(len(SHARES))
    curve = learning_curve(
        prepared.samples,
        replace(request.training_recipe, branches=recipe.branches),
        partition,
        on_share=None if progress is None else lambda: progress.advance(1),
    )
    summary = {
        "collection": request.collection,
        "target": prepared.target_name,
        "recipe": recipe.name,
        "folds": request.folds,
        "simulated": prepared.simulated,
        "notes": list(prepared.notes),
        "samples": list(curve.samples),
        "models": list(curve.scores),
        "r2": {name: list(scores) for name, scores in curve.scores.items()},
        **partition.summary(),
    }
    arrays = {"samples": np.array(curve.samples), "scores": np.array(list(curve.scores.values()))}
    seconds = time.monotonic() - started
    return workspace.ledger.record(
        LEARNING_STAGE, request.collection, parameters, prepared.ids, arrays, summary, seconds
    )


def learning_curve(
    samples: Samples,
    recipe: TrainingRecipe,
    partition: SamplePartition,
    *,
    shares: Sequence[float] = SHARES,
    on_share: Callable[[], None] | None = None,
) -> LearningCurve:
    """Train one member per fold on growing shares of its training rows; score held-out rows.

    Smaller training sets are subsets of larger ones. `COMPARED_MODEL` is fitted on the same
    rows. `on_share` is called after each share.
    """
    n, seed = len(samples.target), partition.first_seed
    fold, folds = partition.fold, partition.folds
    rng = np.random.default_rng(np.random.SeedSequence((seed, n)))
    training = [rng.permutation(np.flatnonzero(fold != held_out)) for held_out in range(folds)]
    members = [EnsembleMember(seed, held_out) for held_out in range(folds)]
    sizes, network_scores, compared_scores = [], [], []
    smallest = min(len(rows) for rows in training)
    for size in sorted(
        {min(max(MIN_TRAINING_SAMPLES, round(share * smallest)), smallest) for share in shares}
    ):
        rows = [order[:size] for order in training]
        ensemble = train(samples, rows, members, recipe.fitted(size))
        predicted = ensemble.predict(samples.spectra, samples.composition)
        network_scores.append(r2_score(samples.target, predicted[fold, np.arange(n)]))
        fitted = [BASELINES[COMPARED_MODEL](samples, member_rows, seed) for member_rows in rows]
        compared = np.stack([model.predict(samples) for model in fitted])
        compared_scores.append(r2_score(samples.target, compared[fold, np.arange(n)]))
        sizes.append(size)
        if on_share is not None:
            on_share()
    return LearningCurve(
        tuple(sizes), {"network": tuple(network_scores), COMPARED_MODEL: tuple(compared_scores)}
    )


def held_out_predictions(
    samples: Samples, fold: IntArray, fit: FitFunction, seed: int
) -> FloatArray:
    """Prediction (n,) of each sample by a model fitted on the other folds."""
    predicted = np.empty(len(samples.target))
    for held_out in range(int(fold.max()) + 1):
        inside = fold == held_out
        fitted = fit(samples, np.flatnonzero(~inside), seed)
        predicted[inside] = fitted.predict(_subset(samples, inside))
    return predicted


def total_gradient(
    gradient: GradientFunction, samples: Samples, response: SpectralResponse
) -> FloatArray:
    """Total gradient (n, E) along the simplex, in target units per at.%."""
    by_composition, by_spectrum = gradient(samples)
    through = response.chain(by_spectrum[None], samples.composition)[0]
    return along_simplex(by_composition + through) * PER_ATOMIC_PERCENT


def _score_all(
    prepared: PreparedLibrary, partition: SamplePartition, truth: FloatArray | None
) -> tuple[dict[str, dict[str, Any]], dict[str, FloatArray]]:
    samples = prepared.samples
    response = spectral_response(samples.spectra, samples.composition)
    fold, seed = partition.fold, partition.first_seed
    scores: dict[str, dict[str, Any]] = {}
    predictions: dict[str, FloatArray] = {}
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
            fitted = fit(samples, np.arange(len(samples.target)), seed)
            comparison = _compare_gradients(fitted, samples, response, truth, seed)
            if comparison is not None:
                scores[name] |= {"truth": comparison, "gradient_cosine": comparison["cosine"]}
    return scores, predictions


def _compare_gradients(
    fitted: FittedModel,
    samples: Samples,
    response: SpectralResponse,
    truth: FloatArray,
    seed: int,
) -> dict[str, Any] | None:
    """Total gradients against the exact ones; None for a model without gradients."""
    if fitted.gradients is None:
        return None
    rows = np.random.default_rng(seed).permutation(len(truth))[:MAX_COMPARED]
    subset = _subset(samples, rows)
    total = total_gradient(fitted.gradients, subset, response)
    std = fitted.spread(subset, response) if fitted.spread is not None else None
    return compare_with_truth(total, truth[rows], std)


def _subset(samples: Samples, rows: Any) -> Samples:
    return Samples(samples.spectra[rows], samples.composition[rows], samples.target[rows])


def _kernel_ridge(scaled: bool) -> FitFunction:
    def fit(samples: Samples, rows: IntArray, seed: int) -> FittedModel:
        model = fit_kernel_ridge(samples, rows, scaled=scaled, seed=seed)
        return FittedModel(model.predict, model.gradients)

    return fit


def _gaussian_process(samples: Samples, rows: IntArray, seed: int) -> FittedModel:
    model = fit_gaussian_process(samples, rows, seed)
    return FittedModel(model.posterior.predict, model.posterior.gradients, model.total_gradient_std)


def _random_forest(samples: Samples, rows: IntArray, seed: int) -> FittedModel:
    """Random forest; each split tries a tenth of the inputs, which are many and correlated."""

    def inputs(subset: Samples) -> FloatArray:
        return np.concatenate([subset.composition, subset.spectra], 1)

    model = RandomForestRegressor(TREES, max_features=0.1, n_jobs=1, random_state=seed)
    model.fit(inputs(samples)[rows], samples.target[rows])
    return FittedModel(lambda subset: np.asarray(model.predict(inputs(subset))), None)


BASELINES: dict[str, FitFunction] = {
    "kernel ridge": _kernel_ridge(scaled=False),
    "kernel ridge, scaled": _kernel_ridge(scaled=True),
    "Gaussian process": _gaussian_process,
    "random forest": _random_forest,
}
"""Name of each baseline -> how it is fitted on some rows of the samples, with a seed."""
