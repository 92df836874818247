"""The request for a composition study, shared by library, command line, pages and ledger."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from motif.analysis.composition.regression.training_recipe import TrainingRecipe, recipe_named
from motif.core.errors import ConfigError
from motif.core.provenance.rebuild_commands import STRATIFIED

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation


@dataclass(frozen=True)
class TrainingRequest:
    """Which library a study learns from, and how.

    Raises:
        ConfigError: a value is out of range, or two options exclude each other.
    """

    collection: str
    target: str | None = None
    """Figure of merit; None for the first in alphabetical order."""
    where: str | None = None
    """Query the samples must match; None for all."""
    members: int = 8
    """Networks trained on every sample; their gradients are averaged."""
    recipe: str | TrainingRecipe = "fast"
    folds: int = 5
    """Parts of the cross-validation; 0 for none."""
    seed: int = 0
    """Seed of the first member and of the folds."""
    stratify: bool = False
    """Whether every composition system is spread evenly over the folds."""
    shuffle_index: Path | None = None
    """File with a permutation of the samples per line, one line per run; it decides the folds."""

    def __post_init__(self) -> None:
        if self.members < 1:
            raise ConfigError(
                f"An ensemble of {self.members} members cannot be trained; request 1 or more."
            )
        if self.folds < 0 or self.folds == 1:
            raise ConfigError(
                f"{self.folds} folds cannot be cross-validated; request 2 or more, or 0 for none."
            )
        if self.stratify and self.shuffle_index is not None:
            raise ConfigError(
                "The order file decides the folds, so they cannot be stratified too; "
                "leave out --stratify or --shuffle-index."
            )
        recipe_named(self.recipe)

    @property
    def training_recipe(self) -> TrainingRecipe:
        """The recipe itself."""
        return recipe_named(self.recipe)

    def document(self) -> dict[str, Any]:
        """All fields as JSON values."""
        document = asdict(self)
        if self.shuffle_index is not None:
            document["shuffle_index"] = str(self.shuffle_index)
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """A request from its JSON values; fields that are left out have their defaults.

        Raises:
            ConfigError: a field is unknown or out of range.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(document) - known)
        if unknown:
            raise ConfigError(
                f"A training request has no field {', '.join(unknown)}; "
                f"its fields are {', '.join(sorted(known))}."
            )
        values = dict(document)
        if isinstance(values.get("recipe"), Mapping):
            values["recipe"] = TrainingRecipe(**values["recipe"])
        if values.get("shuffle_index") is not None:
            values["shuffle_index"] = Path(values["shuffle_index"])
        return cls(**values)

    @classmethod
    def from_result(cls, result: Derivation) -> Self:
        """The request behind a study, its baselines or its learning curve.

        The order file of a study is known by its name alone.
        """
        recorded = {**result.summary, **result.parameters}
        recipe = recorded.get("recipe", "fast")
        order_file = recorded.get("shuffle_index")
        return cls(
            collection=result.collection,
            target=recorded["target"],
            where=recorded.get("where"),
            members=recorded.get("members", cls.members),
            recipe=TrainingRecipe(**recipe) if isinstance(recipe, Mapping) else recipe,
            folds=recorded["folds"],
            seed=recorded["seed"],
            stratify=str(recorded["partition"]).startswith(STRATIFIED),
            shuffle_index=None if order_file is None else Path(order_file),
        )

    def command(self) -> str:
        """The command line of this request; options at their defaults are left out."""
        words = ["motif", "train", "composition", self.collection]
        recipe = self.training_recipe.name
        values = {
            "target": self.target, "members": self.members, "recipe": recipe, "folds": self.folds,
            "seed": self.seed, "shuffle-index": self.shuffle_index, "where": self.where,
        }  # fmt: skip
        defaults = {"members": 8, "recipe": "fast", "folds": 5, "seed": 0}
        for option, value in values.items():
            if value != defaults.get(option):
                words += [f"--{option}", str(value)]
        if self.stratify:
            words.append("--stratify")
        return shlex.join(words)

    def ledger_parameters(self, target: str, partition: int | str) -> dict[str, Any]:
        """The parameters that every result of this request has in the ledger.

        Args:
            target: name of the figure of merit.
            partition: what decided the folds (`SamplePartition.identity`).
        """
        return {
            "target": target,
            "folds": self.folds,
            "partition": partition,
            "seed": self.seed,
            **({"where": self.where} if self.where else {}),
        }
