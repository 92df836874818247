"""How well a network names the groups of images it has never seen, and how invariant it is."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from motif.analysis.symmetry.evidence.order import OrderNetwork, load_order, order_evidence
from motif.analysis.symmetry.extractors.symmetry_extractor import SHIPPED
from motif.analysis.symmetry.learning.group_network import SIZE, GroupNetwork, gather, load_network
from motif.analysis.symmetry.patterns.aperiodic import KINDS, LATTICE, draw_aperiodic
from motif.analysis.symmetry.patterns.pattern_generator import generate
from motif.analysis.symmetry.patterns.wallpaper_groups import GROUP_NAMES

HELD_OUT = 2_000_000_000
"""Seeds from here on are never trained on."""
BATCH = 170
ENOUGH_CELLS = 4.0
OTHER_SEEDS = 5000
"""Images without a lattice begin here within the held-out seeds."""


def evaluate(
    network: GroupNetwork | None = None,
    order: OrderNetwork | None = None,
    *,
    images: int = 680,
    per_group: bool = False,
) -> dict[str, Any]:
    """Accuracy on the fixed held-out stream: clean images, and images with scanning artefacts.

    Returns:
        ``accuracy_17`` of `images` clean images and ``accuracy_17_artefacts`` of half as many
        others, both also for at least 4 cells in view; ``accuracy_22`` and
        ``accuracy_22_artefacts`` where the answer may also be stripes, a quasi-crystal or no
        order, each of the 22 as frequent; ``lattice_found`` and ``lattice_mistaken`` (share of
        images with and without a lattice that are said to have one, with artefacts);
        ``invariance`` (squared feature change over the typical squared distance), the number of
        images, and on request the accuracy of each group.
    """
    started = time.monotonic()
    network = network or load_network(SHIPPED)
    order = order or load_order(SHIPPED)
    document: dict[str, Any] = {"images": images // BATCH * BATCH, "held_out_seed": HELD_OUT}
    for key, strength, offset, count in (
        ("accuracy_17", 0.0, 0, images), ("accuracy_17_artefacts", 1.0, 500, images // 2),
    ):  # fmt: skip
        judged = _judge(network, order, count, strength, HELD_OUT + offset)
        right, many = judged.right, judged.cells >= ENOUGH_CELLS
        document[key] = _share(right)
        document[f"{key}_4_cells"] = _share(right[many])
        if per_group:
            document[f"{key}_by_group"] = {
                name: round(_share(right[judged.labels == index]), 3)
                for index, name in enumerate(GROUP_NAMES)
            }
        document |= _extended(judged, order, count, strength, key.replace("17", "22"), per_group)
    document["invariance"] = invariance(network)
    document["seconds"] = round(time.monotonic() - started, 1)
    return document


@dataclass(frozen=True)
class _Judged:
    """Of images with a lattice (n,): whether the group is right, whether a lattice was found."""

    right: Tensor
    found: Tensor
    cells: Tensor
    labels: Tensor


def _judge(
    network: GroupNetwork, order: OrderNetwork, images: int, artefacts: float, seed: int
) -> _Judged:
    right, found, cells, labels = [], [], [], []
    with torch.inference_mode():
        for number in range(max(1, images // BATCH)):
            patterns = generate(BATCH, seed=seed + number, size=SIZE, artefacts=artefacts)
            evidence = gather(patterns.images)
            right.append(network(evidence).argmax(1) == patterns.labels)
            kind = order(order_evidence(patterns.images, evidence)).argmax(1)
            found.append(kind == KINDS.index(LATTICE))
            cells.append(patterns.cells)
            labels.append(patterns.labels)
    return _Judged(torch.cat(right), torch.cat(found), torch.cat(cells), torch.cat(labels))


def _extended(
    judged: _Judged, order: OrderNetwork, images: int, artefacts: float, key: str, per_kind: bool
) -> dict[str, Any]:
    """Figures of the problem with 22 answers: 17 groups and the five kinds without a lattice."""
    others = len(KINDS) - 1
    said, labels = [], []
    count = max(1, round(images * others / len(GROUP_NAMES) / BATCH))
    with torch.inference_mode():
        for number in range(count):
            seed = HELD_OUT + OTHER_SEEDS + number + (count if artefacts else 0)
            drawn = draw_aperiodic(BATCH, seed=seed, size=SIZE, artefacts=artefacts)
            said.append(order(order_evidence(drawn.images, gather(drawn.images))).argmax(1))
            labels.append(drawn.labels)
    kind, truth = torch.cat(said), torch.cat(labels)
    right = kind == truth
    groups = len(GROUP_NAMES)
    document: dict[str, Any] = {
        key: round(
            (groups * _share(judged.right & judged.found) + others * _share(right))
            / (groups + others), 4,
        ),
        key.replace("accuracy_22", "lattice_found"): _share(judged.found),
        key.replace("accuracy_22", "lattice_mistaken"): _share(kind == KINDS.index(LATTICE)),
    }  # fmt: skip
    if per_kind:
        document[f"{key}_by_kind"] = {
            name: round(_share(right[truth == index]), 3)
            for index, name in enumerate(KINDS)
            if name != LATTICE
        }
    return document


def _share(of: Tensor) -> float:
    return round(of.float().mean().item(), 4)


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
    """Squares of `SIZE` pixels from the middle, or `shifts` (n, 2) as (x, y) away from it."""
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
