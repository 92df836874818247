"""The composition study: ensemble, cross-validation and gradients of one library."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.composition.comparison import compare_with_truth
from motif.analysis.composition.ensemble import Ensemble
from motif.analysis.composition.gradients import gradients
from motif.analysis.composition.members import Plan, train_missing
from motif.analysis.composition.network import Architecture
from motif.analysis.composition.partition import Partition, make_partition
from motif.analysis.composition.preparation import Prepared, paper_scores, prepare, suited
from motif.analysis.composition.recipes import Recipe, recipe_named
from motif.analysis.composition.response import spectral_response
from motif.analysis.composition.samples import Member
from motif.analysis.composition.truth import true_gradient
from motif.analysis.composition.validation import mean_absolute_error, r2_score
from motif.core.catalog import Derivation
from motif.core.compute import client_for
from motif.core.errors import ConfigError, UnsuitableDataError
from motif.core.progress import Progress
from motif.core.workspace import Workspace

if TYPE_CHECKING:
    from distributed import Client

STAGE = "gradients"
VERSION = 1
SMALL = 400_000_000
"""Numbers passed through the spectrum branch below which a cluster is not worth starting."""


def train_composition(
    workspace: Workspace,
    collection: str,
    *,
    target: str | None = None,
    where: str | None = None,
    members: int = 8,
    recipe: str | Recipe = "fast",
    folds: int = 5,
    seed: int = 0,
    stratify: bool = False,
    shuffle_index: Path | None = None,
    client: Client | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train an ensemble and its cross-validation, read the gradients, write all to the ledger.

    `members` networks learn from every sample, each with its own seed; their gradients are
    averaged. `folds` more each leave one fold out; the reported R² and mean absolute error are
    those of the held-out predictions (0 folds: none). Folds are random; `stratify` spreads
    every composition system over them; `shuffle_index` names a file that orders the samples of
    each run (`make_partition`). `where` leaves samples out of all
    of this. Members and gradients made before are taken from the ledger.

    Returns the summary of the gradients' ledger row with ``derivation`` and ``trained`` added.

    Raises:
        UnsuitableDataError: the library cannot carry a study; says why.
        ConfigError: an option is out of range.
    """
    started = time.monotonic()
    prepared = prepare(workspace.library(collection, target, where))
    partition = make_partition(
        workspace,
        prepared,
        folds=folds,
        seed=seed,
        members=members,
        stratify=stratify,
        shuffle_index=shuffle_index,
    )
    plan = _plan(workspace, collection, prepared, members, recipe_named(recipe), partition)
    missing = sum(plan.find(m) is None for m in plan.members)
    with _client(plan, missing, client) as chosen:
        rows = train_missing(plan, chosen, _advance(progress, len(plan.members)))
    derivation = _gradients(plan, rows, members, where or "", started)
    return {**derivation.summary, "derivation": derivation.id, "trained": missing}


def _plan(
    workspace: Workspace,
    collection: str,
    prepared: Prepared,
    members: int,
    recipe: Recipe,
    partition: Partition,
) -> Plan:
    if members < 1:
        raise ConfigError(f"An ensemble of {members} members cannot be trained; ask for 1 or more.")
    seed = partition.first_seed
    runs = [Member(seed + k) for k in range(members)]
    runs += [Member(seed, f) for f in range(partition.folds)]
    return Plan(workspace, collection, prepared, suited(recipe, prepared), tuple(runs), partition)


@contextmanager
def _client(plan: Plan, missing: int, client: Client | None) -> Iterator[Client | None]:
    """The client given, a cluster for a library worth one, or None to train right here."""
    recipe, spectra = plan.recipe, plan.prepared.samples.spectra
    work = missing * (recipe.spectrum_epochs + recipe.joined_epochs) * spectra.size
    if client is not None or missing == 0 or work < SMALL:
        yield client
        return
    with client_for(plan.workspace.config) as own:
        yield own


def _advance(progress: Progress | None, members: int) -> Callable[[float], None]:
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


def _gradients(
    plan: Plan, rows: Sequence[Derivation], members: int, where: str, started: float
) -> Derivation:
    """The ledger row of gradients made from these members."""
    ledger, partition = plan.workspace.ledger, plan.partition
    parameters = {
        "version": VERSION,
        "target": plan.prepared.target_name,
        "recipe": plan.recipe.name,
        "members": members,
        "folds": partition.folds,
        "partition": partition.identity,
        "seed": partition.first_seed,
        **({"where": where} if where else {}),
    }
    inputs = [row.id for row in rows]
    found = ledger.find(STAGE, parameters, inputs)
    if found is not None:
        return found
    arrays, summary = _assemble(plan, rows, members)
    seconds = time.monotonic() - started
    summary["seconds"] = round(seconds, 3)
    return ledger.record(STAGE, plan.collection, parameters, inputs, arrays, summary, seconds)


