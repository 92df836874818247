"""How well a network names the groups of images it has never seen, and how steady it is."""

from __future__ import annotations

import math
import time
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from motif.analysis.symmetry.generator import generate
from motif.analysis.symmetry.groups import GROUP_NAMES
from motif.analysis.symmetry.learned import SHIPPED
from motif.analysis.symmetry.network import SIZE, GroupNetwork, gather, load_network

HELD_OUT = 2_000_000_000
"""Seeds from here on are never trained on."""
BATCH = 170
ENOUGH_CELLS = 4.0


def evaluate(
    network: GroupNetwork | None = None, *, images: int = 680, per_group: bool = False
) -> dict[str, Any]:
    """Accuracy on the fixed held-out stream: clean images, and images with scanning artefacts.

    Returns:
        ``accuracy_17`` of `images` clean images and ``accuracy_17_artefacts`` of half as many
        others, both also for at least 4 cells in view, ``invariance`` (squared feature change
        over the typical squared distance), the number of images, and on request the accuracy of
        each group.
    """
    started = time.monotonic()
    network = network or load_network(SHIPPED)
    document: dict[str, Any] = {"images": images // BATCH * BATCH, "held_out_seed": HELD_OUT}
    for key, strength, offset, count in (
        ("accuracy_17", 0.0, 0, images), ("accuracy_17_artefacts", 1.0, 500, images // 2),
    ):  # fmt: skip
        right, cells, labels = _judge(network, count, strength, HELD_OUT + offset)
        many = cells >= ENOUGH_CELLS
        document[key] = round(right.float().mean().item(), 4)
        document[f"{key}_4_cells"] = round(right[many].float().mean().item(), 4)
        if per_group:
            document[f"{key}_by_group"] = {
                name: round(right[labels == index].float().mean().item(), 3)
                for index, name in enumerate(GROUP_NAMES)
            }
    document["invariance"] = invariance(network)
    document["seconds"] = round(time.monotonic() - started, 1)
    return document


def _judge(
    network: GroupNetwork, images: int, artefacts: float, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Whether each image was named rightly, its cells in view, its label."""
    right, cells, labels = [], [], []
    with torch.inference_mode():
        for number in range(max(1, images // BATCH)):
            patterns = generate(BATCH, seed=seed + number, size=SIZE, artefacts=artefacts)
            named = network(gather(patterns.images)).argmax(1)
            right.append(named == patterns.labels)
            cells.append(patterns.cells)
            labels.append(patterns.labels)
    return torch.cat(right), torch.cat(cells), torch.cat(labels)


def invariance(network: GroupNetwork, images: int = 68) -> dict[str, float]:
    """Mean squared change of the features when an image is turned, mirrored or shifted.

    In units of the mean squared distance between two images; smaller is steadier.
    """
    margin = SIZE // 4
    with torch.inference_mode():
        patterns = generate(images, seed=HELD_OUT + 900, size=SIZE + 2 * margin, cells=(3, 15))
        wide = patterns.images
        half = (patterns.lattices.sum(1) / 2).round().long().clamp(-margin, margin)
        own = functional.normalize(network.features(gather(_cut(wide))))
        typical = 2 * own.var(0).sum()
        changed = {
            "quarter turn": _cut(torch.rot90(wide, 1, (1, 2))),
            "turn by 30 degrees": _cut(_turned(wide, 30)),
            "mirror": _cut(wide.flip(2)),
            "inversion": -_cut(wide),
            "half-cell shift": _cut(wide, half),
        }
        found = {}
        for name, after in changed.items():
            other = functional.normalize(network.features(gather(after)))
            change = (other - own).square().sum(1) / typical
            found[name] = round(change.mean().item(), 4)
        return found


def _cut(wide: Tensor, shifts: Tensor | None = None) -> Tensor:
    """Squares of `SIZE` pixels from the middle, or `shifts` (n, 2) as (x, y) beside it."""
    margin = (wide.shape[1] - SIZE) // 2
    corners = [(0, 0)] * len(wide) if shifts is None else shifts.tolist()
    return torch.stack(
        [
            image[margin + y : margin + y + SIZE, margin + x : margin + x + SIZE]
            for image, (x, y) in zip(wide, corners, strict=True)
        ]
    )


def _turned(images: Tensor, degrees: float) -> Tensor:
    """Images turned about their centre."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = torch.tensor([[c, -s, 0.0], [s, c, 0.0]]).expand(len(images), 2, 3)
    grid = functional.affine_grid(matrix, [len(images), 1, *images.shape[1:]], align_corners=True)
    return functional.grid_sample(
        images[:, None], grid, mode="bicubic", padding_mode="reflection", align_corners=True
    )[:, 0]
