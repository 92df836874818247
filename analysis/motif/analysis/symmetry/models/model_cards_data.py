"""Model cards: what a model is, how well it names groups, how invariant it is on one's own
images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.models import model_registry
from motif.analysis.symmetry.models.invariance import InvarianceMeasurement, measure, measurements
from motif.analysis.symmetry.models.model_registry import Model, select, selected

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

__all__ = [
    "Agreement",
    "Comparison",
    "InvarianceMeasurement",
    "ModelCard",
    "card",
    "cards",
    "compare",
    "measure",
    "select",
    "selected",
]  # fmt: skip

NEIGHBOURS = 10
PROBES = 500
"""Images whose neighbours two models are compared by."""


@dataclass(frozen=True)
class ModelCard:
    """One model as a list of models shows it."""

    name: str
    kind: str
    """``installed`` with the package; ``trained`` or generic ``backbone``: kept here;
    ``joined``: two of them."""
    what: str
    """One sentence."""
    selected: bool
    """Whether it is used where no model is named."""
    weights: str
    """File of the weights, empty where there is none."""
    sha256: str
    """Of that file."""
    figures: Mapping[str, float]
    """Numbers of its maker's card, such as ``accuracy_17``; dots part levels."""
    limits: Sequence[str]
    embedded: Mapping[str, int]
    """Collection -> images that have features by it."""
    measured: Sequence[InvarianceMeasurement]
    """What was measured on the workspace's own images, oldest first."""
    document: Mapping[str, Any]
    """Its maker's card whole: command, seed, hours, hardware, figures, limits."""

    def as_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        return asdict(self)


@dataclass(frozen=True)
class Agreement:
    """How far two models call the same images alike."""

    collection: str
    first: str
    second: str
    images: int
    shared: float
    """Mean share of an image's ten nearest by one that are among those by the other."""


@dataclass(frozen=True)
class Comparison:
    """Models side by side."""

    models: Sequence[str]
    figures: Mapping[str, Mapping[str, float]]
    """Figure -> model -> number, for figures at least one of them has."""
    agreements: Sequence[Agreement]

    def as_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        return asdict(self)


def cards(workspace: Workspace) -> list[ModelCard]:
    """The card of every model: installed ones first, then those kept in the workspace."""
    return [_card(workspace, one) for one in model_registry.models(workspace)]


def card(workspace: Workspace, name: str) -> ModelCard:
    """The card of one model.

    Raises:
        NotFoundError: there is no such model.
    """
    return _card(workspace, model_registry.model(workspace, name))


def compare(
    workspace: Workspace, names: Sequence[str] = (), collection: str | None = None
) -> Comparison:
    """Figures of some models, by default all, side by side, and how far they agree.

    Args:
        workspace: where the models are.
        names: which ones.
        collection: where their neighbours are compared; by default wherever two of them have
            features of the same images.

    Raises:
        NotFoundError: there is no such model or collection.
    """
    if collection is not None:
        workspace.require_collection(collection)
    chosen = [card(workspace, name) for name in names] if names else cards(workspace)
    figures: dict[str, dict[str, float]] = {}
    for one in chosen:
        for figure, value in one.figures.items():
            figures.setdefault(figure, {})[one.name] = value
        for measurement in one.measured:
            for change, value in measurement.changes.items():
                figures.setdefault(f"{measurement.collection}: {change}", {})[one.name] = value
    agreements = [
        found
        for first, second in combinations(chosen, 2)
        for place in sorted(set(first.embedded) & set(second.embedded))
        if collection in (None, place)
        and (found := _agreement(workspace, place, first.name, second.name)) is not None
    ]
    return Comparison([one.name for one in chosen], figures, agreements)


def _card(workspace: Workspace, one: Model) -> ModelCard:
    document = one.document
    return ModelCard(
        name=one.name, kind=one.kind, what=str(document.get("what", "")),
        selected=selected(workspace) == one.name,
        weights=str(one.weights or ""),
        sha256=hashlib.sha256(one.weights.read_bytes()).hexdigest() if one.weights else "",
        figures=_figures(document.get("held_out") or {}),
        limits=[str(limit) for limit in document.get("limits", ())],
        embedded=_embedded(workspace, one.name), measured=measurements(workspace, one.name),
        document=document,
    )  # fmt: skip


def _figures(document: Mapping[str, Any], before: str = "") -> dict[str, float]:
    """Numbers of a document by dotted path; tables by group stay in the document."""
    found: dict[str, float] = {}
    for key, value in document.items():
        if isinstance(value, Mapping) and not key.endswith("by_group"):
            found |= _figures(value, f"{before}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[before + key] = float(value)
    return found


def _embeddings(workspace: Workspace, name: str, collection: str | None) -> list[Derivation]:
    from motif.analysis.symmetry.embedding.embedding_results import STAGE

    return workspace.ledger.all(STAGE, collection, extractor=name)


def _embedded(workspace: Workspace, name: str) -> dict[str, int]:
    found: dict[str, set[str]] = {}
    for made in _embeddings(workspace, name, None):
        found.setdefault(made.collection, set()).update(made.inputs)
    return {collection: len(ids) for collection, ids in sorted(found.items())}


def _agreement(workspace: Workspace, collection: str, first: str, second: str) -> Agreement | None:
    one, other = (_vectors(workspace, collection, name) for name in (first, second))
    common = sorted(set(one) & set(other))
    if len(common) <= NEIGHBOURS:
        return None
    probes = np.linspace(0, len(common) - 1, min(PROBES, len(common))).astype(int)
    near = [
        _nearest(np.stack([vectors[identity] for identity in common]), probes)
        for vectors in (one, other)
    ]
    shared = [len(set(a) & set(b)) / NEIGHBOURS for a, b in zip(*near, strict=True)]
    return Agreement(collection, first, second, len(common), round(float(np.mean(shared)), 4))


def _vectors(workspace: Workspace, collection: str, name: str) -> dict[bytes, NDArray[np.float32]]:
    """Features by id of the newest way this model was used in a collection."""
    made = _embeddings(workspace, name, collection)
    found: dict[bytes, NDArray[np.float32]] = {}
    for one in made:
        if one.parameters == made[-1].parameters:
            arrays = workspace.ledger.arrays(one)
            found |= dict(zip(arrays["ids"].tolist(), arrays["vectors"], strict=True))
    return found


def _nearest(vectors: NDArray[np.float32], probes: NDArray[np.int_]) -> list[list[int]]:
    from motif.analysis.search.nearest_index import NearestIndex

    index = NearestIndex(vectors)
    return [
        [row for row in index.nearest(vectors[probe], NEIGHBOURS + 1)[0].tolist() if row != probe][
            :NEIGHBOURS
        ]
        for probe in probes.tolist()
    ]
