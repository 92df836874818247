"""What can be said of an image's symmetry in words and numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from motif.analysis.symmetry.evidence import measures
from motif.analysis.symmetry.evidence.lattice import windowed
from motif.analysis.symmetry.evidence.operations import GLIDES, MIRRORS, turns_of_cell
from motif.analysis.symmetry.evidence.order import OrderNetwork, load_order, probabilities
from motif.analysis.symmetry.extractors.analytic_descriptor import centre_square
from motif.analysis.symmetry.extractors.symmetry_extractor import SHIPPED
from motif.analysis.symmetry.learning.group_network import (
    ORDER,
    SIZE,
    GroupNetwork,
    inspect,
    load_network,
)
from motif.analysis.symmetry.patterns.aperiodic import KINDS, LATTICE, NOTHING, QUASI
from motif.analysis.symmetry.patterns.wallpaper_groups import GROUP_NAMES

STRONG = 0.8
"""Correlation from which on an image is said to have a symmetry."""
_SCALES = ((1e-6, "µm"), (1e-9, "nm"))


@dataclass(frozen=True)
class Evidence:
    """How well an image survives each operation, what order it has, and what it repeats by.

    Correlations are those of the whole image with itself turned or mirrored at the best shift
    or, where there is a lattice, those of its averaged cell if they are higher; 1 is perfect.
    """

    kind: str
    """``lattice``, ``stripes``, ``8-fold``, ``10-fold`` or ``12-fold`` (quasi-crystals), or
    ``no order``."""
    certainty: float
    """Calibrated probability of the kind."""
    rotations: dict[int, float]
    """2, 3, 4 and 6 -> correlation with the image turned by a full turn over that number."""
    mirror: float
    glide: float | None
    """None without a lattice, where a glide cannot be distinguished from a mirror."""
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
    """Of the group among the 17; 0 without a lattice."""

    @property
    def fold(self) -> int:
        """Highest rotation the image survives well; 1 is none."""
        return max((k for k, value in self.rotations.items() if value >= STRONG), default=1)

    @property
    def sentence(self) -> str:
        """Such as ``4-fold 0.93, mirror 0.41, period 212 nm, no order (97%)``."""
        best = self.fold if self.fold > 1 else max(self.rotations, key=self.rotations.__getitem__)
        parts = [f"{best}-fold {self.rotations[best]:.2f}", f"mirror {self.mirror:.2f}"]
        if self.glide is not None and self.glide >= STRONG:
            parts.append(f"glide {self.glide:.2f}")
        parts += [f"period {length(self.period, self.unit)}", self.kind_in_words]
        if self.group is not None:
            parts.append(f"most like {self.group} ({self.probability:.0%})")
        return ", ".join(parts)

    @property
    def kind_in_words(self) -> str:
        """Such as ``lattice 120 nm × 212 nm at 90° (99%)`` or ``no lattice: stripes (98%)``."""
        if self.cell is not None:
            a, b, angle = self.cell
            words = f"lattice {length(a, self.unit)} × {length(b, self.unit)} at {angle:.0f}°"
        elif self.kind in QUASI:
            words = f"no lattice: {self.kind} quasi-crystal"
        else:
            words = "no order found" if self.kind == NOTHING else f"no lattice: {self.kind}"
        return f"{words} ({self.certainty:.0%})"


def describe(
    image: NDArray[np.float32], pixel_size: float | None = None, *, weights: Path = SHIPPED
) -> Evidence:
    """The symmetry evidence of one image (height, width) whose pixels measure `pixel_size` m."""
    seen = _look(torch.from_numpy(np.ascontiguousarray(image, np.float32))[None], weights)
    known = pixel_size is not None and math.isfinite(pixel_size) and pixel_size > 0
    pixel, unit = (float(pixel_size or 1), "m") if known else (1.0, "px")
    ordered = seen.kind == LATTICE
    turns, mirrors = seen.turns, [seen.mirror]
    if ordered:
        turns = [max(pair) for pair in zip(turns, turns_of_cell(seen.averaged), strict=True)]
        mirrors += [seen.averaged[i] for i in MIRRORS]
    return Evidence(
        kind=seen.kind,
        certainty=seen.certainty,
        rotations=dict(zip(measures.ROTATIONS, turns, strict=True)),
        mirror=max(mirrors),
        glide=max(seen.averaged[i] for i in GLIDES) if ordered else None,
        period=pixel * seen.period,
        unit=unit,
        order=min(max(seen.averaged[ORDER], 0.0), 1.0),
        cell=_cell(seen.basis, pixel) if ordered else None,
        group=seen.group if ordered else None,
        probability=seen.probability if ordered else 0.0,
    )


@dataclass(frozen=True)
class _Seen:
    """What is measured of one image; lengths in its own pixels."""

    kind: str
    certainty: float
    group: str
    probability: float
    averaged: list[float]
    """Evidence in the frame of the lattice."""
    turns: list[float]
    mirror: float
    period: float
    basis: torch.Tensor


def _look(plane: torch.Tensor, weights: Path) -> _Seen:
    groups, kinds = _networks(weights, weights.stat().st_mtime_ns)
    with torch.inference_mode():
        small, zoom = centre_square(plane)
        rotation, mirror = measures.survival(windowed(small))
        _, frequency = measures.radial_spectrum(windowed(small))
        square, wide = centre_square(plane, SIZE)
        found = inspect(square)
        certainty, kind = probabilities(kinds, square, found.evidence)[0].max(0)
        probability, group = torch.softmax(groups(found.evidence)[0], 0).max(0)
    return _Seen(
        KINDS[int(kind)], certainty.item(), GROUP_NAMES[int(group)], probability.item(),
        found.evidence[0].tolist(), rotation[0].tolist(), mirror.max().item(),
        zoom / frequency.item(), found.basis[0] * wide,
    )  # fmt: skip


@lru_cache(maxsize=2)
def _networks(weights: Path, changed: int) -> tuple[GroupNetwork, OrderNetwork]:
    return load_network(weights), load_order(weights)


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
