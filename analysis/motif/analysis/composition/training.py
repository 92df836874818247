"""Trains K members at once: own seeds, shuffles, dropout and folds in one batched program.

Members are independent: every random number a member sees comes from streams keyed by its own
seed and fold, and no operation mixes members. The loss is the sum over members, hence each
member's gradient is that of its own loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motif.analysis.composition.dropout import DropoutMasks
from motif.analysis.composition.ensemble import Ensemble
from motif.analysis.composition.network import (
    BRANCH_PREFIXES,
    Architecture,
    Parameters,
    forward,
    initialise,
)
from motif.analysis.composition.recipes import Recipe
from motif.analysis.composition.samples import DROPOUT, SHUFFLE, WEIGHTS, Member, Samples
from motif.analysis.composition.scaling import scaling_of
from motif.core.errors import UnsuitableDataError

Report = Callable[[float], None]
"""Called with the fraction of the work done, 0 to 1."""


def steps_per_epoch(rows: int, batch: int) -> int:
    """Optimiser steps of an epoch; the last batch may be ragged."""
    return -(-rows // batch)


def train(
    samples: Samples,
    rows: Sequence[NDArray[np.int64]],
    members: Sequence[Member],
    recipe: Recipe,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    report: Report | None = None,
) -> Ensemble:
    """Train `members` together, each on its own `rows` of the samples.

    All members must take equally many steps per epoch (`steps_per_epoch`).

    Raises:
        UnsuitableDataError: members differ in steps per epoch, or a member's target is constant.
    """
    if len({steps_per_epoch(len(r), recipe.batch) for r in rows}) != 1:
        raise UnsuitableDataError(
            "Members trained together must have the same number of batches; "
            f"got training sets of {sorted({len(r) for r in rows})} samples "
            f"in batches of {recipe.batch}."
        )
    points = samples.spectra.shape[1] if recipe.branches != "composition" else 0
    elements = samples.composition.shape[1] if recipe.branches != "spectrum" else 0
    whole = Architecture(points, elements, dropout=recipe.dropout)
    run = _Run(samples, rows, members, recipe, torch.device(device), dtype)
    steps = _training_steps(whole, recipe)
    meter = _Meter(report, sum(epochs * (4 if a.points else 1) for _, a, epochs in steps))
    learned: Parameters = {}
    with single_thread(run.device):
        for number, architecture, epochs in steps:
            parameters = initialise(
                architecture,
                [np.random.default_rng(m.stream(number, WEIGHTS)) for m in members],
                recipe.initialisation,
                dtype,
            )
            if architecture is whole:
                parameters |= {k: v for k, v in learned.items() if k.startswith(BRANCH_PREFIXES)}
            learned |= run.fit(number, architecture, parameters, epochs, meter)
    parameters = {name: learned[name].detach() for name in whole.shapes()}
    return Ensemble(whole, parameters, run.scaling)


def _training_steps(whole: Architecture, recipe: Recipe) -> list[tuple[int, Architecture, int]]:
    """(number, architecture, epochs) of the steps this network takes."""
    if not whole.elements:
        return [(1, whole, recipe.spectrum_epochs)]
    if not whole.points:
        return [(2, whole, recipe.composition_epochs)]
    return [
        (1, replace(whole, elements=0), recipe.spectrum_epochs),
        (2, replace(whole, points=0), recipe.composition_epochs),
        (3, whole, recipe.joined_epochs),
    ]


class _Run:
    """The data of one call of `train` on its device."""

    def __init__(
        self,
        samples: Samples,
        rows: Sequence[NDArray[np.int64]],
        members: Sequence[Member],
        recipe: Recipe,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.rows, self.members, self.recipe = rows, members, recipe
        self.device, self.dtype = device, dtype
        self.scaling = scaling_of(samples, rows, members, recipe).map(dtype).map(device)
        self.spectra = torch.as_tensor(samples.spectra).to(device, dtype)
        self.composition = torch.as_tensor(samples.composition).to(device, dtype)
        self.target = torch.as_tensor(samples.target).to(device, dtype)

    def fit(
        self,
        number: int,
        architecture: Architecture,
        parameters: Parameters,
        epochs: int,
        meter: _Meter,
    ) -> Parameters:
        """One training step of the three: minimise the mean squared error for some epochs."""
        recipe, members = self.recipe, self.members
        stack = Stack(parameters, self.device)
        optimiser = torch.optim.Adam(
            [stack.flat], lr=recipe.peak_rate, eps=recipe.epsilon, fused=True
        )
        shuffles = [np.random.default_rng(m.stream(number, SHUFFLE)) for m in members]
        masks = None
        if architecture.points and architecture.dropout:
            bits = [np.random.SFC64(m.stream(number, DROPOUT)) for m in members]
            masks = DropoutMasks(architecture, bits, recipe.batch, self.device, self.dtype)
        steps = steps_per_epoch(len(self.rows[0]), recipe.batch)
        for epoch in range(epochs):
            order, weight = self._epoch(shuffles, steps)
            for step in range(steps):
                if recipe.schedule == "one-cycle":
                    rate = one_cycle(epoch * steps + step, epochs * steps, recipe.peak_rate)
                    optimiser.param_groups[0]["lr"] = rate
                loss = self._loss(
                    architecture,
                    stack.parameters,
                    order[step],
                    weight[step],
                    masks.draw() if masks is not None else None,
                )
                stack.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            meter.advance(4 if architecture.points else 1)
        return {name: value.detach().clone() for name, value in stack.parameters.items()}

    def _epoch(self, shuffles: Sequence[np.random.Generator], steps: int) -> tuple[Tensor, Tensor]:
        """Sample indices and loss weights (steps, K, B); a ragged batch is padded by weight 0."""
        batch = self.recipe.batch
        order = np.zeros((len(shuffles), steps * batch), np.int64)
        weight = np.zeros(order.shape)
        for k, (rows, shuffle) in enumerate(zip(self.rows, shuffles, strict=True)):
            order[k, : len(rows)] = shuffle.permutation(rows)
            weight[k, : len(rows)] = 1 / batch
            ragged = len(rows) % batch
            if ragged:
                weight[k, len(rows) - ragged : len(rows)] = 1 / ragged

        def by_step(values: NDArray[np.float64] | NDArray[np.int64]) -> Tensor:
            return torch.from_numpy(values.reshape(len(shuffles), steps, batch).swapaxes(0, 1))

        return (
            by_step(order).contiguous().to(self.device),
            by_step(weight).to(self.device, self.dtype),
        )

    def _loss(
        self,
        architecture: Architecture,
        parameters: Parameters,
        index: Tensor,
        weight: Tensor,
        masks: tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        """Sum over members of each one's mean squared error on its batch."""
        scaling = self.scaling
        spectra = composition = None
        if architecture.points:
            spectra = self.spectra[index]
            spectra.sub_(scaling.spectrum_center[:, None])
            spectra.div_(scaling.spectrum_scale[:, None, None])
        if architecture.elements:
            composition = scaling.composition(self.composition[index])
        target = self.target[index] - scaling.target_mean[:, None]
        error = forward(architecture, parameters, spectra, composition, masks)
        error = error - target / scaling.target_std[:, None]
        return (error.square() * weight).sum()