def _assemble(
    plan: Plan, rows: Sequence[Derivation], members: int
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and summary of the study."""
    prepared, ledger = plan.prepared, plan.workspace.ledger
    samples = prepared.samples
    ensemble = load_ensemble(plan.workspace, plan.recipe, prepared, rows[:members])
    found = gradients(ensemble, samples, spectral_response(samples.spectra, samples.composition))
    arrays: dict[str, NDArray[Any]] = {
        "ids": np.array(prepared.ids, dtype="S32"),
        "names": np.char.encode(np.array(prepared.names, dtype=str), "utf-8"),
        "elements": np.array(prepared.elements, dtype="S2"),
        "axis": prepared.axis,
        "composition": samples.composition,
        "target": samples.target,
        **_named(found),
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
        **plan.partition.told(),
    }
    if plan.partition.folds:
        held_out, fold = _held_out(plan, ledger.arrays, rows[members:])
        arrays |= {"fold": fold, "fold_prediction": held_out}
        summary["r2"] = r2_score(samples.target, held_out)
        summary["mae"] = mean_absolute_error(samples.target, held_out)
    truth = true_gradient(plan.workspace, prepared)
    if truth is not None:
        arrays["gradient_true"] = truth
        summary["truth"] = compare_with_truth(
            found.total_mean, truth, found.total_std, found.sign_agreement
        )
        summary["gradient_cosine"] = summary["truth"]["cosine"]
    return arrays, summary


@dataclass(frozen=True)
class Study:
    """A finished study as kept in the store."""

    derivation: Derivation
    arrays: Mapping[str, NDArray[Any]]
    """Read when asked for; text as bytes."""

    @property
    def elements(self) -> tuple[str, ...]:
        return tuple(name.decode() for name in self.arrays["elements"])


def load_study(workspace: Workspace, collection: str, target: str | None = None) -> Study:
    """The newest study of a collection; `NotFoundError` names the command that makes one."""
    wanted = {} if target is None else {"target": target}
    derivation = workspace.ledger.latest(STAGE, collection, **wanted)
    return Study(derivation, workspace.ledger.arrays(derivation))


def study_of(workspace: Workspace, derivation: str) -> Study:
    """The study kept under this id."""
    made = workspace.ledger.get(derivation)
    return Study(made, workspace.ledger.arrays(made))


def reload(workspace: Workspace, study: Study) -> tuple[Prepared, Ensemble]:
    """The samples and the ensemble that a study's gradients were made from.

    Raises:
        UnsuitableDataError: the library is no longer the one the study learnt from.
    """
    summary = study.derivation.summary
    collection, target = study.derivation.collection, summary["target"]
    where = study.derivation.parameters.get("where")
    prepared = prepare(workspace.library(collection, target, where))
    inputs = study.derivation.inputs[: summary["members"]]
    rows = [workspace.ledger.get(member) for member in inputs]
    if prepared.digest != rows[0].parameters["data"]:
        raise UnsuitableDataError(
            f'"{collection}" has changed since it was studied; '
            f"run motif train composition {collection} again."
        )
    recipe = Recipe(**rows[0].parameters["recipe"])
    return prepared, load_ensemble(workspace, recipe, prepared, rows)


def load_ensemble(
    workspace: Workspace, recipe: Recipe, prepared: Prepared, rows: Sequence[Derivation]
) -> Ensemble:
    """The members of these ledger rows as one ensemble."""
    architecture = Architecture(
        len(prepared.axis) if recipe.branches != "composition" else 0,
        len(prepared.elements) if recipe.branches != "spectrum" else 0,
        dropout=recipe.dropout,
    )
    return Ensemble.from_arrays(architecture, [workspace.ledger.arrays(row) for row in rows])


def units_of(prepared: Prepared) -> dict[str, str]:
    """Units of target and gradients, as shown beside them."""
    unit = prepared.target_unit or "1"
    return {
        "target": prepared.target_unit,
        "gradient_composition": f"{unit} per at.%",
        "gradient_spectrum": f"{unit} per unit of normalised intensity",
    }


def _named(found: Any) -> dict[str, NDArray[Any]]:
    """Arrays of the gradients under the names of the store; spectra in single precision."""
    values = asdict(found)
    renamed = {
        "composition": "gradient_composition",
        "total": "gradient_total",
        "spectrum": "gradient_spectrum",
    }
    arrays = {}
    for name, value in values.items():
        head, _, tail = name.rpartition("_")
        stored = f"{renamed[head]}_{tail}" if head in renamed else name
        arrays[stored] = value.astype(np.float32) if head == "spectrum" else value
    return arrays


def _held_out(
    plan: Plan,
    arrays: Callable[[Derivation], Mapping[str, NDArray[Any]]],
    rows: Sequence[Derivation],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Prediction of each sample by the member that never saw it, and its fold."""
    n = len(plan.prepared.ids)
    prediction, fold = np.full(n, np.nan), np.full(n, -1)
    for row in rows:
        held = np.ones(n, bool)
        held[plan.rows(Member(row.parameters["seed"], row.parameters["fold"]))] = False
        prediction[held] = arrays(row)["predictions"][held]
        fold[held] = row.parameters["fold"]
    return prediction, fold
