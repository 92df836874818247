"""From what the ledger says of features back to what makes them, also of images not stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.features import Features
from motif.analysis.symmetry.joining import Joined, read_basis
from motif.analysis.symmetry.recipe import Recipe
from motif.analysis.symmetry.registry import extractor_of, model
from motif.core.records import canonical_json

if TYPE_CHECKING:
    from motif.core.catalog import MeasurementRow
    from motif.core.workspace import Workspace


class Describer(Protocol):
    """Turns scans into feature vectors with named parts."""

    @property
    def fingerprint(self) -> str:
        """Identifies code, parameters and weights."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        """Named ranges of the vector."""
        ...

    @property
    def kinds(self) -> Sequence[str]:
        """Kinds of channel every part is divided into, evenly and in this order."""
        ...

    def __call__(
        self, scans: Sequence[tuple[MeasurementRow, NDArray[np.float32]]]
    ) -> NDArray[np.float32]:
        """Feature vectors (n, d) of scans, each with its channels (channel, y, x)."""
        ...


def describer(workspace: Workspace, extractor: str, recipe: Recipe) -> Describer:
    """What makes these features; kept, as loading weights takes time.

    Raises:
        NotFoundError: there is no such model.
    """
    weights = model(workspace, extractor).weights
    changed = weights.stat().st_mtime_ns if weights else 0
    return _kept(workspace.root, extractor, canonical_json(recipe.document()), changed)


def describer_of(workspace: Workspace, parameters: Mapping[str, Any]) -> Describer:
    """What made the features of a result of the ledger."""
    if "basis" in parameters:
        basis = workspace.ledger.get(str(parameters["basis"]))
        makers = [describer_of(workspace, part) for part in basis.parameters["parts"]]
        return Joined(makers, read_basis(workspace, basis))
    return describer(workspace, str(parameters["extractor"]), Recipe.of(parameters["recipe"]))


@lru_cache(maxsize=8)
def _kept(root: Path, extractor: str, recipe: str, changed: int) -> Describer:
    import json

    from motif.core.workspace import Workspace

    with Workspace.open(root) as workspace:
        return Features(extractor_of(workspace, extractor), Recipe.of(json.loads(recipe)))
