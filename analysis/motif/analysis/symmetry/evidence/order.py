"""Tells what kind of order an image has: a lattice, stripes, a quasi-crystal's, or none.

A small network weighs what is measured without weights: the analytic descriptor's numbers, the
evidence in the frame of the lattice, how the power is spread over directions, and how few waves
hold it. Only an image with a lattice has one of the 17 wallpaper groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from motif.analysis.symmetry.evidence import measures
from motif.analysis.symmetry.evidence.lattice import autocorrelation, windowed
from motif.analysis.symmetry.extractors.analytic_descriptor import centre_square
from motif.analysis.symmetry.learning.group_network import EVIDENCE, SIZE, filled
from motif.analysis.symmetry.patterns.aperiodic import KINDS, NOTHING

STAR = (2, 4, 6, 8, 10, 12)
"""Orders of the angular harmonics of the power."""
BANDS = ((0.8, 1.25), (0.45, 2.2))
"""Wave numbers over which directions are compared, relative to the dominant one."""
HOLDING = (2, 4, 8, 16, 32, 64, 128, 256)
"""Numbers of strongest waves whose share of the power is taken."""
ANALYTIC = len(measures.ROTATIONS) + measures.AXES // 2 + measures.HARMONICS
INPUTS = (
    EVIDENCE + ANALYTIC + len(measures.FOLDS) * measures.RADII
    + len(BANDS) * len(STAR) + len(HOLDING)
)  # fmt: skip
PREFIX = "order."
"""Beginning of the names of this network's weights in a file."""
_WIDTH = 128


def order_evidence(
    square: Tensor, evidence: Tensor, made: Mapping[str, Tensor] | None = None
) -> Tensor:
    """The inputs of the order classifier (n, `INPUTS`).

    Args:
        square: (n, `SIZE`, `SIZE`) images, on the processor.
        evidence: (n, 37) what `network.gather` finds in them.
        made: what `descriptor.measured` found in them, where that is known already.
    """
    known = made or _measured(square)
    large = known["frequency"] * measures.SIZE / SIZE
    analytic = [known[name] for name in ("rotation", "mirror", *measures.FOLDS)]
    return torch.cat([evidence, *analytic, *_spread(windowed(square), large)], 1)


def _measured(square: Tensor) -> dict[str, Tensor]:
    """The blocks of the analytic descriptor that tell of the order."""
    flat = windowed(centre_square(square)[0])
    rotation, mirror = measures.survival(flat)
    _, frequency = measures.radial_spectrum(flat)
    folds = measures.order(autocorrelation(flat), frequency)
    return {
        "rotation": rotation,
        "mirror": measures.mirror_summary(mirror),
        **dict(zip(measures.FOLDS, folds, strict=True)),
        "frequency": frequency,
    }


def _spread(flat: Tensor, frequency: Tensor) -> list[Tensor]:
    """Angular harmonics of the power in each of `BANDS`, and the share of the strongest waves."""
    power = torch.fft.rfft2(flat).abs().square().flatten(1)
    radius, waves = _directions(flat.shape[-1])
    found = []
    for low, high in BANDS:
        relative = radius / frequency[:, None]
        within = power * ((relative > low) & (relative < high))
        total = within.sum(1, keepdim=True).clamp_min(1e-12)
        found.append(((within.to(waves.dtype) @ waves) / total).abs())
    strongest = power.topk(max(HOLDING), dim=1).values.cumsum(1)
    share = strongest / power.sum(1, keepdim=True).clamp_min(1e-12)
    return [*found, share[:, [count - 1 for count in HOLDING]]]


@cache
def _directions(size: int) -> tuple[Tensor, Tensor]:
    """Wave numbers (m,) of the half plane in 1/pixel, and exp(i k angle) (m, 6) for `STAR`."""
    fy = torch.fft.fftfreq(size)[:, None].expand(-1, size // 2 + 1)
    fx = torch.fft.rfftfreq(size).expand(size, -1)
    angle = torch.atan2(fy, fx).flatten()[:, None] * torch.tensor(STAR)
    return torch.sqrt(fy.square() + fx.square()).flatten(), torch.polar(
        torch.ones_like(angle), angle
    )


class OrderNetwork(nn.Module):
    """Order evidence (n, `INPUTS`) -> scores of the `KINDS`, calibrated by a temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = nn.Buffer(torch.zeros(INPUTS))
        self.spread = nn.Buffer(torch.ones(INPUTS))
        self.temperature = nn.Buffer(torch.ones(()))
        self.body = nn.Sequential(
            nn.Linear(INPUTS, _WIDTH), nn.GELU(), nn.Dropout(0.2),
            nn.Linear(_WIDTH, _WIDTH), nn.GELU(),
            nn.Linear(_WIDTH, len(KINDS)),
        )  # fmt: skip

    def forward(self, evidence: Tensor) -> Tensor:
        standard = ((evidence - self.centre) / self.spread).clamp(-8, 8)
        scores: Tensor = self.body(standard) / self.temperature
        return scores


def load_order(path: Path) -> OrderNetwork:
    """The order network of a safetensors file; nothing in the file is executed."""
    return filled(OrderNetwork(), path, PREFIX)


def probabilities(
    network: OrderNetwork,
    square: Tensor,
    evidence: Tensor,
    made: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Calibrated probabilities of the `KINDS` (n, 6); an image without contrast has no order.

    Arguments as of `order_evidence`.
    """
    said = torch.softmax(network(order_evidence(square, evidence, made)), 1)
    blank = square.flatten(1).std(1, keepdim=True) <= 1e-6
    nothing = functional.one_hot(torch.tensor(KINDS.index(NOTHING)), len(KINDS))
    return torch.where(blank, nothing.to(said.dtype), said)
