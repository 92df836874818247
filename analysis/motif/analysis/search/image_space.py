"""The space of a collection of images, or of their tiles: vectors of one way to make features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from motif.analysis.search.candidates import Ids
from motif.analysis.search.computed_cache import ComputedCache
from motif.analysis.search.feature_cache import FeatureCache
from motif.analysis.search.feature_space import Space, Vectors
from motif.core.errors import NotFoundError, UnsuitableDataError
from motif.core.records import Measurement, canonical_json, content_id

if TYPE_CHECKING:
    import xarray as xr

    from motif.core.catalog.database import Derivation, MeasurementRow
    from motif.core.workspace import Workspace


from typing import TYPE_CHECKING

from motif.analysis.search.candidates import members
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

ANY_GRID = 0

_made: ComputedCache[list[Derivation]] = ComputedCache(8)


@dataclass(frozen=True)
class Which:
    """Which features of a collection's images are meant."""

    method: str | None = None
    """As `Space.method` tells; None for those that count now."""
    features: str | None = None
    """Or by name, such as ``symmetry@10nm``."""
    tiles: int | None = None
    """None for whole images, n for tiles of n by n, 0 for tiles of any size."""


def embeddings(workspace: Workspace, collection: str, which: Which) -> list[Derivation]:
    """Results of the ledger that hold these features, oldest first.

    Raises:
        NotFoundError: there are none; names the command that makes them.
    """

    def make() -> list[Derivation]:
        if which.method is not None:
            return _of_method(workspace, collection, which)
        from motif.analysis.symmetry.embedding.embedding_results import current, named

        whole = (
            current(workspace, collection) if which.features is None
            else named(workspace, collection, which.features)
        )  # fmt: skip
        return whole if which.tiles is None else _tiles(workspace, whole[-1], which.tiles)

    key = (str(workspace.root), workspace.catalog.journal_length, collection, which)
    return _made.get(key, make)


def has_tiles(workspace: Workspace, collection: str, features: str | None = None) -> bool:
    """Whether images of the collection have tiles described as the images are."""
    try:
        return bool(embeddings(workspace, collection, Which(None, features, ANY_GRID)))
    except NotFoundError:
        return False


def _of_method(workspace: Workspace, collection: str, which: Which) -> list[Derivation]:
    from motif.analysis.symmetry.embedding.embedding_results import STAGE, TILES

    made = workspace.ledger.all(STAGE if which.tiles is None else TILES, collection)
    found = [
        one for one in made
        if _method(one) == which.method and _is_of(one, which.tiles or ANY_GRID)
    ]  # fmt: skip
    if not found:
        raise NotFoundError(
            f'The features this was made from are gone from "{collection}"; '
            f"make them with motif embed {collection}."
        )
    return found


def _tiles(workspace: Workspace, whole: Derivation, grid: int) -> list[Derivation]:
    """Tiles described as `whole` describes images."""
    from motif.analysis.symmetry.embedding.embedding_results import TILES

    made = workspace.ledger.all(TILES, whole.collection, **whole.parameters)
    found = [one for one in made if _is_of(one, grid)]
    if not found:
        size = f"{grid} by {grid} " if grid else ""
        raise NotFoundError(
            f'"{whole.collection}" has no {size}tiles with features '
            f'"{whole.parameters["features"]}"; make them with motif embed {whole.collection} '
            f"--tiles {grid or 4}."
        )
    return found


def _is_of(made: Derivation, grid: int) -> bool:
    return grid == ANY_GRID or made.parameters.get("grid") == grid


def _method(made: Derivation) -> str:
    """Tiles of any size are described alike, and comparable."""
    kept = {name: value for name, value in made.parameters.items() if name != "grid"}
    return content_id(made.stage, canonical_json(kept))


def image_space(workspace: Workspace, made: Sequence[Derivation], which: Which) -> Space:
    """The space of these embeddings, of which only those not yet cached are read."""
    from motif.analysis.symmetry.embedding.tiles import TILE_ID

    newest, method = made[-1], _method(made[-1])
    by_id = {one.id: one for one in made}
    tiled = which.tiles is not None
    name = "tiles" if tiled else "ids"

    def load(sources: Sequence[str]) -> Iterator[tuple[Ids, Vectors]]:
        for one in sources:
            arrays = workspace.ledger.arrays(by_id[one])
            yield arrays[name], arrays["vectors"]

    folder = workspace.cache / "features" / content_id(newest.collection, method, str(which.tiles))
    stored = FeatureCache(folder, TILE_ID) if tiled else FeatureCache(folder)
    ids, vectors = stored.rows(list(by_id), load, int(newest.summary["dimension"]))

    def describe(data: xr.DataArray, _: Mapping[str, float]) -> Vectors:
        return _described(workspace, newest, data)

    parts = {name: slice(*ends) for name, ends in newest.summary["parts"].items()}
    return Space(
        "image", ids, vectors, parts, method, tuple(by_id), describe,
        channels=_channels(parts, newest.summary.get("kinds", ())), tiled=tiled,
    )  # fmt: skip


