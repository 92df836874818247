"""How alike two scans are pixel by pixel: correlation at the same orientation, or up to some.

Features do not tell a scan from its turned, mirrored or inverted copy. Where that matters the
nearest hits are compared as pictures: the largest normalised cross-correlation over shifts, over
the channels both have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import ConfigError

if TYPE_CHECKING:
    import xarray as xr

SIZE = 64
STEP = 15
"""Degrees between the orientations tried."""
POOL = 5
"""Nearest measurements for every hit that are compared as pictures."""
LEAST_POOL = 60
FREEDOMS = ("rotation", "mirror", "inversion")
EXACT = "exact"

Planes = Mapping[str, NDArray[np.complex128]]
"""Kind of channel -> pattern (SIZE, SIZE), of zero mean and unit length within a disc."""


def freedoms(text: str) -> frozenset[str]:
    """What may differ, from ``exact`` or words joined by commas such as ``rotation,mirror``."""
    words = [] if text.strip() == EXACT else [word.strip() for word in text.split(",")]
    unknown = [word for word in words if word not in FREEDOMS]
    if unknown:
        raise ConfigError(
            f'"{unknown[0]}" is nothing pictures may differ in; '
            f"write {EXACT}, or some of {', '.join(FREEDOMS)}."
        )
    return frozenset(words)


def planes(data: xr.DataArray) -> Planes:
    """The patterns of the known channels of an image (channel, y, x)."""
    from motif.analysis.symmetry.extractors.scan_features import SMALLEST, WEIGHTS, channel_of

    names = [str(name) for name in data.coords["channel"].values]
    units = [str(unit) for unit in data.coords["unit"].values]
    found = {}
    for kind in WEIGHTS:
        place = channel_of(names, kind)
        if place is None or min(data.shape[1:]) < SMALLEST:
            continue
        pattern = _normal(_square(_plane(np.asarray(data.values[place]), kind, units[place])))
        if pattern.any():
            found[kind] = pattern
    return found


@dataclass(frozen=True)
class PixelImage:
    """The image asked with, in every orientation allowed."""

    turned: Mapping[str, NDArray[np.complex128]]
    """Kind of channel -> transforms (orientations, SIZE, SIZE), conjugated."""
    inverted: bool

    @classmethod
    def of(cls, own: Planes, allowed: frozenset[str]) -> PixelImage:
        turned = {}
        for kind, plane in own.items():
            versions = [_turned(plane, angle) for angle in _angles("rotation" in allowed)]
            if "mirror" in allowed:
                versions += [
                    _turned(plane[:, ::-1], angle) for angle in _angles("rotation" in allowed)
                ]
            turned[kind] = np.conj(np.fft.fft2(np.stack([_normal(one) for one in versions])))
        return cls(turned, "inversion" in allowed)

    def correlation(self, other: Planes) -> float:
        """Largest correlation with `other`, from -1 to 1; NaN where no channel is common."""
        from motif.analysis.symmetry.extractors.scan_features import WEIGHTS

        shared = [kind for kind in self.turned if kind in other]
        if not shared:
            return float("nan")
        total = sum(WEIGHTS[kind] for kind in shared)
        joined = sum(
            WEIGHTS[kind] / total * np.fft.ifft2(self.turned[kind] * np.fft.fft2(other[kind])).real
            for kind in shared
        )  # fmt: skip
        return float(np.abs(joined).max() if self.inverted else np.max(joined))


def _plane(values: NDArray[np.float32], kind: str, unit: str) -> NDArray[np.complex128]:
    """One channel as numbers to correlate; phase stays on its circle."""
    from motif.analysis.symmetry.extractors.scan_features import RADIANS, clipped, flattened

    finite = np.isfinite(values)
    full = np.where(finite, values, np.median(values[finite]) if finite.any() else 0.0)
    if kind == "phase":
        return np.exp(1j * (full if unit in RADIANS else np.deg2rad(full)))
    full = full.astype(np.float64)
    return clipped(flattened(full) if kind == "height" else full).astype(np.complex128)


def _square(plane: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """The largest central square, averaged to SIZE pixels a side."""
    side = min(plane.shape)
    top, left = (plane.shape[0] - side) // 2, (plane.shape[1] - side) // 2
    edges = np.linspace(0, side, SIZE + 1)
    sums = np.zeros((side + 1, side + 1), np.complex128)
    sums[1:, 1:] = plane[top : top + side, left : left + side].cumsum(0).cumsum(1)
    from scipy.ndimage import map_coordinates

    y, x = np.meshgrid(edges, edges, indexing="ij")
    at = [map_coordinates(part, [y, x], order=1) for part in (sums.real, sums.imag)]
    corners = at[0] + 1j * at[1]
    return np.asarray(np.diff(np.diff(corners, axis=0), axis=1))


def _turned(plane: NDArray[np.complex128], angle: float) -> NDArray[np.complex128]:
    from scipy.ndimage import rotate

    if angle == 0:
        return plane
    parts = [
        rotate(part, angle, reshape=False, order=1, mode="nearest")
        for part in (plane.real, plane.imag)
    ]  # fmt: skip
    return np.asarray(parts[0] + 1j * parts[1])


def _normal(plane: NDArray[np.complex128]) -> NDArray[np.complex128]:
    window = _disc()
    centred = window * (plane - (window * plane).sum() / window.sum())
    length = np.linalg.norm(centred)
    rounding = 1e-9 * max(1.0, float(np.abs(plane).max()))
    return np.asarray(centred / length if length > rounding else np.zeros_like(centred))


@cache
def _disc() -> NDArray[np.float64]:
    """One within a disc, falling to zero at its rim: looks the same in every orientation."""
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    return np.asarray(np.clip((1 - np.hypot(x, y)) / 0.15, 0, 1))


def _angles(turning: bool) -> Sequence[float]:
    return [float(angle) for angle in range(0, 360, STEP)] if turning else [0.0]
