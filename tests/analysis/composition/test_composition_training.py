"""The batched program equals members written and trained one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from motif.analysis.composition.datasets.composition_library import Samples
from motif.analysis.composition.datasets.cross_validation import random_folds
from motif.analysis.composition.regression.composition_network import (
    DropoutMasks,
    NetworkArchitecture,
    Parameters,
    forward,
    initialise,
)
from motif.analysis.composition.regression.ensemble import curved_fractions, input_scaling
from motif.analysis.composition.regression.member_training import one_cycle, train
from motif.analysis.composition.regression.training_recipe import (
    DROPOUT,
    FAST,
    PUBLISHED,
    SHUFFLE,
    WEIGHTS,
    EnsembleMember,
    recipe_named,
)
from motif.core.errors import ConfigError, UnsuitableDataError

POINTS, ELEMENTS, N = 45, 4, 37
TINY = replace(FAST, spectrum_epochs=2, composition_epochs=3, joined_epochs=3, batch=8)
MEMBERS = (EnsembleMember(3, 0), EnsembleMember(4, 1), EnsembleMember(5, 1))


def tiny_samples() -> Samples:
    rng = np.random.default_rng(0)
    composition = rng.dirichlet(np.ones(ELEMENTS), N)
    spectra = rng.random((N, POINTS)) + composition @ rng.random((ELEMENTS, POINTS))
    return Samples(spectra, composition, composition[:, 0] * 3 + spectra[:, 7])


def tiny_rows(members: tuple[EnsembleMember, ...]) -> list[np.ndarray]:
    folds = random_folds(N, 5, 0)
    return [np.flatnonzero(folds != (-1 if m.fold is None else m.fold)) for m in members]


class OneMember(nn.Module):
    """The paper's network, spelled out with ordinary layers."""

    def __init__(self, points: int, elements: int, start: dict[str, Tensor]) -> None:
        super().__init__()
        features = 2 * (points - 6) if points else 0
        self.start = start
        if points:
            self.conv = nn.Conv1d(1, 2, 7)
            self._set(self.conv.weight, start["convolution.weight"].T[:, None])
            self._set(self.conv.bias, start["convolution.bias"])
        blocks = []
        if points:
            blocks.append(start["joined.0.weight.spectrum"])
        if elements:
            self.comp = nn.ModuleList(
                [self._linear("composition.0"), self._linear("composition.1")]
            )
            blocks.append(start["joined.0.weight.composition"])
        first = nn.Linear(features + (16 if elements else 0), 32)
        self._set(first.weight, torch.cat(blocks).T)
        self._set(first.bias, start["joined.0.bias"])
        self.joined = nn.ModuleList([first, self._linear("joined.1"), self._linear("joined.2")])
        self.double()

    def _linear(self, name: str) -> nn.Linear:
        weight = self.start[f"{name}.weight"]
        layer = nn.Linear(*weight.shape)
        self._set(layer.weight, weight.T)
        self._set(layer.bias, self.start[f"{name}.bias"])
        return layer

    @staticmethod
    def _set(parameter: nn.Parameter, value: Tensor) -> None:
        parameter.data = value.clone().double()

    def forward(self, x: Tensor, c: Tensor, masks: tuple[Tensor, Tensor] | None = None) -> Tensor:
        parts = []
        if hasattr(self, "conv"):
            h = functional.elu(self.conv((x * masks[0] if masks else x)[:, None])).transpose(1, 2)
            parts.append((h * masks[1] if masks else h).flatten(1))
        if hasattr(self, "comp"):
            parts.append(functional.elu(self.comp[1](functional.elu(self.comp[0](c)))))
        h = torch.cat(parts, 1)
        return self.joined[2](functional.elu(self.joined[1](functional.elu(self.joined[0](h)))))[
            :, 0
        ]

    def stacked(self) -> Parameters:
        state: Parameters = {}
        if hasattr(self, "conv"):
            state["convolution.weight"] = self.conv.weight[:, 0].T
            state["convolution.bias"] = self.conv.bias
        for name in ("comp", "joined"):
            for i, layer in enumerate(getattr(self, name, [])):
                prefix = {"comp": "composition", "joined": "joined"}[name]
                state[f"{prefix}.{i}.weight"] = layer.weight.T
                state[f"{prefix}.{i}.bias"] = layer.bias
        first = state.pop("joined.0.weight")
        split = len(first) - (16 if hasattr(self, "comp") else 0)
        if hasattr(self, "conv"):
            state["joined.0.weight.spectrum"] = first[:split]
        if hasattr(self, "comp"):
            state["joined.0.weight.composition"] = first[split:]
        return {name: value.detach() for name, value in state.items()}


def fresh(
    architecture: NetworkArchitecture, member: EnsembleMember, step: int
) -> dict[str, Tensor]:
    generator = np.random.default_rng(member.stream(step, WEIGHTS))
    start = initialise(architecture, [generator], TINY.initialisation, torch.float64)
    return {name: value[0] for name, value in start.items()}