def one_cycle(step: int, total: int, peak: float) -> float:
    """Learning rate that rises from peak/25 over 30 % of the steps, then falls to 0 (cosine)."""
    turn = 0.3 * total
    if step < turn:
        return peak / 25 + (peak - peak / 25) * (1 - math.cos(math.pi * step / turn)) / 2
    return peak * (1 + math.cos(math.pi * (step - turn) / (total - turn))) / 2


@contextmanager
def single_thread(device: torch.device) -> Iterator[None]:
    """One thread on a CPU: sums keep their order, and groups of members fill the other cores."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Stack:
    """Parameters of all members as views of one vector.

    The optimiser makes one pass over it, and a length of whole vector registers keeps a
    member's arithmetic the same whatever the number of members.
    """

    def __init__(self, parameters: Parameters, device: torch.device) -> None:
        total = sum(value.numel() for value in parameters.values())
        first = next(iter(parameters.values()))
        self.flat = torch.zeros(-(-total // 64) * 64, dtype=first.dtype, device=device)
        self.flat.grad = torch.zeros_like(self.flat)
        self.parameters: Parameters = {}
        start = 0
        for name, value in parameters.items():
            place = slice(start, start + value.numel())
            leaf = self.flat[place].view(value.shape)
            leaf.copy_(value)
            leaf.requires_grad_()
            leaf.grad = self.flat.grad[place].view(value.shape)
            self.parameters[name] = leaf
            start += value.numel()

    def zero_grad(self) -> None:
        assert self.flat.grad is not None
        self.flat.grad.zero_()


class _Meter:
    """Turns finished epochs into a fraction of the work."""

    def __init__(self, report: Report | None, total: int) -> None:
        self._report, self._total, self._done = report, max(total, 1), 0

    def advance(self, cost: int) -> None:
        self._done += cost
        if self._report is not None:
            self._report(self._done / self._total)
