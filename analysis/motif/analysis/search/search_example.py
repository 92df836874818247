"""What one asks with: measurements, a region of an image, a file that is not stored, a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from motif.analysis.search.feature_space import Space, Vectors
from motif.analysis.search.pixel_comparison import PixelImage, planes
from motif.core.errors import ConfigError, NotFoundError, UnsuitableDataError

if TYPE_CHECKING:
    import xarray as xr

    from motif.core.records import FacetValue, Measurement
    from motif.core.workspace import Workspace


from typing import TYPE_CHECKING

from motif.core.errors import UnreadableFileError

if TYPE_CHECKING:
    from motif.core.records import Reading

SMALLEST = 16
"""Pixels a region needs in width and height to have a pattern."""
AWAY = 0.5
"""How far a question moves from what it should not be like, in distances between the two."""


@dataclass(frozen=True)
class Region:
    """Part of an image in pixels: `x` and `y` of its first corner, width and height."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Region:
        """Read ``x,y,w,h``."""
        try:
            x, y, width, height = (int(part) for part in text.split(","))
        except ValueError:
            raise ConfigError(
                f'"{text}" is not a region; give x,y,width,height in pixels, such as 0,0,128,128.'
            ) from None
        return cls(x, y, width, height)

    def __str__(self) -> str:
        """The inverse of `parse`."""
        return f"{self.x},{self.y},{self.width},{self.height}"

    def cut(self, data: xr.DataArray) -> xr.DataArray:
        """The region of `data` (channel, y, x)."""
        if "x" not in data.dims or "y" not in data.dims:
            raise UnsuitableDataError("Only images have regions; leave out the region.")
        high, wide = data.sizes["y"], data.sizes["x"]
        if min(self.width, self.height) < SMALLEST:
            raise ConfigError(
                f"A region of {self.width} by {self.height} pixels is too small; "
                f"take at least {SMALLEST} by {SMALLEST}."
            )
        right, bottom = self.x + self.width, self.y + self.height
        if min(self.x, self.y) < 0 or right > wide or bottom > high:
            raise ConfigError(
                f"The region ends at pixel {right},{bottom}, the image has {wide} by {high}; "
                "keep it inside."
            )
        return data.isel(y=slice(self.y, bottom), x=slice(self.x, right))


@dataclass(frozen=True)
class SearchExample:
    """Exactly one of `ids`, `file` and `vector`; `region` cuts the one image asked with."""

    ids: Sequence[str] = ()
    unlike: Sequence[str] = ()
    """Measurements the answer should lie away from."""
    file: Path | None = None
    key: str | None = None
    """Which measurement of the file; None for the first."""
    vector: Vectors | None = None
    region: Region | None = None
    _measurements: dict[str, Measurement] = field(default_factory=dict, init=False, repr=False)

    def check(self) -> None:
        """Refuse what is not one question."""
        given = [bool(self.ids), self.file is not None, self.vector is not None]
        if sum(given) != 1:
            raise ConfigError(
                "Name what to compare with: one of an id (--id), a file (--file) or a vector."
            )
        if self.region is not None and (self.vector is not None or len(self.ids) > 1):
            raise ConfigError("A region is cut from one image; give one id or one file.")

    def kind(self, workspace: Workspace) -> str | None:
        """What is compared: ``image`` or ``spectrum``; None when a vector leaves that open."""
        if self.ids:
            return workspace.measurement(self.ids[0]).kind
        return None if self.file is None else self._from_file(self.file).kind

    def vectors(self, workspace: Workspace, space: Space) -> Vectors:
        """The vector (d,) to compare with."""
        if self.vector is not None:
            return _checked(np.asarray(self.vector, np.float32), space)
        if self.file is not None:
            measurement = self._from_file(self.file)
            centre = self._described(space, measurement.data, measurement.composition)
        elif self.region is not None:
            centre = self._described(space, workspace.read(self.ids[0]), {})
        else:
            centre = _centre(workspace, space, self.ids)
        if not self.unlike:
            return centre
        away = centre - _centre(workspace, space, self.unlike)
        return np.asarray(centre + AWAY * away, np.float32)

    def facets(self) -> dict[str, FacetValue]:
        """Facets of a file asked with, as far as it tells them."""
        if self.file is None:
            return {}
        return {facet.name: facet.value for facet in self._from_file(self.file).facets}

    def picture(self, workspace: Workspace, allowed: frozenset[str]) -> PixelImage:
        """The one image asked with, to compare pixel by pixel."""
        if self.file is None and len(self.ids) != 1:
            raise ConfigError("Pictures are compared with one image; give one id or one file.")
        data = workspace.read(self.ids[0]) if self.file is None else self._from_file(self.file).data
        if "channel" not in data.dims:
            raise UnsuitableDataError(
                "Spectra have no orientation; leave out what pictures may differ in."
            )
        own = planes(data if self.region is None else self.region.cut(data))
        if not own:
            raise UnsuitableDataError(
                "This image shows no pattern in phase, amplitude or height; compare by features."
            )
        return PixelImage.of(own, allowed)

    def _described(
        self, space: Space, data: xr.DataArray, composition: Mapping[str, float]
    ) -> Vectors:
        return space.describe(data if self.region is None else self.region.cut(data), composition)

    def _from_file(self, file: Path) -> Measurement:
        if not self._measurements:
            reading = read_file(file)
            self._measurements.update({one.key: one for one in reading.measurements})
        if not self._measurements:
            raise UnsuitableDataError(f"{file} holds no measurement; choose another file.")
        if self.key is None:
            return next(iter(self._measurements.values()))
        if self.key not in self._measurements:
            keys = ", ".join(list(self._measurements)[:10])
            raise NotFoundError(f'{file} has no measurement "{self.key}"; it has {keys}.')
        return self._measurements[self.key]


def _centre(workspace: Workspace, space: Space, ids: Sequence[str]) -> Vectors:
    found = [_one(workspace, space, one) for one in ids]
    return np.asarray(np.mean(found, axis=0), np.float32)


def _one(workspace: Workspace, space: Space, measurement_id: str) -> Vectors:
    row = space.row(measurement_id)
    if row is not None:
        return np.asarray(space.vectors[row])
    # Of another collection, or taken in since the features were made.
    measurement = workspace.measurement(measurement_id)
    if measurement.kind != space.kind:
        raise UnsuitableDataError(
            f'"{measurement_id}" is of kind {measurement.kind}; '
            f"it cannot be compared with {space.kind} features."
        )
    return space.describe(workspace.read(measurement_id), measurement.composition)


def _checked(vector: Vectors, space: Space) -> Vectors:
    d = space.vectors.shape[1]
    if vector.shape != (d,) or not np.isfinite(vector).all():
        raise UnsuitableDataError(
            f"The vector has shape {vector.shape}; the features here are {d} finite numbers."
        )
    return vector


HEAD = 4096
"""Bytes a reader judges by."""


def read_file(path: Path) -> Reading:
    """What the first reader that recognises the content makes of a file.

    Raises:
        NotFoundError: there is no such file.
        UnreadableFileError: no reader knows its format, or it is damaged.
    """
    from motif.core.plugins import readers

    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise NotFoundError(f"{path} cannot be opened: {error.strerror}.") from error
    installed = readers()
    for reader in installed:
        if reader.recognises(head, path.name):
            return reader(path)
    known = ", ".join(reader.name for reader in installed)
    raise UnreadableFileError(f"{path} is of none of the formats that can be read: {known}.")