def train_alone(samples: Samples, rows: np.ndarray, member: EnsembleMember) -> OneMember:
    """The three steps of the recipe, one module and one ragged batch at a time."""
    scaling = input_scaling(samples, [rows], [member], TINY)
    x = scaling.spectra(torch.from_numpy(samples.spectra))[0]
    c = scaling.composition(torch.from_numpy(samples.composition))[0]
    y = (torch.from_numpy(samples.target) - scaling.target_mean) / scaling.target_std
    whole = NetworkArchitecture(POINTS, ELEMENTS)
    plan = [
        (1, replace(whole, elements=0), TINY.spectrum_epochs),
        (2, replace(whole, points=0), TINY.composition_epochs),
        (3, whole, TINY.joined_epochs),
    ]
    branches: dict[str, Tensor] = {}
    for step, architecture, epochs in plan:
        start = fresh(architecture, member, step)
        if step == 3:
            start |= {k: v for k, v in branches.items() if not k.startswith("joined")}
        net = OneMember(architecture.points, architecture.elements, start)
        optimiser = torch.optim.Adam(net.parameters(), eps=TINY.epsilon)
        shuffle = np.random.default_rng(member.stream(step, SHUFFLE))
        stream = np.random.SFC64(member.stream(step, DROPOUT))
        cpu = torch.device("cpu")
        masks = DropoutMasks(architecture, [stream], TINY.batch, cpu, torch.float64)
        batches = -(-len(rows) // TINY.batch)
        for epoch in range(epochs):
            order = shuffle.permutation(rows)
            for b in range(batches):
                rate = one_cycle(epoch * batches + b, epochs * batches, TINY.peak_rate)
                optimiser.param_groups[0]["lr"] = rate
                j = torch.from_numpy(order[b * TINY.batch : (b + 1) * TINY.batch])
                drawn = masks.draw() if architecture.points else None
                cut = (drawn[0][0][: len(j)], drawn[1][0][: len(j)]) if drawn else None
                loss = functional.mse_loss(net(x[j], c[j], cut), y[j])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        branches |= net.stacked()
    return net


def test_forward_equals_ordinary_layers() -> None:
    architecture = NetworkArchitecture(POINTS, ELEMENTS)
    generators = [np.random.default_rng(k) for k in range(3)]
    parameters = initialise(architecture, generators, "lecun", torch.float64)
    parameters["joined.2.weight"] += torch.randn(3, 32, 1, dtype=torch.float64)
    x, c = torch.rand(3, 6, POINTS).double(), torch.rand(3, 6, ELEMENTS).double()
    batched = forward(architecture, parameters, x, c)
    for k in range(3):
        alone = OneMember(POINTS, ELEMENTS, {n: v[k] for n, v in parameters.items()})
        torch.testing.assert_close(batched[k], alone(x[k], c[k]), rtol=0, atol=1e-12)


def test_training_together_equals_training_alone() -> None:
    samples, rows = tiny_samples(), tiny_rows(MEMBERS)
    together = train(samples, rows, MEMBERS, TINY, dtype=torch.float64)
    for k, member in enumerate(MEMBERS):
        alone = train_alone(samples, rows[k], member).stacked()
        assert alone.keys() == together.parameters.keys()
        for name, value in alone.items():
            torch.testing.assert_close(together.parameters[name][k], value, rtol=0, atol=1e-12)


def test_a_member_is_the_same_in_every_group() -> None:
    samples, rows = tiny_samples(), tiny_rows(MEMBERS)
    together = train(samples, rows, MEMBERS, TINY)
    alone = train(samples, rows[1:2], MEMBERS[1:2], TINY)
    for name, value in alone.parameters.items():
        assert torch.equal(together.parameters[name][1], value[0]), name


def test_same_seed_same_members_other_seed_other_members() -> None:
    samples, rows = tiny_samples(), tiny_rows(MEMBERS[:1])
    runs = [
        train(samples, rows, [EnsembleMember(seed)], TINY).predict(
            samples.spectra, samples.composition
        )
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.abs(runs[0] - runs[2]).max() > 1e-3


def test_held_out_samples_do_not_reach_a_member() -> None:
    samples, rows = tiny_samples(), tiny_rows(MEMBERS[:1])
    held_out = np.setdiff1d(np.arange(N), rows[0])
    spoiled = Samples(samples.spectra.copy(), samples.composition.copy(), samples.target.copy())
    spoiled.spectra[held_out] += 5
    spoiled.target[held_out] = 99
    before, after = (train(s, rows, MEMBERS[:1], TINY) for s in (samples, spoiled))
    for name, value in before.parameters.items():
        assert torch.equal(value, after.parameters[name])
    assert torch.equal(before.scaling.spectrum_center, after.scaling.spectrum_center)


@pytest.mark.parametrize(("branches", "absent"), [("composition", "conv"), ("spectrum", "comp")])
def test_one_branch_alone(branches: str, absent: str) -> None:
    samples, rows = tiny_samples(), tiny_rows(MEMBERS)
    ensemble = train(samples, rows, MEMBERS, recipe_named(TINY, branches=branches))
    assert not any(name.startswith(absent) for name in ensemble.parameters)
    assert np.isfinite(ensemble.predict(samples.spectra, samples.composition)).all()


def test_published_recipe_is_the_papers() -> None:
    epochs = (PUBLISHED.spectrum_epochs, PUBLISHED.composition_epochs, PUBLISHED.joined_epochs)
    assert epochs == (200, 700, 400)
    assert (PUBLISHED.batch, PUBLISHED.peak_rate, PUBLISHED.scaled) == (10, 1e-3, False)
    shapes = NetworkArchitecture(1015, 7).shapes()
    assert sum(int(np.prod(s)) for s in shapes.values()) == 66_625
    start = initialise(NetworkArchitecture(1015, 7), [np.random.default_rng(0)])
    weights = start["joined.0.weight.spectrum"]
    assert float(weights.abs().max()) <= 0.02
    assert float(weights.std()) == pytest.approx(0.0088, rel=0.01)
    assert not start["joined.0.bias"].any()


def test_fast_recipe_follows_the_size_of_the_library() -> None:
    assert FAST.fitted(1379) == FAST
    assert [FAST.fitted(n).batch for n in (100, 300, 100_000)] == [16, 30, 64]
    assert FAST.fitted(100_000).composition_epochs == 12
    assert PUBLISHED.fitted(100) == PUBLISHED


def test_members_resolve_the_dilute_end_to_different_degrees() -> None:
    shares = np.sort([EnsembleMember(seed).share for seed in range(8)])
    assert np.diff([*shares, 1]).max() < 0.25
    assert EnsembleMember(0).share == 0
    assert len({EnsembleMember(0, fold).share for fold in range(5)}) == 5
    samples, rows = tiny_samples(), [np.arange(N)] * 2
    linear, curved = input_scaling(
        samples, rows, [EnsembleMember(0), EnsembleMember(1)], FAST
    ).composition_bend
    assert not linear.any()
    mean = torch.from_numpy(samples.composition.mean(0))
    torch.testing.assert_close(
        curved * mean, torch.full((ELEMENTS,), 2 * EnsembleMember(1).share).double()
    )
    assert not input_scaling(samples, rows, MEMBERS[:2], PUBLISHED).composition_bend.any()


def test_bent_fractions_keep_their_slope_where_an_element_is_absent() -> None:
    bend = torch.tensor([0.0, 20.0, 50.0], dtype=torch.float64)
    fraction = torch.tensor([0.0, 0.03, -1.0], dtype=torch.float64).expand(3, 3).T
    fraction = fraction.contiguous().requires_grad_()
    value = curved_fractions(fraction, bend)
    (slope,) = torch.autograd.grad(value.sum(), fraction)
    torch.testing.assert_close(value[0], torch.zeros(3).double())
    torch.testing.assert_close(slope[0], torch.ones(3).double())
    torch.testing.assert_close(slope[1], 1 / (1 + bend * 0.03))
    assert torch.isfinite(value).all()
    assert value[1, 0] == 0.03


def test_dropout_factors_have_their_rate_and_keep_the_mean() -> None:
    for rate in (0.25, 0.1):
        architecture = NetworkArchitecture(301, 0, dropout=rate)
        streams = [np.random.SFC64(k) for k in range(2)]
        masks = DropoutMasks(architecture, streams, 50, torch.device("cpu"))
        for factors in masks.draw():
            assert float((factors == 0).float().mean()) == pytest.approx(rate, abs=0.01)
            assert float(factors.mean()) == pytest.approx(1, abs=0.01)


def test_folds_part_the_samples_evenly() -> None:
    folds = random_folds(1379, 5, seed=0)
    assert sorted(np.bincount(folds)) == [275, 276, 276, 276, 276]
    assert (folds != random_folds(1379, 5, seed=1)).any()


def test_refusals_name_the_reason() -> None:
    samples = tiny_samples()
    with pytest.raises(UnsuitableDataError, match="same number of batches"):
        train(samples, [np.arange(8), np.arange(20)], MEMBERS[:2], TINY)
    flat = replace(samples, target=np.full(N, 2.5))
    with pytest.raises(UnsuitableDataError, match=r"2\.5 in all 37"):
        train(flat, [np.arange(N)], MEMBERS[:1], TINY)
    with pytest.raises(UnsuitableDataError, match="shorter than the convolution kernel"):
        NetworkArchitecture(5, 3)
    with pytest.raises(ConfigError, match="fast, smooth, published"):
        recipe_named("slow")
