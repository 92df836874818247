"""A small network that names the wallpaper group from evidence gathered in the lattice's frame.

Its front end is fixed: the lattice an image repeats by is estimated from the autocorrelation, the
image is averaged into one cell, and every operation a reduced cell can have is tried at every
translation (see `lattice` and `evidence`). What is learned is only how to weigh that evidence,
which takes thousands of images where a convolutional network takes millions. The input of the
last layer is the feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from motif.analysis.symmetry.evidence.lattice import autocorrelation, emphasised, estimate, windowed
from motif.analysis.symmetry.evidence.operations import INVARIANTS, invariants, settle
from motif.analysis.symmetry.patterns.wallpaper_groups import GROUP_NAMES
from motif.core.errors import ConfigError

Net = TypeVar("Net", bound=nn.Module)

SIZE = 128
"""Pixels a side of the images the network was trained on."""
EVIDENCE = INVARIANTS + 6
ORDER = INVARIANTS + 4
"""Place of the mean autocorrelation at the lattice points in the evidence."""
PIECE = 34
"""Images taken together on a processor: their autocorrelations stay in its cache."""
GROUPS = "groups."
"""Beginning of the names of this network's weights in a file."""
WIDTH = 256
FEATURES = 64


@dataclass(frozen=True)
class Inspection:
    """What is found of n images in the frames of their lattices.

    Attributes:
        evidence: (n, 37) the 31 numbers of `evidence.invariants`, and 6 on the lattice: ratio of
            its vectors, cosine of their angle, projection, area, mean autocorrelation, lead over
            the next lattice.
        basis: (n, 2, 2) reduced cell vectors in pixels, one a row, as (x, y).
    """

    evidence: Tensor
    basis: Tensor


def inspect(images: Tensor) -> Inspection:
    """Find lattices and gather the evidence of images (n, size, size)."""
    piece = PIECE if images.device.type == "cpu" else len(images)
    parts = [_inspect(part) for part in torch.split(images, max(piece, 1))]
    return Inspection(
        torch.cat([part.evidence for part in parts]), torch.cat([part.basis for part in parts])
    )


def gather(images: Tensor) -> Tensor:
    """Evidence (n, 37) of images (n, size, size), see `Inspection`."""
    return inspect(images).evidence


def _inspect(images: Tensor) -> Inspection:
    flat = windowed(images)
    lattice = estimate(autocorrelation(windowed(emphasised(images))))
    basis, factors = settle(flat, lattice.basis)
    a, b = basis[:, 0], basis[:, 1]
    length_a, length_b = a.norm(dim=1), b.norm(dim=1)
    along = (a * b).sum(1)
    shape = [
        length_a / length_b,
        along / (length_a * length_b),
        along / length_a.square(),
        torch.log2(length_a * length_b),
        lattice.order,
        lattice.margin,
    ]
    return Inspection(torch.cat([invariants(factors, basis), torch.stack(shape, 1)], 1), basis)


class GroupNetwork(nn.Module):
    """Evidence (n, 37) -> scores of the 17 groups; `features` (n, 64) is the layer before."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = nn.Buffer(torch.zeros(EVIDENCE))
        self.spread = nn.Buffer(torch.ones(EVIDENCE))
        self.body = nn.Sequential(
            nn.Linear(EVIDENCE, WIDTH), nn.GELU(),
            nn.Linear(WIDTH, WIDTH), nn.GELU(),
            nn.Linear(WIDTH, FEATURES), nn.GELU(),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, len(GROUP_NAMES))

    def features(self, evidence: Tensor) -> Tensor:
        """Penultimate features (n, 64)."""
        found: Tensor = self.body((evidence - self.centre) / self.spread)
        return found

    def forward(self, evidence: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(evidence))
        return scores


def load_network(path: Path) -> GroupNetwork:
    """The network of a safetensors file; nothing in the file is executed."""
    return filled(GroupNetwork(), path, GROUPS)


def filled(network: Net, path: Path, prefix: str) -> Net:
    """A network with the weights whose names in a safetensors file begin with `prefix`."""
    try:
        weights = load_file(path)
        network.load_state_dict(
            {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        )
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"{path} holds no weights of the symmetry network ({reason}); "
            "make some with motif train symmetry."
        ) from error
    return network.eval()
