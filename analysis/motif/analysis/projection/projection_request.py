"""The request for a map, shared by library, command line, pages and ledger."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self

from motif.analysis.projection.umap_layout import PRESETS, UmapSettings
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation

MIN_NEIGHBORS, MAX_NEIGHBORS = 2, 200


@dataclass(frozen=True)
class ProjectionRequest:
    """Which measurements a map shows, and how they are laid out.

    Raises:
        ConfigError: a value is out of range.
    """

    collection: str
    where: str | None = None
    """Query the measurements must match; None for all."""
    parent: str | None = None
    """Id of a map; only its points are shown."""
    ids: tuple[str, ...] | None = None
    """Measurements or, on a map of tiles, tiles to show, such as a selection or the hits of a
    search; None for all."""
    name: str | None = None
    """Name of the map; None for its filter or collection."""
    preset: str = "fast"
    """``fast``, or ``published`` for 5 neighbours and a minimum distance of 0.3."""
    n_neighbors: int | None = None
    """Replaces that of the preset."""
    min_dist: float | None = None
    """Replaces that of the preset."""
    seed: int = 42
    """The same seed gives the same bits."""
    dims: int = 2
    """2 or 3 dimensions."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Factors of feature parts, as in a search."""
    by: str | None = None
    """Facet that supervises the map: measurements of one value are drawn together (UMAP's
    categorical target; numbers are cut into ten classes). Those without it are placed by their
    features alone."""
    kind: str | None = None
    """``image`` or ``spectrum``; None for what the collection has, images first."""
    features: str | None = None
    """Name of features of images, such as ``symmetry@10nm``; None for those of the parent, else
    the collection's current ones."""
    tiles: int | None = None
    """n for a map of n by n tiles of every image; None for tiles where the parent has them."""

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ConfigError(f'There is no preset "{self.preset}"; choose {" or ".join(PRESETS)}.')
        if self.dims not in (2, 3):
            raise ConfigError(f"A map has 2 or 3 dimensions, not {self.dims}.")
        settings = self.settings
        if not MIN_NEIGHBORS <= settings.n_neighbors <= MAX_NEIGHBORS:
            raise ConfigError(
                f"A map takes {MIN_NEIGHBORS} to {MAX_NEIGHBORS} neighbours, "
                f"not {settings.n_neighbors}."
            )
        if not 0 <= settings.min_dist <= 1:
            raise ConfigError(
                f"The minimum distance is a number from 0 to 1, not {settings.min_dist}."
            )
        if self.ids is not None:
            object.__setattr__(self, "ids", tuple(self.ids))

    @property
    def settings(self) -> UmapSettings:
        """Parameters of UMAP: those of the preset, as far as they are not replaced."""
        preset = PRESETS[self.preset]
        return replace(
            preset,
            n_neighbors=preset.n_neighbors if self.n_neighbors is None else self.n_neighbors,
            min_dist=preset.min_dist if self.min_dist is None else self.min_dist,
        )

    def document(self) -> dict[str, Any]:
        """All fields as JSON values."""
        document = {**asdict(self), "weights": dict(self.weights)}
        return {**document, "ids": None if self.ids is None else list(self.ids)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """A request from its JSON values; fields that are left out have their defaults.

        Raises:
            ConfigError: a field is unknown or out of range.
        """
        known = {known_field.name for known_field in fields(cls)}
        unknown = sorted(set(document) - known)
        if unknown:
            raise ConfigError(
                f"A projection request has no field {', '.join(unknown)}; "
                f"its fields are {', '.join(sorted(known))}."
            )
        return cls(**document)

    @classmethod
    def from_result(cls, result: Derivation) -> Self:
        """The request behind a map, without the ids of a selection, which are not kept."""
        parameters = result.parameters
        return cls(
            collection=result.collection,
            where=parameters["where"] or None,
            parent=parameters["parent"] or None,
            name=result.summary.get("name"),
            preset=parameters["preset"],
            n_neighbors=parameters["n_neighbors"],
            min_dist=parameters["min_dist"],
            seed=parameters["seed"],
            dims=parameters["dims"],
            weights=parameters["weights"],
            by=parameters.get("by") or None,
            kind=parameters["kind"],
            features=result.summary.get("feature_name") or None,
            tiles=parameters.get("tiles"),
        )

    def command(self) -> str:
        """The command line of this request; options at their defaults are left out.

        A selection of ids cannot be written as a command and is left out.
        """
        preset = PRESETS[self.preset]
        values = {
            "where": (self.where, None), "parent": (self.parent, None), "name": (self.name, None),
            "preset": (self.preset, "fast"),
            "neighbors": (self.n_neighbors, preset.n_neighbors),
            "min-dist": (self.min_dist, preset.min_dist), "seed": (self.seed, 42),
            "dims": (self.dims, 2), "by": (self.by, None), "features": (self.features, None),
            "tiles": (self.tiles, None),
        }  # fmt: skip
        words = ["motif", "project", self.collection]
        for option, (value, default) in values.items():
            if value is not None and value != default:
                words += [f"--{option}", str(value)]
        for part, weight in sorted(self.weights.items()):
            words += ["--weight", f"{part}={weight:g}"]
        return shlex.join(words)

    def ledger_parameters(self, tiles: int | None) -> dict[str, Any]:
        """The part of a map's ledger parameters that this request decides.

        Args:
            tiles: tiles along an edge of an image, None for whole images.
        """
        return {
            "preset": self.preset, **asdict(self.settings), "metric": "correlation",
            "seed": self.seed, "dims": self.dims, "by": self.by or "", "tiles": tiles,
        }  # fmt: skip
