"""One request to the similarity search, shared by library, command line and pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from motif.analysis.search.feature_space import Vectors, Weights
from motif.analysis.search.search_example import Region, SearchExample
from motif.core.errors import ConfigError

NOT_IN_DOCUMENTS = ("vector", "keep")
"""Fields that a JSON document of a request leaves out: arrays and sets of ids."""


@dataclass(frozen=True)
class SearchRequest:
    """What to search for, among which measurements, and how to rank them.

    Attributes:
        collection: what to look through.
        ids: measurements to compare with, of any collection; of several, their centre is compared.
        unlike: measurements the hits should differ from.
        file: file of any readable format to compare with; it is not stored.
        key: which measurement of the file; the first by default.
        vector: features (d,) to compare with.
        roi: region of the image to compare with, in pixels; a text ``x,y,width,height`` is parsed.
        where: query that is applied before the search, so `k` hits come when `k` match.
        k: number of hits.
        weights: factor of the squared distance of a feature part (``texture``), a kind of channel
            (``phase``) or both (``texture.phase``): 1 by default and 0 for the composition of
            spectra.
        within: largest distance of a hit.
        include_query: keep the measurements of `ids` and `unlike` among the hits.
        not_same: ``record``, ``session``, ``sample`` or another facet whose value no hit shares
            with the query.
        different: facets, such as ``material``, in which every hit differs from the query.
        diversity: 0 gives the nearest; up to 1, hits that differ more and more from each other.
        up_to: compare the nearest pixel by pixel too and rank by correlation: ``exact``, or what
            may differ of ``rotation,mirror,inversion``; by default features alone decide.
        features: name of the features of images to compare by, such as ``symmetry@10nm``; by
            default the ones in use.
        tiles: whether tiles of images are searched, with the most similar tile of each image as
            the hit; by default they are where `roi` is given and there are tiles.
        keep: measurements hits are taken from, in addition to `where`.

    Raises:
        ConfigError: not exactly one of `ids`, `file` and `vector`, or an option out of range.
    """

    collection: str
    ids: Sequence[str] = ()
    unlike: Sequence[str] = ()
    file: Path | None = None
    key: str | None = None
    vector: Vectors | None = None
    roi: Region | str | None = None
    where: str | None = None
    k: int = 20
    weights: Weights | None = None
    within: float | None = None
    include_query: bool = False
    not_same: Sequence[str] = ()
    different: Sequence[str] = ()
    diversity: float = 0.0
    up_to: str | None = None
    features: str | None = None
    tiles: bool | None = None
    keep: Collection[str] | None = None

    def __post_init__(self) -> None:
        if self.diversity and self.up_to is not None:
            raise ConfigError(
                "Hits are ranked by diversity or by correlation of pixels; leave out one of them."
            )
        if self.k < 1:
            raise ConfigError(f"A search for {self.k} hits finds nothing; ask for at least one.")
        self.example().check()

    def example(self) -> SearchExample:
        """What the hits are compared with."""
        region = Region.parse(self.roi) if isinstance(self.roi, str) else self.roi
        return SearchExample(
            tuple(self.ids), tuple(self.unlike), self.file, self.key, self.vector, region
        )

    def document(self) -> dict[str, Any]:
        """The request as JSON values; what is as by default, and arrays, are left out."""
        document: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in NOT_IN_DOCUMENTS or value == each.default:
                continue
            if isinstance(value, Region | Path):
                value = str(value)
            elif isinstance(value, Mapping):
                value = dict(value)
            elif isinstance(value, Sequence) and not isinstance(value, str):
                value = list(value)
            document[each.name] = value
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> SearchRequest:
        """The inverse of `document`; `ConfigError` names a key that is not a field."""
        known = {each.name for each in fields(cls)} - set(NOT_IN_DOCUMENTS)
        unknown = sorted(set(document) - known)
        if unknown:
            raise ConfigError(
                f'"{unknown[0]}" is not an option of a search; choose from '
                f"{', '.join(sorted(known))}."
            )
        options = dict(document)
        if "file" in options:
            options["file"] = Path(options["file"])
        return cls(**options)
