"""What can be said of an image's symmetry in words and numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from motif.analysis.symmetry import measures
from motif.analysis.symmetry.descriptor import centre_square
from motif.analysis.symmetry.groups import GROUP_NAMES
from motif.analysis.symmetry.lattice import windowed
from motif.analysis.symmetry.learned import SHIPPED
from motif.analysis.symmetry.network import ORDER, SIZE, inspect, load_network

STRONG = 0.8
"""Correlation from which on an image is said to have a symmetry."""
LEAST_ORDER = 0.3
"""Order from which on an image is said to have a lattice."""
_SCALES = ((1e-6, "µm"), (1e-9, "nm"))


@dataclass(frozen=True)
class Evidence:
    """How well an image survives each operation, and what it repeats by.

    Correlations are those of the averaged cell where there is a lattice, else of the whole
    image with itself turned or mirrored at the best shift; 1 is perfect.
    """

    rotations: dict[int, float]
    """2, 3, 4 and 6 -> correlation with the image turned by a full turn over that number."""
    mirror: float
    glide: float | None
    """None without a lattice, where a glide cannot be told from a mirror."""
    period: float
    """Dominant period in metres, or in pixels where they have no size."""
    unit: str
    """``m`` or ``px``, of all lengths."""
    order: float
    """Mean autocorrelation at the points of the lattice: 0 nothing repeats, 1 a perfect crystal."""
    cell: tuple[float, float, float] | None
    """Lengths of the reduced cell and its angle in degrees; None without a lattice."""
    group: str | None
    """Most probable wallpaper group; None without a lattice."""
    probability: float
    """Of the group among the 17."""

    @property
    def fold(self) -> int:
        """Highest rotation the image survives well; 1 is none."""
        return max((k for k, value in self.rotations.items() if value >= STRONG), default=1)

    @property
    def sentence(self) -> str:
        """Such as ``4-fold 0.93, mirror 0.41, period 212 nm``, with the lattice if there is one."""
        best = self.fold if self.fold > 1 else max(self.rotations, key=self.rotations.__getitem__)
        parts = [f"{best}-fold {self.rotations[best]:.2f}", f"mirror {self.mirror:.2f}"]
        if self.glide is not None and self.glide >= STRONG:
            parts.append(f"glide {self.glide:.2f}")
        parts.append(f"period {length(self.period, self.unit)}")
        if self.cell is None or self.group is None:
            return ", ".join([*parts, "no lattice found"])
        a, b, angle = self.cell
        cell = f"{length(a, self.unit)} × {length(b, self.unit)} at {angle:.0f}°"
        return ", ".join([*parts, f"lattice {cell}", f"most like {self.group}"]) + (
            f" ({self.probability:.0%})"
        )


def describe(
    image: NDArray[np.float32], pixel_size: float | None = None, *, weights: Path = SHIPPED
) -> Evidence:
    """The symmetry evidence of one image (height, width) whose pixels measure `pixel_size` m."""
    with torch.inference_mode():
        plane = torch.from_numpy(np.ascontiguousarray(image, np.float32))[None]
        small, zoom = centre_square(plane)
        rotation, mirror = measures.survival(windowed(small))
        _, frequency = measures.radial_spectrum(windowed(small))
        square, wide = centre_square(plane, SIZE)
        found = inspect(square)
        probability, group = torch.softmax(load_network(weights)(found.evidence), 1).max(1)
    known = pixel_size is not None and math.isfinite(pixel_size) and pixel_size > 0
    pixel, unit = (float(pixel_size or 1), "m") if known else (1.0, "px")
    order = min(max(found.evidence[0, ORDER].item(), 0.0), 1.0)
    ordered = order >= LEAST_ORDER
    averaged = found.evidence[0].tolist()
    turns = averaged[:4] if ordered else rotation[0].tolist()
    return Evidence(
        rotations=dict(zip(measures.ROTATIONS, turns, strict=True)),
        mirror=max(averaged[11], averaged[13], averaged[15]) if ordered else mirror.max().item(),
        glide=max(averaged[12], averaged[14]) if ordered else None,
        period=pixel * zoom / frequency.item(),
        unit=unit,
        order=order,
        cell=_cell(found.basis[0], pixel * wide) if ordered else None,
        group=GROUP_NAMES[int(group)] if ordered else None,
        probability=probability.item(),
    )


def _cell(basis: torch.Tensor, pixel: float) -> tuple[float, float, float]:
    """Lengths of the two cell vectors (x, y) and the angle between them in degrees."""
    a, b = (math.hypot(*vector) for vector in basis.tolist())
    cosine = float(basis[0] @ basis[1]) / (a * b)
    return a * pixel, b * pixel, math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def length(value: float, unit: str) -> str:
    """``212 nm``, ``1.3 µm`` or ``14 px``."""
    if unit == "px":
        return f"{value:.3g} px"
    scale, name = next((s for s in _SCALES if value >= s[0]), _SCALES[-1])
    return f"{value / scale:.3g} {name}"
