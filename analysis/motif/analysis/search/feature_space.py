"""The space in which measurements of one collection are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.analysis.search.candidates import Ids, as_ids
from motif.core.errors import ConfigError
from motif.core.records import ID_LENGTH, content_id

if TYPE_CHECKING:
    import xarray as xr

Vectors: TypeAlias = NDArray[np.float32]
Rows: TypeAlias = NDArray[np.int64]
Weights: TypeAlias = Mapping[str, float]
Describe: TypeAlias = "Callable[[xr.DataArray, Mapping[str, float]], Vectors]"


@dataclass(frozen=True)
class Space:
    """Feature vectors of a collection's images or spectra, and how to describe others."""

    kind: str
    ids: Ids
    """Of the rows (n,), each once, in the order they came: measurements, or tiles of them."""
    vectors: Vectors
    """Features (n, d), finite; they may lie on disk."""
    parts: Mapping[str, slice]
    """Named ranges of the features, which cover them."""
    method: str
    """Identifies how features are made of data; equal ones compare across collections and time."""
    inputs: tuple[str, ...]
    """Ids of the derivations or measurements the vectors come from."""
    describe: Describe
    """Features (d,) of data that need not be in the collection, with its composition."""
    optional: frozenset[str] = frozenset()
    """Parts that count only when given a weight."""
    channels: Mapping[str, tuple[slice, ...]] = field(default_factory=dict)
    """Kinds of channel, and ``part.channel``: the ranges of the features that tell of it."""

    tiled: bool = False
    """Whether the rows are tiles of images."""

    @cached_property
    def key(self) -> str:
        """Identifies the vectors."""
        return content_id(self.method, *self.inputs)

    @cached_property
    def _order(self) -> Rows:
        return np.argsort(self.ids, kind="stable")

    @cached_property
    def _sorted(self) -> Ids:
        return self.ids[self._order]

    def rows(self, ids: Ids) -> Rows:
        """Rows of those `ids` that have features, in their order."""
        if not len(self.ids) or not len(ids):
            return np.empty(0, np.int64)
        places = np.searchsorted(self._sorted, ids)
        places[places == len(self.ids)] = 0
        return np.asarray(self._order[places[self._sorted[places] == ids]])

    @cached_property
    def owners(self) -> Ids:
        """Measurement of each row (n,)."""
        return self.ids.astype(f"S{ID_LENGTH}") if self.tiled else self.ids

    def belonging(self, ids: Ids) -> Rows:
        """Rows of these measurements, or of their tiles, ascending."""
        if self.tiled:
            return np.flatnonzero(np.isin(self.owners, ids))
        return np.sort(self.rows(ids))

    def row(self, measurement_id: str) -> int | None:
        """Row of one measurement; None when it has no features."""
        found = self.rows(as_ids([measurement_id]))
        return int(found[0]) if len(found) else None

    def scales(self, weights: Weights | None = None) -> NDArray[np.float32]:
        """Factor of each component (d,): a weight multiplies a squared distance.

        Args:
            weights: by part (``symmetry``), kind of channel (``phase``) or both
                (``symmetry.phase``); those that meet are multiplied.

        Raises:
            ConfigError: a name is unknown, a weight is negative or all are zero.
        """
        asked = dict(weights or {})
        unknown = sorted(set(asked) - set(self.parts) - set(self.channels))
        if unknown:
            raise ConfigError(
                f'There is no feature part "{unknown[0]}"; the parts are {", ".join(self.parts)}'
                + (f", the channels {', '.join(self._kinds)}." if self.channels else ".")
            )
        if any(not 0 <= weight < np.inf for weight in asked.values()):
            raise ConfigError("A weight is zero or a positive number; give for example texture=2.")
        scales = np.ones(self.vectors.shape[1], np.float32)
        for name, part in self.parts.items():
            weight = asked.get(name, 0.0 if name in self.optional else 1.0)
            scales[part] = np.sqrt(weight)
        for name in set(asked) & set(self.channels):
            for part in self.channels[name]:
                scales[part] *= np.sqrt(asked[name])
        if not scales.any():
            raise ConfigError("Every weight is zero; give at least one part a positive one.")
        return scales

    @property
    def _kinds(self) -> list[str]:
        return [name for name in self.channels if "." not in name]
