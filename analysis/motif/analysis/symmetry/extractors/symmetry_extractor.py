"""The default extractor: the analytic descriptor, and what the trained network makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from motif.analysis.symmetry.evidence.order import load_order, probabilities
from motif.analysis.symmetry.extractors.analytic_descriptor import (
    AnalyticDescriptor,
    centre_square,
    joined,
    measured,
)
from motif.analysis.symmetry.learning.group_network import (
    FEATURES,
    ORDER,
    SIZE,
    gather,
    load_network,
)
from motif.analysis.symmetry.patterns.aperiodic import KINDS, LATTICE
from motif.analysis.symmetry.patterns.wallpaper_groups import GROUP_NAMES
from motif.core.contracts import check_images
from motif.core.records import content_id

SHIPPED = Path(__file__).parent / "weights" / "symmetry.safetensors"
BATCH = 32
VERSION = 4
WEIGHT = 1.2
"""Length of the learned features of a perfect lattice, relative to the analytic ones, by
retrieval."""


class SymmetryExtractor:
    """Analytic and learned features side by side; see `motif.core.contracts.Extractor`.

    The learned features belong to the part ``symmetry``. They weigh as much as the image has a
    lattice (its probability times its order): what the network says of one that has none means
    little.
    """

    name = "symmetry"

    def __init__(self, weights: Path = SHIPPED) -> None:
        self._analytic = AnalyticDescriptor()
        self._network, self._order = load_network(weights), load_order(weights)
        self.fingerprint = content_id(
            self._analytic.fingerprint, weights.read_bytes(), str(VERSION), str(WEIGHT)
        )
        self.parts: Mapping[str, slice] = {
            name: slice(part.start + shift, part.stop + FEATURES)
            for (name, part), shift in zip(
                self._analytic.parts.items(), (0, FEATURES, FEATURES), strict=True
            )
        }

    def __call__(
        self, images: NDArray[np.float32], pixel_size: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Features (n, d) of images (n, height, width) whose pixels measure `pixel_size` m."""
        check_images(images, pixel_size)
        made = [
            self._batch(images[i : i + BATCH], pixel_size[i : i + BATCH])
            for i in range(0, len(images), BATCH)
        ]
        width = max(part.stop for part in self.parts.values())
        return np.concatenate(made) if made else np.empty((0, width), np.float32)

    def _batch(
        self, images: NDArray[np.float32], pixel_size: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        split = self._analytic.parts["symmetry"].stop
        with torch.inference_mode():
            piece = torch.from_numpy(np.ascontiguousarray(images))
            small, zoom = centre_square(piece)
            made = measured(small, torch.from_numpy(pixel_size).float() * zoom)
            analytic = joined(made, small)
            square, _ = centre_square(piece, SIZE)
            evidence = gather(square)
            ordered = probabilities(self._order, square, evidence, made)[:, KINDS.index(LATTICE)]
            certainty = ordered * evidence[:, ORDER].clamp(0, 1)
            found = functional.normalize(self._network.features(evidence))
            learned = WEIGHT * certainty[:, None] * found
            features: NDArray[np.float32] = torch.cat(
                [analytic[:, :split], learned, analytic[:, split:]], 1
            ).numpy()
        return features


@dataclass(frozen=True)
class Named:
    """What order an image has and, where that is a lattice, which wallpaper group."""

    kind: str
    """One of `motif.analysis.symmetry.patterns.aperiodic.KINDS`."""
    certainty: float
    """Calibrated probability of the kind."""
    group: str | None
    """None for an image without a lattice."""
    probability: float
    """Of the group, given a lattice."""


def name_groups(images: NDArray[np.float32], weights: Path = SHIPPED) -> Sequence[Named]:
    """The most probable order and wallpaper group of each image (n, height, width)."""
    network, order = load_network(weights), load_order(weights)
    with torch.inference_mode():
        square, _ = centre_square(torch.from_numpy(np.ascontiguousarray(images)), SIZE)
        evidence = gather(square)
        probability, index = torch.softmax(network(evidence), 1).max(1)
        certainty, kind = probabilities(order, square, evidence).max(1)
    return [
        Named(KINDS[k], round(c, 4), GROUP_NAMES[g] if KINDS[k] == LATTICE else None, round(p, 4))
        for k, c, g, p in zip(
            kind.tolist(), certainty.tolist(), index.tolist(), probability.tolist(), strict=True
        )
    ]
