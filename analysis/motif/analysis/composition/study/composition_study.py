"""The composition study: ensemble, cross-validation and gradients of one library."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.arrays import FloatArray, IntArray, NamedArrays
from motif.analysis.composition.datasets.composition_library import (
    PreparedLibrary,
    load_library,
    paper_scores,
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
    PerformanceGradients,
    gradients,
    spectral_response,
)
from motif.analysis.composition.regression.composition_network import NetworkArchitecture
from motif.analysis.composition.regression.ensemble import NetworkEnsemble
from motif.analysis.composition.regression.training_recipe import EnsembleMember, TrainingRecipe
from motif.analysis.composition.study.ensemble_members import TrainingPlan, train_missing
from motif.analysis.composition.training_request import TrainingRequest
from motif.core.errors import UnsuitableDataError
from motif.core.jobs.compute import client_for

if TYPE_CHECKING:
    from distributed import Client

    from motif.core.catalog.database import Derivation
    from motif.core.jobs.progress import Progress
    from motif.core.workspace import Workspace

GRADIENTS_STAGE = "gradients"
GRADIENTS_VERSION = 1
MIN_CLUSTER_WORK = 400_000_000
"""Numbers passed through the spectrum branch from which starting a cluster pays off."""


@dataclass(frozen=True)
class CompositionStudy:
    """A finished study as stored."""

    derivation: Derivation
    arrays: Mapping[str, NDArray[Any]]
    """Each is read when it is first used; text as bytes."""

    @property
    def elements(self) -> tuple[str, ...]:
        return tuple(name.decode() for name in self.arrays["elements"])


def train_composition(
    workspace: Workspace,
    request: TrainingRequest,
    *,
    client: Client | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train an ensemble with cross-validation and store its gradients in the ledger.

    ``request.members`` networks learn from every sample, each with its own seed; their gradients
    are averaged. ``request.folds`` more networks each leave out one fold; the reported R² and
    mean absolute error are those of the held-out predictions. Members and gradients that are
    stored already are not computed again.

    Returns:
        The summary of the gradients' ledger row, with its id as ``derivation`` and the number of
        members trained now as ``trained``.

    Raises:
        UnsuitableDataError: the library does not suit a study; the message gives the reason.
        ConfigError: an option is out of range.
    """
    started = time.monotonic()
    prepared = prepare(load_library(workspace, request.collection, request.target, request.where))
    partition = make_partition(workspace, prepared, request)
    plan = make_plan(workspace, request, prepared, partition)
    missing = sum(plan.find(member) is None for member in plan.members)
    with _cluster(plan, missing, client) as chosen_client:
        rows = train_missing(plan, chosen_client, _progress_reporter(progress, len(plan.members)))
    derivation = _store_gradients(plan, request, rows, started)
    return {**derivation.summary, "derivation": derivation.id, "trained": missing}


def make_plan(
    workspace: Workspace,
    request: TrainingRequest,
    prepared: PreparedLibrary,
    partition: SamplePartition,
) -> TrainingPlan:
    """The members of a study: those trained on all samples, then one per fold."""
    seed = request.seed
    members = [EnsembleMember(seed + k) for k in range(request.members)]
    members += [EnsembleMember(seed, fold) for fold in range(request.folds)]
    recipe = suited(request.training_recipe, prepared)
    return TrainingPlan(workspace, request.collection, prepared, recipe, tuple(members), partition)


def load_study(
    workspace: Workspace, collection: str, target: str | None = None
) -> CompositionStudy:
    """The newest study of a collection; `NotFoundError` names the command that creates one."""
    parameters = {} if target is None else {"target": target}
    derivation = workspace.ledger.latest(GRADIENTS_STAGE, collection, **parameters)
    return CompositionStudy(derivation, workspace.ledger.arrays(derivation))


def study_of(workspace: Workspace, derivation: str) -> CompositionStudy:
    """The study stored under this id."""
    result = workspace.ledger.get(derivation)
    return CompositionStudy(result, workspace.ledger.arrays(result))


def reload(
    workspace: Workspace, study: CompositionStudy
) -> tuple[PreparedLibrary, NetworkEnsemble]:
    """The samples and the ensemble that a study's gradients were computed from.

    Raises:
        UnsuitableDataError: the library has changed since.
    """
    summary = study.derivation.summary
    collection, target = study.derivation.collection, summary["target"]
    where = study.derivation.parameters.get("where")
    prepared = prepare(load_library(workspace, collection, target, where))
    inputs = study.derivation.inputs[: summary["members"]]
    rows = [workspace.ledger.get(member) for member in inputs]
    if prepared.digest != rows[0].parameters["data"]:
        raise UnsuitableDataError(
            f'"{collection}" has changed since it was studied; '
            f"run motif train composition {collection} again."
        )
    recipe = TrainingRecipe(**rows[0].parameters["recipe"])
    return prepared, load_ensemble(workspace, recipe, prepared, rows)


def load_ensemble(
    workspace: Workspace,
    recipe: TrainingRecipe,
    prepared: PreparedLibrary,
    rows: Sequence[Derivation],
) -> NetworkEnsemble:
    """The members of these ledger rows as one ensemble."""
    architecture = NetworkArchitecture(
        len(prepared.axis) if recipe.branches != "composition" else 0,
        len(prepared.elements) if recipe.branches != "spectrum" else 0,
        dropout=recipe.dropout,
    )
    return NetworkEnsemble.from_arrays(architecture, [workspace.ledger.arrays(row) for row in rows])