def _described(workspace: Workspace, made: Derivation, data: xr.DataArray) -> Vectors:
    from motif.analysis.symmetry.extractors.feature_fusion import describer_of
    from motif.analysis.symmetry.extractors.preparation_recipe import PreparationRecipe

    make = describer_of(workspace, made.parameters)
    if make.fingerprint != made.parameters["fingerprint"]:
        raise UnsuitableDataError(
            f'The features "{made.parameters["features"]}" were made by other weights or another '
            f"version of Motif; recompute them with motif embed {made.collection}."
        )
    row = _as_row(data)
    refusal = PreparationRecipe.of(made.parameters["recipe"]).refusal(row)
    if refusal:
        raise UnsuitableDataError(
            f"These features compare images in nanometres, which this one does not allow "
            f"({refusal}); choose another image, or other features with --features."
        )
    found = np.asarray(make([(row, np.asarray(data.values, np.float32))])[0], np.float32)
    if not found.any() or not np.isfinite(found).all():
        channels = ", ".join(str(name) for name in data.coords["channel"].values)
        raise UnsuitableDataError(
            f"Nothing can be compared in this image of {channels}; choose one that shows a "
            "pattern in phase, amplitude or height."
        )
    return found


def _channels(parts: Mapping[str, slice], kinds: Sequence[str]) -> dict[str, tuple[slice, ...]]:
    """Ranges of each kind of channel: every part holds all kinds, one after the other."""
    found: dict[str, tuple[slice, ...]] = dict.fromkeys(kinds, ())
    for name, part in parts.items():
        size = (part.stop - part.start) // max(1, len(kinds))
        for place, kind in enumerate(kinds):
            own = slice(part.start + place * size, part.start + (place + 1) * size)
            found[kind] = (*found[kind], own)
            found[f"{name}.{kind}"] = (own,)
    return found


def _as_row(data: xr.DataArray) -> MeasurementRow:
    """What the catalog would know of an image that is not in it."""
    from motif.core.catalog.database import MeasurementRow
    from motif.core.store.array_layout import canonical, layout_of

    measurement = Measurement("0", "image", "", data)
    layout, _ = layout_of(measurement, canonical(measurement))
    return MeasurementRow(
        id="", record_id="", collection="", kind="image", key="0", title="", array="", row=0,
        layout=layout, composition={}, targets={}, simulated=False, live=True,
    )  # fmt: skip


_spaces: ComputedCache[Space] = ComputedCache(4)


def space_of(
    workspace: Workspace,
    collection: str,
    kind: str | None = None,
    method: str | None = None,
    *,
    features: str | None = None,
    tiles: int | None = None,
) -> Space:
    """The space of a collection's images or, where it has none or `kind` says so, spectra.

    Args:
        workspace: where they are.
        collection: which ones.
        kind: ``image`` or ``spectrum``.
        method: how their features are made, e.g. those of a map; by default those that count now.
        features: name of other features of images, such as ``symmetry@10nm``.
        tiles: None for whole images, n for their n by n tiles, 0 for tiles of any size.

    Raises:
        NotFoundError: the collection, or features of its images, do not exist.
    """
    workspace.require_collection(collection)
    kinds = workspace.catalog.collections()[collection]
    kind = kind or ("image" if "image" in kinds else "spectrum")
    if kind not in kinds:
        holds = " and ".join(f"{count} {name}s" for name, count in kinds.items())
        raise NotFoundError(f'"{collection}" holds no {kind} to compare with, only {holds}.')
    if kind == "image":
        return _image_space(workspace, collection, Which(method, features, tiles))
    if features is not None or tiles is not None:
        raise ConfigError("Spectra have one kind of features and no tiles; leave both out.")
    return _spectral_space(workspace, collection, method)


def _image_space(workspace: Workspace, collection: str, which: Which) -> Space:
    made = embeddings(workspace, collection, which)
    key = (str(workspace.root), which.tiles, *(one.id for one in made))
    return _spaces.get(key, lambda: image_space(workspace, made, which))


def _spectral_space(workspace: Workspace, collection: str, basis: str | None) -> Space:
    from motif.analysis.search.spectral_space import spectral_space

    ids = members(workspace, collection, "spectrum")
    marked = members(workspace, collection, "spectrum", "has tainted")
    key = (str(workspace.root), basis, content_id(ids.tobytes(), marked.tobytes()))
    return _spaces.get(key, lambda: spectral_space(workspace, collection, basis))
