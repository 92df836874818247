"""Samples to learn from, and the members that learn from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WEIGHTS, SHUFFLE, DROPOUT = range(3)
"""Purposes of a member's random streams."""
GOLDEN = (math.sqrt(5) - 1) / 2
"""Its multiples, modulo 1, are spread most evenly."""


@dataclass(frozen=True)
class Member:
    """One training: its seed and the fold it never sees."""

    seed: int
    fold: int | None = None
    """Held-out fold; None trains on every sample."""

    def stream(self, step: int, purpose: int) -> np.random.SeedSequence:
        """Seed of the stream for one purpose in training step `step`."""
        held_out = 0 if self.fold is None else self.fold + 1
        return np.random.SeedSequence((self.seed, held_out), spawn_key=(step, purpose))

    @property
    def share(self) -> float:
        """Number in [0, 1) of this member; those of consecutive seeds or folds lie evenly."""
        held_out = 0 if self.fold is None else self.fold + 1
        return (self.seed + held_out) * GOLDEN % 1


@dataclass(frozen=True)
class Samples:
    """Inputs and target of n samples."""

    spectra: NDArray[np.float64]
    """(n, L) normalised intensity; L may be 0."""
    composition: NDArray[np.float64]
    """(n, E) atomic fractions."""
    target: NDArray[np.float64]
    """(n,)"""


def fold_of(n: int, folds: int, seed: int) -> NDArray[np.int64]:
    """Fold (0 … folds-1) of each of n samples: a random partition into equal parts."""
    order = np.random.default_rng(np.random.SeedSequence((seed, n, folds))).permutation(n)
    assignment = np.empty(n, np.int64)
    assignment[order] = np.arange(n) % folds
    return assignment
