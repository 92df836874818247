"""How the members of an ensemble are trained: recipes, and the random streams of a member."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from motif.core.errors import ConfigError

Branches = Literal["both", "spectrum", "composition"]
Initialisation = Literal["truncated-normal", "lecun"]

MIN_BATCH = 16
MANY_SAMPLES = 5_000
WEIGHTS, SHUFFLE, DROPOUT = range(3)
"""Purposes of a member's random streams."""
GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
"""Its multiples modulo 1 are spread most evenly over [0, 1)."""


@dataclass(frozen=True)
class TrainingRecipe:
    """Everything that decides a member except its data and its seed."""

    name: str
    spectrum_epochs: int
    """Epochs of the spectrum branch with an output layer of its own (step 1)."""
    composition_epochs: int
    """Epochs of the composition branch with an output layer of its own (step 2)."""
    joined_epochs: int
    """Epochs of the joined network that starts from both branches (step 3)."""
    batch: int
    peak_rate: float
    """Highest learning rate of Adam."""
    schedule: Literal["constant", "one-cycle"]
    scaled: bool
    """Whether inputs are centred and divided by the mean of their standard deviations."""
    initialisation: Initialisation
    composition_width: float = 1.0
    """Scaled compositions are divided by this too: below 1 the branch can curve more."""
    dilution: float = 0.0
    """Largest curvature of composition inputs, in units of one over an element's mean fraction.
    Each member has a curvature of its own between 0 and this (`EnsembleMember.share`); 0 leaves
    fractions as they are."""
    epsilon: float = 1e-7
    """Adam's ε."""
    dropout: float = 0.25
    branches: Branches = "both"
    """Inputs used; a single branch is trained by its own step alone."""

    adaptive: bool = False
    """Whether batch and epochs follow the size of the library (`fitted`)."""

    def fitted(self, samples: int) -> TrainingRecipe:
        """The recipe for a library of that many samples.

        Small libraries get smaller batches, so that an epoch still has about ten steps. Beyond
        `MANY_SAMPLES` samples there are fewer epochs, so that the number of steps stays.
        """
        if not self.adaptive:
            return self
        share = min(1.0, MANY_SAMPLES / samples)
        return replace(
            self,
            batch=min(self.batch, max(MIN_BATCH, samples // 10)),
            spectrum_epochs=math.ceil(share * self.spectrum_epochs),
            composition_epochs=math.ceil(share * self.composition_epochs),
            joined_epochs=math.ceil(share * self.joined_epochs),
        )

    def parameters(self) -> dict[str, Any]:
        """All fields as JSON values, for the ledger."""
        return asdict(self)


PUBLISHED = TrainingRecipe(
    name="published",
    spectrum_epochs=200,
    composition_epochs=700,
    joined_epochs=400,
    batch=10,
    peak_rate=1e-3,
    schedule="constant",
    scaled=False,
    initialisation="truncated-normal",
)
"""As published by Umehara et al. (2019): 200/700/400 epochs, batches of 10, raw inputs."""

FAST = TrainingRecipe(
    name="fast",
    spectrum_epochs=15,
    composition_epochs=240,
    joined_epochs=40,
    batch=64,
    peak_rate=4e-3,
    schedule="one-cycle",
    scaled=True,
    initialisation="truncated-normal",
    composition_width=0.25,
    dilution=2.0,
    adaptive=True,
)
"""Chosen by held-out R² *and* by the angle and size of the total gradient on two simulated
libraries, because one does not predict the other (``docs/composition.md`` has the figures)."""

SMOOTH = replace(FAST, name="smooth", dilution=0.0)
"""`FAST` with fractions as they are: gradients point in better directions and are too small,
most where an element is absent."""

RECIPES = {recipe.name: recipe for recipe in (FAST, SMOOTH, PUBLISHED)}


def recipe_named(name: str | TrainingRecipe, **changes: Any) -> TrainingRecipe:
    """The recipe of that name, with fields replaced.

    Raises:
        ConfigError: there is no recipe of that name.
    """
    if isinstance(name, TrainingRecipe):
        return replace(name, **changes)
    if name not in RECIPES:
        raise ConfigError(f"There is no recipe {name!r}; choose {', '.join(RECIPES)}.")
    return replace(RECIPES[name], **changes)


@dataclass(frozen=True)
class EnsembleMember:
    """One training: its seed and the fold left out of it."""

    seed: int
    fold: int | None = None
    """Held-out fold; None for a member trained on every sample."""

    def stream(self, step: int, purpose: int) -> np.random.SeedSequence:
        """Seed of the random stream for one purpose in training step `step`."""
        return np.random.SeedSequence((self.seed, self._held_out), spawn_key=(step, purpose))

    @property
    def share(self) -> float:
        """A number in [0, 1), evenly spread over consecutive seeds or folds."""
        return (self.seed + self._held_out) * GOLDEN_RATIO % 1

    @property
    def _held_out(self) -> int:
        return 0 if self.fold is None else self.fold + 1
