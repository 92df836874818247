"""How well a network names the groups of images it has never seen, and how steady it is."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor

from motif.analysis.symmetry.generator import generate
from motif.analysis.symmetry.groups import GROUP_NAMES
from motif.analysis.symmetry.learned import SHIPPED
from motif.analysis.symmetry.network import SIZE, GroupNetwork, gather, load_network

HELD_OUT = 2_000_000_000
"""Seeds from here on are never trained on."""
BATCH = 170
ENOUGH_CELLS = 4.0


def evaluate(
    network: GroupNetwork | None = None, *, images: int = 1020, per_group: bool = False
) -> dict[str, Any]:
    """Accuracy on the fixed held-out stream: clean images, and images with scanning artefacts.

    Returns:
        ``accuracy_17`` (clean), ``accuracy_17_artefacts``, both also for at least 4 cells in
        view, ``invariance`` (squared feature change over the typical squared distance), the
        number of images, and on request the accuracy of each group.
    """
    started = time.monotonic()
    network = network or load_network(SHIPPED)
    document: dict[str, Any] = {"images": images // BATCH * BATCH, "held_out_seed": HELD_OUT}
    for key, strength, offset in (("accuracy_17", 0.0, 0), ("accuracy_17_artefacts", 1.0, 500)):
        right, cells, labels = _judge(network, images, strength, HELD_OUT + offset)
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
        for number in range(images // BATCH):
            patterns = generate(BATCH, seed=seed + number, size=SIZE, artefacts=artefacts)
            named = network(gather(patterns.images)).argmax(1)
            right.append(named == patterns.labels)
            cells.append(patterns.cells)
            labels.append(patterns.labels)
    return torch.cat(right), torch.cat(cells), torch.cat(labels)


def invariance(network: GroupNetwork, images: int = 170) -> dict[str, float]:
    """Median squared change of the features when an image is turned, mirrored or shifted.

    In units of the mean squared distance between two images; smaller is steadier.
    """
    with torch.inference_mode():
        patterns = generate(images, seed=HELD_OUT + 900, size=SIZE)
        own = network.features(gather(patterns.images))
        typical = 2 * own.var(0).sum()
        half = (patterns.lattices.sum(1) / 2).round().long()
        changed = {
            "quarter turn": torch.rot90(patterns.images, 1, (1, 2)),
            "mirror": patterns.images.flip(2),
            "inversion": -patterns.images,
            "shift": torch.stack(
                [
                    torch.roll(image, (int(y), int(x)), (0, 1))
                    for image, (x, y) in zip(patterns.images, half, strict=True)
                ]
            ),
        }
        return {
            name: round(
                ((network.features(gather(other)) - own).square().sum(1) / typical).median().item(),
                4,
            )
            for name, other in changed.items()
        }
