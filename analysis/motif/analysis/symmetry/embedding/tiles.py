"""An image cut into tiles, each described by itself, so that a region can be found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.extractors.preparation_recipe import aspect
from motif.core.errors import ConfigError, NotFoundError
from motif.core.records import ID_LENGTH

if TYPE_CHECKING:
    from motif.core.catalog.database import MeasurementRow

GRIDS = range(2, 17)
"""Tiles along each edge."""
SMALLEST = 16
"""Pixels a tile needs in width and height to have a pattern."""
TILE_ID = ID_LENGTH + len("-04-01-02")
"""Length of a tile's id: that of its measurement, tiles along an edge, row and column."""

PATTERN = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}(-\d\d){{3}}")


@dataclass(frozen=True)
class Tile:
    """One of `grid` by `grid` tiles of an image, in `row` and `column` counted from 0."""

    measurement: str
    grid: int
    row: int
    column: int

    @property
    def id(self) -> str:
        """Names the tile: ``<measurement>-04-01-02``."""
        return f"{self.measurement}-{self.grid:02d}-{self.row:02d}-{self.column:02d}"

    @classmethod
    def of(cls, tile_id: str) -> Self:
        """The tile of this id.

        Raises:
            NotFoundError: no tile can have this id.
        """
        if not PATTERN.fullmatch(tile_id):
            raise NotFoundError(
                f'"{tile_id}" names no tile; their ids end as -04-01-02 does: tiles along an edge, '
                "row and column."
            )
        measurement, grid, row, column = tile_id.split("-")
        return cls(measurement, int(grid), int(row), int(column))

    def box(self, shape: Sequence[int]) -> tuple[int, int, int, int]:
        """First column, first row, width and height in pixels of an image (..., y, x)."""
        height, width = shape[-2:]
        top, bottom = (place * height // self.grid for place in (self.row, self.row + 1))
        left, right = (place * width // self.grid for place in (self.column, self.column + 1))
        return left, top, right - left, bottom - top

    def cut(self, frame: NDArray[Any]) -> NDArray[Any]:
        """The tile of an image (..., y, x)."""
        x, y, width, height = self.box(frame.shape)
        return frame[..., y : y + height, x : x + width]


def checked(grid: int) -> int:
    """`grid` where that many tiles along an edge are possible."""
    if grid not in GRIDS:
        raise ConfigError(
            f"An image has {GRIDS[0]} to {GRIDS[-1]} tiles along an edge, not {grid}."
        )
    return grid


def tiles_of(row: MeasurementRow, grid: int) -> list[Tile]:
    """The tiles of an image, row by row; none where they would be too small."""
    if grid not in GRIDS or min(row.shape[-2:]) // grid < SMALLEST:
        return []
    return [Tile(row.id, grid, place // grid, place % grid) for place in range(grid * grid)]


def boxes_nm(rows: Sequence[MeasurementRow], tiles: Sequence[Tile]) -> NDArray[np.float64]:
    """Left, top, width and height of tiles (n, 4) in nm; NaN where pixels have no size."""
    by_id = {row.id: row for row in rows}
    found = np.full((len(tiles), 4), np.nan)
    for place, tile in enumerate(tiles):
        row = by_id[tile.measurement]
        if row.pixel_size is not None:
            width = abs(row.pixel_size) * 1e9
            x, y, across, down = tile.box(row.shape)
            found[place] = np.array([x, y * aspect(row), across, down * aspect(row)]) * width
    return found
