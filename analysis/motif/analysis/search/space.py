"""The space in which measurements of one collection are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.analysis.search.members import Ids, as_ids
from motif.core.errors import ConfigError
from motif.core.records import content_id

if TYPE_CHECKING:
    import xarray as xr

Vectors: TypeAlias = NDArray[np.float32]
Weights: TypeAlias = Mapping[str, float]
Describe: TypeAlias = "Callable[[xr.DataArray, Mapping[str, float]], Vectors]"


@dataclass(frozen=True)
class Space:
    """Feature vectors of a collection's images or spectra, and how to describe others.

    Build it with `made`, which sorts by id and leaves out what has no finite features.
    """

    kind: str
    ids: Ids
    """Ascending (n,)."""
    vectors: Vectors
    """Features (n, d), finite."""
    parts: Mapping[str, slice]
    """Named ranges of the features."""
    optional: frozenset[str]
    """Parts that count only when given a weight."""
    method: str
    """Identifies how features are made of data; equal ones compare across collections and time."""
    inputs: tuple[str, ...]
    """Ids of the derivations or measurements the vectors come from."""
    describe: Describe
    """Features (d,) of data that need not be in the collection, with its composition."""

    @classmethod
    def made(
        cls,
        kind: str,
        ids: Ids,
        vectors: Vectors,
        parts: Mapping[str, slice],
        method: str,
        inputs: tuple[str, ...],
        describe: Describe,
        optional: frozenset[str] = frozenset(),
    ) -> Space:
        order = np.argsort(ids, kind="stable")
        finite = np.asarray(np.isfinite(vectors).all(axis=1))
        kept = order[finite[order]]
        if not np.array_equal(kept, np.arange(len(ids))):
            ids, vectors = ids[kept], vectors[kept]
        return cls(kind, ids, vectors, parts, optional, method, inputs, describe)

    @property
    def key(self) -> str:
        """Identifies the vectors."""
        return content_id(self.method, *self.inputs)

    def rows(self, ids: Ids) -> NDArray[np.int64]:
        """Rows of those `ids` that have features, ascending."""
        if not len(self.ids) or not len(ids):
            return np.empty(0, np.int64)
        places = np.searchsorted(self.ids, ids)
        places[places == len(self.ids)] = 0
        return np.unique(places[self.ids[places] == ids])

    def row(self, measurement_id: str) -> int | None:
        """Row of one measurement; None when it has no features."""
        found = self.rows(as_ids([measurement_id]))
        return int(found[0]) if len(found) else None

    def scales(self, weights: Weights | None = None) -> NDArray[np.float32]:
        """Factor of each component (d,): a part's weight multiplies its squared distance.

        Raises:
            ConfigError: a part is unknown, a weight is negative or all are zero.
        """
        asked = dict(weights or {})
        unknown = sorted(set(asked) - set(self.parts))
        if unknown:
            known = ", ".join(self.parts)
            raise ConfigError(f'There is no feature part "{unknown[0]}"; the parts are {known}.')
        if any(not 0 <= weight < np.inf for weight in asked.values()):
            raise ConfigError("A weight is zero or a positive number; give for example texture=2.")
        scales = np.ones(self.vectors.shape[1], np.float32)
        for name, part in self.parts.items():
            weight = asked.get(name, 0.0 if name in self.optional else 1.0)
            scales[part] = np.sqrt(weight)
        if not scales.any():
            raise ConfigError("Every weight is zero; give at least one part a positive one.")
        return scales
