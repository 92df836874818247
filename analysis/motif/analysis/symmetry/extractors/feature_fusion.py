"""Features of several models as one: each brought to one spread, then principal components.

What brings them together (centres, spreads, axes) is fitted to the images of a collection, kept
in the ledger and used for whatever comes later, until the collection has doubled.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnsuitableDataError
from motif.core.records import content_id

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation, MeasurementRow
    from motif.core.workspace import Workspace


from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from motif.analysis.symmetry.extractors.preparation_recipe import PreparationRecipe
from motif.analysis.symmetry.extractors.scan_features import Features
from motif.analysis.symmetry.models.model_registry import extractor_of, model
from motif.core.records import canonical_json

if TYPE_CHECKING:
    from motif.core.catalog.database import MeasurementRow
    from motif.core.workspace import Workspace

Vectors: TypeAlias = NDArray[np.float32]

STAGE = "feature-fusion"
VERSION = 1
COMPONENTS = 128
SAMPLE = 8_192
"""Images the components are fitted to at most."""
FEWEST = 4
GROWN = 2
"""The components are fitted again when there are this many times as many images."""


@dataclass(frozen=True)
class Basis:
    """Brings vectors of several models into one space."""

    id: str
    """Of the result of the ledger that holds it."""
    centres: Sequence[Vectors]
    """Mean vector of each model (d_i,)."""
    spreads: Vectors
    """Root of the total variance of each model's vectors."""
    axes: Vectors
    """Orthonormal axes (sum of d_i, p)."""

    def joined(self, vectors: Sequence[Vectors]) -> Vectors:
        """One vector (n, p) for each image from those of the models (n, d_i)."""
        levelled = _levelled(vectors, self.centres, self.spreads)
        # Row by row, so that an image has the same features whatever is looked at with it.
        return np.array([row @ self.axes for row in levelled], np.float32).reshape(
            len(levelled), self.axes.shape[1]
        )


class Joined:
    """Describes scans by several models at once; see `describers.Describer`."""

    def __init__(self, makers: Sequence[Describer], basis: Basis) -> None:
        self._makers, self._basis = makers, basis
        self.dimension = basis.axes.shape[1]
        self.parts = {"joined": (0, self.dimension)}
        self.kinds: tuple[str, ...] = ()
        self.fingerprint = fingerprint([maker.fingerprint for maker in makers], basis.id)

    def __call__(self, scans: Sequence[tuple[MeasurementRow, Vectors]]) -> Vectors:
        """Feature vectors (n, d) of scans, each with its channels (channel, y, x)."""
        return self._basis.joined([maker(scans) for maker in self._makers])


def fingerprint(parts: Iterable[str], basis: str) -> str:
    """Identifies joined features by those of their parts and the basis."""
    return content_id("joined", *parts, basis, str(VERSION))


def basis_of(
    workspace: Workspace,
    collection: str,
    parts: Sequence[Mapping[str, Any]],
    vectors: Sequence[Mapping[bytes, Vectors]],
) -> Basis:
    """The basis of a collection, fitted where there is none or the collection has doubled.

    Args:
        workspace: where it is kept.
        collection: whose images.
        parts: parameters of the features of each model.
        vectors: features by id, of each model.

    Raises:
        UnsuitableDataError: too few images have features by all models.
    """
    shared = sorted(set.intersection(*(set(each) for each in vectors)))
    if len(shared) < FEWEST:
        raise UnsuitableDataError(
            f'{len(shared)} images of "{collection}" have features by every model; joining takes '
            f"{FEWEST}."
        )
    parameters = {"version": VERSION, "parts": [dict(part) for part in parts]}
    made = workspace.ledger.all(STAGE, collection, **parameters)
    if made and len(shared) < GROWN * int(made[-1].summary["images"]):
        return read_basis(workspace, made[-1])
    started = time.perf_counter()
    spaced = shared[:: max(1, -(-len(shared) // SAMPLE))]
    rows = [np.stack([each[one] for one in spaced]) for each in vectors]
    arrays, kept = _fitted(rows)
    summary = {"images": len(shared), "components": arrays["axes"].shape[1], "kept": kept}
    return read_basis(
        workspace,
        workspace.ledger.record(
            STAGE, collection, parameters, [one.decode() for one in spaced], arrays, summary,
            time.perf_counter() - started,
        ),
    )  # fmt: skip


def read_basis(workspace: Workspace, made: Derivation) -> Basis:
    """The basis a result of the ledger holds."""
    arrays = workspace.ledger.arrays(made)
    centres = np.split(arrays["centre"], np.cumsum(arrays["sizes"])[:-1])
    return Basis(made.id, centres, arrays["spreads"], arrays["axes"])


def _fitted(rows: Sequence[Vectors]) -> tuple[dict[str, NDArray[Any]], float]:
    """Arrays of a basis, and the share of the variance it keeps."""
    centres = [each.mean(0, dtype=np.float64).astype(np.float32) for each in rows]
    spreads = np.sqrt([max(float(each.var(0, dtype=np.float64).sum()), 1e-12) for each in rows])
    levelled = _levelled(rows, centres, spreads.astype(np.float32)).astype(np.float64)
    strengths, axes = np.linalg.eigh(levelled.T @ levelled)
    kept = min(COMPONENTS, len(levelled) - 1, len(strengths))
    axes = axes[:, ::-1][:, :kept]
    largest = np.abs(axes).argmax(0)
    axes = axes * np.where(axes[largest, np.arange(kept)] < 0, -1.0, 1.0)
    share = float(strengths[::-1][:kept].sum() / max(strengths.sum(), 1e-12))
    return {
        "centre": np.concatenate(centres), "sizes": np.array([len(one) for one in centres]),
        "spreads": spreads.astype(np.float32), "axes": axes.astype(np.float32),
    }, round(share, 4)  # fmt: skip


def _levelled(vectors: Sequence[Vectors], centres: Sequence[Vectors], spreads: Vectors) -> Vectors:
    """Vectors side by side (n, sum of d_i), each model's of total variance 1."""
    return np.concatenate(
        [
            (each - centre) / spread
            for each, centre, spread in zip(vectors, centres, spreads, strict=True)
        ],
        axis=1,
    ).astype(np.float32)


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


def describer(workspace: Workspace, extractor: str, recipe: PreparationRecipe) -> Describer:
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
    return describer(
        workspace, str(parameters["extractor"]), PreparationRecipe.of(parameters["recipe"])
    )


@lru_cache(maxsize=8)
def _kept(root: Path, extractor: str, recipe: str, changed: int) -> Describer:
    import json

    from motif.core.workspace import Workspace

    with Workspace.open(root) as workspace:
        return Features(
            extractor_of(workspace, extractor), PreparationRecipe.of(json.loads(recipe))
        )
