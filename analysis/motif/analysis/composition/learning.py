"""How skill grows with the number of samples: would measuring more help?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from motif.analysis.composition.baselines import BASELINES
from motif.analysis.composition.partition import Partition, make_partition
from motif.analysis.composition.preparation import prepare, suited
from motif.analysis.composition.recipes import Recipe, recipe_named
from motif.analysis.composition.samples import Member, Samples
from motif.analysis.composition.training import train
from motif.analysis.composition.validation import r2_score
from motif.core.catalog import Derivation
from motif.core.errors import ConfigError
from motif.core.progress import Progress
from motif.core.workspace import Workspace

STAGE = "learning-curve"
VERSION = 1
FEWEST = 10
"""Training samples of the smallest set."""
SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
RIVAL = "kernel ridge, scaled"


@dataclass(frozen=True)
class LearningCurve:
    """Held-out R² by model for growing training sets."""

    samples: tuple[int, ...]
    """Training samples, about."""
    scores: dict[str, tuple[float, ...]]


def measure_learning(
    workspace: Workspace,
    collection: str,
    *,
    target: str | None = None,
    where: str | None = None,
    recipe: str | Recipe = "fast",
    folds: int = 5,
    seed: int = 0,
    stratify: bool = False,
    shuffle_index: Path | None = None,
    progress: Progress | None = None,
) -> Derivation:
    """The learning curve of a collection, kept in the ledger.

    Arrays: ``samples`` (s,) and ``scores`` (models, s) in the order of the summary's ``models``.
    Folds are those of `train_composition` with the same options.

    Raises:
        UnsuitableDataError: the library cannot carry a study; says why.
        ConfigError: an option is out of range.
    """
    started = time.monotonic()
    if folds == 0:
        raise ConfigError(
            "A learning curve is scored on held-out samples; ask for 2 folds or more."
        )
    prepared = prepare(workspace.library(collection, target, where))
    chosen = suited(recipe_named(recipe), prepared)
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
        "recipe": chosen.parameters(),
        "folds": folds,
        "partition": partition.identity,
        "seed": seed,
        "data": prepared.digest,
        **({"where": where} if where else {}),
    }
    found = workspace.ledger.find(STAGE, parameters, prepared.ids)
    if found is not None:
        return found
    if progress is not None:
        progress.expect(len(SHARES))
    named = replace(recipe_named(recipe), branches=chosen.branches)
    curve = learning_curve(
        prepared.samples,
        named,
        partition,
        reached=None if progress is None else lambda: progress.advance(1),
    )
    summary = {
        "collection": collection,
        "target": prepared.target_name,
        "recipe": chosen.name,
        "folds": folds,
        "simulated": prepared.simulated,
        "notes": list(prepared.notes),
        "samples": list(curve.samples),
        "models": list(curve.scores),
        "r2": {name: list(scores) for name, scores in curve.scores.items()},
        **partition.told(),
    }
    arrays = {"samples": np.array(curve.samples), "scores": np.array(list(curve.scores.values()))}
    seconds = time.monotonic() - started
    return workspace.ledger.record(
        STAGE, collection, parameters, prepared.ids, arrays, summary, seconds
    )


def learning_curve(
    samples: Samples,
    recipe: Recipe,
    partition: Partition,
    *,
    shares: Sequence[float] = SHARES,
    reached: Callable[[], None] | None = None,
) -> LearningCurve:
    """Train one member a fold on growing shares of its training rows; score all held-out rows.

    Smaller training sets are parts of larger ones. `RIVAL` is fitted on the same rows.
    `reached` is called after each share.
    """
    n, seed = len(samples.target), partition.first_seed
    fold, folds = partition.fold, partition.folds
    rng = np.random.default_rng(np.random.SeedSequence((seed, n)))
    training = [rng.permutation(np.flatnonzero(fold != held)) for held in range(folds)]
    members = [Member(seed, held) for held in range(folds)]
    sizes, networks, rivals = [], [], []
    least = min(len(rows) for rows in training)
    for size in sorted({min(max(FEWEST, round(share * least)), least) for share in shares}):
        rows = [chosen[:size] for chosen in training]
        ensemble = train(samples, rows, members, recipe.fitted(size))
        predicted = ensemble.predict(samples.spectra, samples.composition)
        networks.append(r2_score(samples.target, predicted[fold, np.arange(n)]))
        fitted = [BASELINES[RIVAL](samples, chosen, seed) for chosen in rows]
        other = np.stack([one.predict(samples) for one in fitted])
        rivals.append(r2_score(samples.target, other[fold, np.arange(n)]))
        sizes.append(size)
        if reached is not None:
            reached()
    return LearningCurve(tuple(sizes), {"network": tuple(networks), RIVAL: tuple(rivals)})
