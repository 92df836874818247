"""How skill grows with the number of samples: would measuring more help?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motif.analysis.composition.baselines import BASELINES
from motif.analysis.composition.recipes import Recipe
from motif.analysis.composition.training import Member, Samples, fold_of, train
from motif.analysis.composition.validation import r2_score

SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
RIVAL = "kernel ridge, scaled"


@dataclass(frozen=True)
class LearningCurve:
    """Held-out R² by model for growing training sets."""

    samples: tuple[int, ...]
    """Training samples, about."""
    scores: dict[str, tuple[float, ...]]


def learning_curve(
    samples: Samples,
    recipe: Recipe,
    *,
    folds: int = 5,
    seed: int = 0,
    shares: Sequence[float] = SHARES,
) -> LearningCurve:
    """Train one member a fold on growing shares of its training rows; score all held-out rows.

    Smaller training sets are parts of larger ones. `RIVAL` is fitted on the same rows.
    """
    n = len(samples.target)
    fold = fold_of(n, folds, seed)
    rng = np.random.default_rng(np.random.SeedSequence((seed, n)))
    training = [rng.permutation(np.flatnonzero(fold != held)) for held in range(folds)]
    members = [Member(seed, held) for held in range(folds)]
    sizes, networks, rivals = [], [], []
    for share in shares:
        size = max(1, round(share * min(len(rows) for rows in training)))
        rows = [chosen[:size] for chosen in training]
        ensemble = train(samples, rows, members, recipe.fitted(size))
        predicted = ensemble.predict(samples.spectra, samples.composition)
        networks.append(r2_score(samples.target, predicted[fold, np.arange(n)]))
        fitted = [BASELINES[RIVAL](samples, chosen, seed) for chosen in rows]
        other = np.stack([one.predict(samples) for one in fitted])
        rivals.append(r2_score(samples.target, other[fold, np.arange(n)]))
        sizes.append(size)
    return LearningCurve(tuple(sizes), {"network": tuple(networks), RIVAL: tuple(rivals)})
