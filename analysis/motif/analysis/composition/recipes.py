"""How an ensemble is trained: the paper's recipe and fast ones."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from motif.analysis.composition.network import Initialisation
from motif.core.errors import ConfigError

SMALLEST_BATCH = 16
PLENTY = 5_000

Branches = Literal["both", "spectrum", "composition"]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a member besides its data and its seed."""

    name: str
    spectrum_epochs: int
    """Epochs of the spectrum branch with a head of its own (step 1)."""
    composition_epochs: int
    """Epochs of the composition branch with a head of its own (step 2)."""
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
    """Scaled compositions are divided by this too: below 1 the branch bends more readily."""
    dilution: float = 0.0
    """Greatest bend of compositions, in units of one over an element's mean fraction. Each member
    takes a bend of its own between 0 and this (`Member.share`), 0 leaves fractions as they are."""
    epsilon: float = 1e-7
    """Adam's ε."""
    dropout: float = 0.25
    branches: Branches = "both"
    """Inputs used; a single branch is trained by its own step alone."""

    adaptive: bool = False
    """Whether batch and epochs follow the size of the library (`fitted`)."""

    def fitted(self, samples: int) -> Recipe:
        """The recipe for a library of that many samples.

        Small libraries get smaller batches, so that an epoch still is some ten steps; beyond
        `PLENTY` samples epochs get fewer, so that the number of steps stays.
        """
        if not self.adaptive:
            return self
        share = min(1.0, PLENTY / samples)
        return replace(
            self,
            batch=min(self.batch, max(SMALLEST_BATCH, samples // 10)),
            spectrum_epochs=math.ceil(share * self.spectrum_epochs),
            composition_epochs=math.ceil(share * self.composition_epochs),
            joined_epochs=math.ceil(share * self.joined_epochs),
        )

    def parameters(self) -> dict[str, Any]:
        """All fields as JSON values, for the ledger."""
        return asdict(self)


PUBLISHED = Recipe(
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
"""Umehara et al. (2019) to the letter: 200/700/400 epochs, batches of 10, raw inputs."""

FAST = Recipe(
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
libraries, for one does not predict the other (``docs/composition.md`` has the figures)."""

SMOOTH = replace(FAST, name="smooth", dilution=0.0)
"""`FAST` with fractions as they are: gradients point better and come out too small, most where an
element is absent."""

RECIPES = {recipe.name: recipe for recipe in (FAST, SMOOTH, PUBLISHED)}


def recipe_named(name: str | Recipe, **changes: Any) -> Recipe:
    """The recipe of that name, with fields replaced.

    Raises:
        ConfigError: no recipe has that name.
    """
    if isinstance(name, Recipe):
        return replace(name, **changes)
    if name not in RECIPES:
        raise ConfigError(f"There is no recipe {name!r}; choose {', '.join(RECIPES)}.")
    return replace(RECIPES[name], **changes)
