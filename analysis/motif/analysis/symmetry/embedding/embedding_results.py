"""Features the ledger holds: of which images, made how, and which of them count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.embedding.tiles import tiles_of
from motif.analysis.symmetry.extractors.preparation_recipe import PreparationRecipe
from motif.analysis.symmetry.models.model_registry import selection
from motif.core.catalog.database import Derivation, MeasurementRow
from motif.core.errors import NotFoundError
from motif.core.records import canonical_json
from motif.core.workspace import Workspace

STAGE = "embedding"
TILES = "tiles"
VERSION = 2
CHUNK = 64
"""Images in one task and one ledger row."""
TILES_IN_CHUNK = 512


@dataclass(frozen=True)
class EmbeddingTask:
    """What is to be made of images: which features, of the whole or of `grid` x `grid` tiles."""

    extractor: str
    recipe: PreparationRecipe
    grid: int = 1

    @property
    def stage(self) -> str:
        return STAGE if self.grid == 1 else TILES

    @property
    def chunk(self) -> int:
        """Images in one ledger row."""
        return min(CHUNK, max(1, TILES_IN_CHUNK // self.grid**2))

    def refusal(self, row: MeasurementRow) -> str:
        """Why an image is left out; empty where it is not."""
        if self.grid > 1 and not tiles_of(row, self.grid):
            return "tiles too small"
        return self.recipe.refusal(row, self.grid)


def parameters_of(task: EmbeddingTask, fingerprint: str) -> dict[str, Any]:
    """Parameters under which the ledger keeps what a task makes."""
    parameters = {
        "extractor": task.extractor, "features": task.recipe.label(task.extractor),
        "recipe": task.recipe.document(), "fingerprint": fingerprint, "version": VERSION,
    }  # fmt: skip
    return parameters if task.grid == 1 else {**parameters, "grid": task.grid}


def embedded_ids(
    workspace: Workspace, collection: str, parameters: Mapping[str, Any], stage: str = STAGE
) -> frozenset[str]:
    """Measurements that have features made this way."""
    made = workspace.ledger.all(stage, collection, **parameters)
    return frozenset(identity for one in made for identity in one.inputs)


def current(workspace: Workspace, collection: str) -> list[Derivation]:
    """Embeddings that count where nobody says which, oldest first.

    They are of the selected model where it has any here, made the usual way where there are such
    (features that compare sizes, or weigh channels, are asked for by name), and of the way first
    used last among several: a nightly run that adds new images to each does not change which.

    Raises:
        NotFoundError: there are none; names the command that makes them.
    """
    chosen = selection(workspace)
    own = (
        workspace.ledger.all(STAGE, collection, extractor=chosen.parameters["model"])
        if chosen is not None else []
    )  # fmt: skip
    made = own or workspace.ledger.all(STAGE, collection)
    if not made:
        raise NotFoundError(
            f'"{collection}" has no embedding yet; make it with motif embed {collection}.'
        )
    made = [one for one in made if _is_usual(one)] or made
    ways = {canonical_json(dict(one.parameters)): one.parameters for one in made}
    newest = list(ways.values())[-1]
    return [one for one in made if one.parameters == newest]


def _is_usual(made: Derivation) -> bool:
    return bool(made.parameters["features"] == made.parameters["extractor"])


def named(workspace: Workspace, collection: str, features: str) -> list[Derivation]:
    """The newest embeddings of a name such as ``symmetry@10nm``, oldest first.

    Raises:
        NotFoundError: there are none; lists those there are.
    """
    everything = workspace.ledger.all(STAGE, collection)
    found = [one for one in everything if one.parameters["features"] == features]
    if not found:
        known = dict.fromkeys(str(one.parameters["features"]) for one in everything)
        holds = f"there are {', '.join(known)}" if known else "there are none yet"
        raise NotFoundError(
            f'"{collection}" has no features "{features}"; {holds}. '
            f"Make them with motif embed {collection}."
        )
    return [one for one in found if one.parameters == found[-1].parameters]


def vectors(
    workspace: Workspace, collection: str
) -> tuple[list[str], NDArray[np.float32], dict[str, tuple[int, int]]]:
    """Features of the live images of a collection, in order of id.

    Returns:
        ids (n), vectors (n, d), and the range of each named part.

    Raises:
        NotFoundError: none were computed yet; names the command.
    """
    live = {row.id for row in workspace.select(collection, kind="image")}
    found: dict[str, NDArray[np.float32]] = {}
    made = current(workspace, collection)
    for derivation in made:
        arrays = workspace.ledger.arrays(derivation)
        for identity, vector in zip(arrays["ids"], arrays["vectors"], strict=True):
            if identity.decode() in live:
                found[identity.decode()] = vector
    ids = sorted(found)
    dimension = made[-1].summary["dimension"]
    matrix = np.stack([found[one] for one in ids]) if ids else np.empty((0, dimension), np.float32)
    parts = {name: (start, stop) for name, (start, stop) in made[-1].summary["parts"].items()}
    return ids, matrix, parts


def by_id(
    workspace: Workspace, collection: str, parameters: Mapping[str, Any], grid: int = 1
) -> dict[bytes, NDArray[np.float32]]:
    """Features by id of image, or of tile where `grid` is more than 1, of one way to make them."""
    stage, name = (STAGE, "ids") if grid == 1 else (TILES, "tiles")
    exact = parameters if grid == 1 else {**parameters, "grid": grid}
    found: dict[bytes, NDArray[np.float32]] = {}
    for one in workspace.ledger.all(stage, collection, **exact):
        arrays = workspace.ledger.arrays(one)
        found |= zip(arrays[name].tolist(), arrays["vectors"], strict=True)
    return found