def units_of(prepared: PreparedLibrary) -> dict[str, str]:
    """Units of the target and of both gradients."""
    unit = prepared.target_unit or "1"
    return {
        "target": prepared.target_unit,
        "gradient_composition": f"{unit} per at.%",
        "gradient_spectrum": f"{unit} per unit of normalised intensity",
    }


@contextmanager
def _cluster(plan: TrainingPlan, missing: int, client: Client | None) -> Iterator[Client | None]:
    """The given client, a cluster for a large library, or None to train in this process."""
    recipe, spectra = plan.recipe, plan.prepared.samples.spectra
    work = missing * (recipe.spectrum_epochs + recipe.joined_epochs) * spectra.size
    if client is not None or missing == 0 or work < MIN_CLUSTER_WORK:
        yield client
        return
    with client_for(plan.workspace.config) as own:
        yield own


def _progress_reporter(progress: Progress | None, members: int) -> Callable[[float], None]:
    """Count hundredths of a member, so that a bar moves within a group."""
    if progress is None:
        return lambda work: None
    progress.expect(members * 100)
    total = counted = 0.0

    def advance(work: float) -> None:
        nonlocal total, counted
        total += work * 100
        whole = int(total - counted)
        if whole:
            counted += whole
            progress.advance(whole)

    return advance


def _store_gradients(
    plan: TrainingPlan, request: TrainingRequest, rows: Sequence[Derivation], started: float
) -> Derivation:
    """The ledger row of the gradients of these members."""
    ledger = plan.workspace.ledger
    parameters = {
        "version": GRADIENTS_VERSION,
        "recipe": plan.recipe.name,
        "members": request.members,
        **request.ledger_parameters(plan.prepared.target_name, plan.partition.identity),
    }
    inputs = [row.id for row in rows]
    known = ledger.find(GRADIENTS_STAGE, parameters, inputs)
    if known is not None:
        return known
    arrays, summary = _assemble(plan, rows, request.members)
    seconds = time.monotonic() - started
    summary["seconds"] = round(seconds, 3)
    return ledger.record(
        GRADIENTS_STAGE, plan.collection, parameters, inputs, arrays, summary, seconds
    )


def _assemble(
    plan: TrainingPlan, rows: Sequence[Derivation], members: int
) -> tuple[NamedArrays, dict[str, Any]]:
    """Arrays and summary of the study."""
    prepared = plan.prepared
    samples = prepared.samples
    ensemble = load_ensemble(plan.workspace, plan.recipe, prepared, rows[:members])
    response = spectral_response(samples.spectra, samples.composition)
    computed = gradients(ensemble, samples, response)
    arrays: NamedArrays = {
        "ids": np.array(prepared.ids, dtype="S32"),
        "names": np.char.encode(np.array(prepared.names, dtype=str), "utf-8"),
        "elements": np.array(prepared.elements, dtype="S2"),
        "axis": prepared.axis,
        "composition": samples.composition,
        "target": samples.target,
        **_stored_arrays(computed),
    }
    if ensemble.architecture.elements:
        weights = ensemble.parameters["composition.0.weight"]
        arrays["first_layer_weights"] = weights.numpy()
    summary: dict[str, Any] = {
        "collection": plan.collection,
        "target": prepared.target_name,
        "samples": len(prepared.ids),
        "members": members,
        "folds": plan.partition.folds,
        "recipe": plan.recipe.name,
        "r2": None,
        "mae": None,
        "paper_r2": paper_scores(prepared),
        "units": units_of(prepared),
        "simulated": prepared.simulated,
        "notes": list(prepared.notes),
        "gradient_cosine": None,
        "truth": None,
        **plan.partition.summary(),
    }
    if plan.partition.folds:
        held_out, fold = _held_out(plan, rows[members:])
        arrays |= {"fold": fold, "fold_prediction": held_out}
        summary["r2"] = r2_score(samples.target, held_out)
        summary["mae"] = mean_absolute_error(samples.target, held_out)
    truth = true_gradient(plan.workspace, prepared)
    if truth is not None:
        arrays["gradient_true"] = truth
        summary["truth"] = compare_with_truth(
            computed.total_mean, truth, computed.total_std, computed.sign_agreement
        )
        summary["gradient_cosine"] = summary["truth"]["cosine"]
    return arrays, summary


def _stored_arrays(computed: PerformanceGradients) -> NamedArrays:
    """Arrays of the gradients by their names in the store; spectra in single precision."""
    renamed = {
        "composition": "gradient_composition",
        "total": "gradient_total",
        "spectrum": "gradient_spectrum",
    }
    arrays: NamedArrays = {}
    for name, value in asdict(computed).items():
        quantity, _, statistic = name.rpartition("_")
        stored = f"{renamed[quantity]}_{statistic}" if quantity in renamed else name
        arrays[stored] = value.astype(np.float32) if quantity == "spectrum" else value
    return arrays


def _held_out(plan: TrainingPlan, rows: Sequence[Derivation]) -> tuple[FloatArray, IntArray]:
    """Prediction of each sample by the member that was not trained on it, and its fold."""
    n = len(plan.prepared.ids)
    prediction, fold = np.full(n, np.nan), np.full(n, -1)
    for row in rows:
        held_out = np.ones(n, bool)
        member = EnsembleMember(row.parameters["seed"], row.parameters["fold"])
        held_out[plan.rows(member)] = False
        prediction[held_out] = plan.workspace.ledger.arrays(row)["predictions"][held_out]
        fold[held_out] = row.parameters["fold"]
    return prediction, fold
