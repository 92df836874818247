"""Training of K members in one batched program, each with its own seed, shuffles and fold.

Members are independent: every random number of a member comes from streams keyed by its own
seed and fold, and no operation mixes members. The loss is the sum over members, so the gradient
of each member is that of its own loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from motif.analysis.arrays import FloatArray, IntArray
from motif.analysis.composition.datasets.composition_library import Samples
from motif.analysis.composition.regression.composition_network import (
    BRANCH_PREFIXES,
    DropoutMasks,
    NetworkArchitecture,
    Parameters,
    forward,
    initialise,
)
from motif.analysis.composition.regression.ensemble import NetworkEnsemble, input_scaling
from motif.analysis.composition.regression.training_recipe import (
    DROPOUT,
    SHUFFLE,
    WEIGHTS,
    EnsembleMember,
    TrainingRecipe,
)
from motif.core.errors import UnsuitableDataError

Report = Callable[[float], None]
"""Called with the fraction of the work done, 0 to 1."""


def steps_per_epoch(rows: int, batch: int) -> int:
    """Optimiser steps of an epoch; the last batch may be ragged."""
    return -(-rows // batch)


def train(
    samples: Samples,
    rows: Sequence[IntArray],
    members: Sequence[EnsembleMember],
    recipe: TrainingRecipe,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    report: Report | None = None,
) -> NetworkEnsemble:
    """Train `members` together, each on its own `rows` of the samples.

    All members must have the same number of steps per epoch (`steps_per_epoch`).

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
    whole = NetworkArchitecture(points, elements, dropout=recipe.dropout)
    run = _TrainingRun(samples, rows, members, recipe, torch.device(device), dtype)
    steps = _training_steps(whole, recipe)
    progress = _EpochProgress(
        report, sum(epochs * (4 if a.points else 1) for _, a, epochs in steps)
    )
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
            learned |= run.fit(number, architecture, parameters, epochs, progress)
    parameters = {name: learned[name].detach() for name in whole.shapes()}
    return NetworkEnsemble(whole, parameters, run.scaling)


def _training_steps(
    whole: NetworkArchitecture, recipe: TrainingRecipe
) -> list[tuple[int, NetworkArchitecture, int]]:
    """(number, architecture, epochs) of the training steps of this network."""
    if not whole.elements:
        return [(1, whole, recipe.spectrum_epochs)]
    if not whole.points:
        return [(2, whole, recipe.composition_epochs)]
    return [
        (1, replace(whole, elements=0), recipe.spectrum_epochs),
        (2, replace(whole, points=0), recipe.composition_epochs),
        (3, whole, recipe.joined_epochs),
    ]


class _TrainingRun:
    """The data of one call of `train`, on its device."""

    def __init__(
        self,
        samples: Samples,
        rows: Sequence[IntArray],
        members: Sequence[EnsembleMember],
        recipe: TrainingRecipe,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.rows, self.members, self.recipe = rows, members, recipe
        self.device, self.dtype = device, dtype
        self.scaling = input_scaling(samples, rows, members, recipe).to(dtype).to(device)
        self.spectra = torch.as_tensor(samples.spectra).to(device, dtype)
        self.composition = torch.as_tensor(samples.composition).to(device, dtype)
        self.target = torch.as_tensor(samples.target).to(device, dtype)

    def fit(
        self,
        number: int,
        architecture: NetworkArchitecture,
        parameters: Parameters,
        epochs: int,
        progress: _EpochProgress,
    ) -> Parameters:
        """One of the three training steps: minimise the mean squared error for some epochs."""
        recipe, members = self.recipe, self.members
        stack = ParameterStack(parameters, self.device)
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
            progress.advance(4 if architecture.points else 1)
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

        def by_step(values: FloatArray | IntArray) -> Tensor:
            return torch.from_numpy(values.reshape(len(shuffles), steps, batch).swapaxes(0, 1))

        return (
            by_step(order).contiguous().to(self.device),
            by_step(weight).to(self.device, self.dtype),
        )

    def _loss(
        self,
        architecture: NetworkArchitecture,
        parameters: Parameters,
        index: Tensor,
        weight: Tensor,
        masks: tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        """Sum over members of the mean squared error on each member's batch."""
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
    """Learning rate: rises from peak/25 over 30 % of the steps, then falls to 0 (cosine)."""
    top = 0.3 * total
    if step < top:
        return peak / 25 + (peak - peak / 25) * (1 - math.cos(math.pi * step / top)) / 2
    return peak * (1 + math.cos(math.pi * (step - top) / (total - top))) / 2


@contextmanager
def single_thread(device: torch.device) -> Iterator[None]:
    """One thread on a CPU: sums keep their order, and other groups of members use the other
    cores."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class ParameterStack:
    """Parameters of all members as views of one vector.

    The optimiser passes over it once, and a length of whole vector registers keeps the
    arithmetic of a member the same for any number of members.
    """

    def __init__(self, parameters: Parameters, device: torch.device) -> None:
        total = sum(value.numel() for value in parameters.values())
        first = next(iter(parameters.values()))
        self.flat = torch.zeros(-(-total // 64) * 64, dtype=first.dtype, device=device)
        self.flat.grad = torch.zeros_like(self.flat)
        self.parameters: Parameters = {}
        start = 0
        for name, value in parameters.items():
            span = slice(start, start + value.numel())
            leaf = self.flat[span].view(value.shape)
            leaf.copy_(value)
            leaf.requires_grad_()
            leaf.grad = self.flat.grad[span].view(value.shape)
            self.parameters[name] = leaf
            start += value.numel()

    def zero_grad(self) -> None:
        assert self.flat.grad is not None
        self.flat.grad.zero_()


class _EpochProgress:
    """Reports finished epochs as a fraction of the work."""

    def __init__(self, report: Report | None, total: int) -> None:
        self._report, self._total, self._done = report, max(total, 1), 0

    def advance(self, cost: int) -> None:
        self._done += cost
        if self._report is not None:
            self._report(self._done / self._total)
