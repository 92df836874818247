"""Composition ensemble: batched against one after another, in CPU seconds of one run.

CPU time of this process with one thread, best of several: on a shared machine wall time says
little. Run with ``pytest -m benchmark tests/benchmarks/test_bench_composition.py``.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.neural_network import MLPRegressor
from torch import Tensor, nn
from torch.nn import functional

from motif.analysis.composition.datasets.composition_library import Samples, normalise
from motif.analysis.composition.datasets.cross_validation import r2_score, random_folds
from motif.analysis.composition.gradients.gradient_truth import compare_with_truth
from motif.analysis.composition.gradients.performance_gradients import (
    gradients,
    member_gradients,
    spectral_response,
)
from motif.analysis.composition.regression.ensemble import CHUNK
from motif.analysis.composition.regression.member_training import (
    single_thread,
    steps_per_epoch,
    train,
)
from motif.analysis.composition.regression.training_recipe import (
    FAST,
    PUBLISHED,
    EnsembleMember,
    TrainingRecipe,
)
from motif.core.testing.bivo4_truth import bivo4_gradient
from motif.ingest.simulate.simulated_library import SimulatedLibrary, simulate_library

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1200)]
Say = Callable[..., None]


@pytest.fixture(scope="module")
def library() -> SimulatedLibrary:
    return simulate_library()


@pytest.fixture(scope="module")
def samples(library: SimulatedLibrary) -> Samples:
    spectra, _ = normalise(library.spectra, library.shift, "raman_shift")
    return Samples(spectra, library.composition, library.performance)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with single_thread(torch.device("cpu")):
        yield


@pytest.fixture
def say(report: Say, record_property: Say) -> Say:
    """Figures to four digits in the terminal summary and as properties of the test."""

    def stated(what: str, **figures: float) -> None:
        report(what, **{name: f"{value:.4g}" for name, value in figures.items()})
        for name, value in figures.items():
            record_property(f"{what}, {name}", value)

    return stated


class OneMember(nn.Module):
    """The same network with ordinary layers and dropout."""

    def __init__(self, points: int, elements: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, 2, 7)
        self.composition = nn.ModuleList([nn.Linear(elements, 16), nn.Linear(16, 16)])
        widths = (2 * (points - 6) + 16, 32, 32, 1)
        self.joined = nn.ModuleList([nn.Linear(a, b) for a, b in itertools.pairwise(widths)])
        self.dropout = nn.Dropout(0.25)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.dropout(functional.elu(self.convolution(self.dropout(x)[:, None])))
        for layer in self.composition:
            c = functional.elu(layer(c))
        h = torch.cat([h.flatten(1), c], 1)
        for layer in self.joined[:-1]:
            h = functional.elu(layer(h))
        return self.joined[-1](h)[:, 0]


def best(work: Callable[[], object], repeat: int = 3) -> float:
    """Least CPU seconds of several runs."""
    seconds = []
    for _ in range(repeat):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return min(seconds)


def joined_only(batch: int, epochs: int) -> TrainingRecipe:
    return replace(
        PUBLISHED, spectrum_epochs=0, composition_epochs=0, joined_epochs=epochs, batch=batch
    )


def batched_step(samples: Samples, members: int, batch: int) -> float:
    """CPU seconds of one step of all members, the set-up taken off."""
    rows = [np.arange(20 * batch) % len(samples.target)] * members
    runs = [EnsembleMember(k) for k in range(members)]
    short, long = (
        best(lambda epochs=epochs: train(samples, rows, runs, joined_only(batch, epochs)))
        for epochs in (1, 3)
    )
    return (long - short) / 40


def wall_step(samples: Samples, rows: list[NDArray[np.int64]], runs: list[EnsembleMember]) -> float:
    """Wall seconds of one batched step: those of a second epoch, the set-up left out."""
    marks: list[float] = []
    recipe = joined_only(10, 2)
    train(samples, rows, runs, recipe, report=lambda _: marks.append(time.perf_counter()))
    return (marks[1] - marks[0]) / steps_per_epoch(len(rows[0]), recipe.batch)


class Steps:
    """Training steps of as many separate modules, one after another."""

    def __init__(self, samples: Samples, members: int, batch: int) -> None:
        self.x = torch.as_tensor(samples.spectra, dtype=torch.float32)
        self.c = torch.as_tensor(samples.composition, dtype=torch.float32)
        self.y = torch.as_tensor(samples.target, dtype=torch.float32)
        self.batch = batch
        networks = [OneMember(self.x.shape[1], self.c.shape[1]) for _ in range(members)]
        self.pairs = [(net, torch.optim.Adam(net.parameters(), fused=True)) for net in networks]

    def take(self, count: int) -> None:
        for _ in range(count):
            for network, optimiser in self.pairs:
                j = torch.randint(0, len(self.y), (self.batch,))
                loss = functional.mse_loss(network(self.x[j], self.c[j]), self.y[j])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()


def sequential_step(samples: Samples, members: int, batch: int) -> float:
    """CPU seconds of one step of each of as many separate modules."""
    steps = Steps(samples, members, batch)
    return best(lambda: steps.take(20)) / 20


@contextmanager
def threads_set(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("batch", [10, 64])
def test_eight_members_at_once(samples: Samples, batch: int, say: Say) -> None:
    together = batched_step(samples, 8, batch)
    in_turn = sequential_step(samples, 8, batch)
    say(
        f"step of 8 members, batch {batch}",
        batched_ms=1e3 * together,
        in_turn_ms=1e3 * in_turn,
        ratio=in_turn / together,
    )
    assert in_turn / together >= 2.5


def test_wall_time_of_eight_members_with_default_threads(samples: Samples, say: Say) -> None:
    """Both ways in turn in one run, each with the threads it takes by itself; medians."""
    rows, runs = [np.arange(200)] * 8, [EnsembleMember(k) for k in range(8)]
    together, in_turn = Steps(samples, 8, 10), []
    at_once = []
    threads = max(torch.get_num_threads(), os.cpu_count() or 1)
    for _ in range(5):
        with threads_set(threads):
            started = time.perf_counter()
            together.take(6)
            in_turn.append((time.perf_counter() - started) / 6)
        at_once.append(wall_step(samples, rows, runs))
    ratio = float(np.median(in_turn) / np.median(at_once))
    say(
        "step of 8 members, batch 10, wall",
        batched_ms=1e3 * float(np.median(at_once)),
        in_turn_ms=1e3 * float(np.median(in_turn)),
        ratio=ratio,
    )
    assert ratio >= 5


def test_step_against_number_of_members(samples: Samples, say: Say) -> None:
    for members in (1, 2, 4, 8, 16, 24):
        seconds = batched_step(samples, members, 10)
        say(
            f"step of {members} members, batch 10",
            ms=1e3 * seconds,
            ms_each=1e3 * seconds / members,
        )
    steps = steps_per_epoch(len(samples.target), PUBLISHED.batch)
    total = steps * (PUBLISHED.spectrum_epochs + PUBLISHED.joined_epochs)
    say("published recipe, 24 members, spectrum passes only", cpu_minutes=total * seconds / 60)


def test_gradients_at_once(samples: Samples, say: Say) -> None:
    n = len(samples.target)
    recipe = replace(FAST, spectrum_epochs=1, composition_epochs=1, joined_epochs=1)
    ensemble = train(samples, [np.arange(n)] * 8, [EnsembleMember(k) for k in range(8)], recipe)
    response = spectral_response(samples.spectra, samples.composition)
    x = torch.as_tensor(samples.spectra, dtype=torch.float32)
    c = torch.as_tensor(samples.composition, dtype=torch.float32)
    networks = [OneMember(x.shape[1], c.shape[1]).eval() for _ in range(8)]

    def one_at_a_time(count: int = 50) -> None:
        for network in networks:
            for i in range(count):
                xi = x[i : i + 1].clone().requires_grad_()
                ci = c[i : i + 1].clone().requires_grad_()
                torch.autograd.grad(network(xi, ci).sum(), (xi, ci))

    def batched() -> None:
        for start in range(0, n, CHUNK):
            member_gradients(ensemble, x[start : start + CHUNK], c[start : start + CHUNK])

    looped = best(one_at_a_time) * n / 50
    at_once = best(batched)
    whole = best(lambda: gradients(ensemble, samples, response))
    say(
        f"gradients of {n} samples, 8 members",
        batched_s=at_once,
        looped_s=looped,
        ratio=looped / at_once,
        with_total_and_statistics_s=whole,
    )
    assert looped / at_once >= 10


def test_fast_recipe(library: SimulatedLibrary, samples: Samples, say: Say) -> None:
    n = len(samples.target)
    fold = random_folds(n, 5, 0)
    started = time.process_time()
    validation = train(
        samples,
        [np.flatnonzero(fold != f) for f in range(5)],
        [EnsembleMember(0, f) for f in range(5)],
        FAST,
    )
    ensemble = train(samples, [np.arange(n)] * 8, [EnsembleMember(k) for k in range(8)], FAST)
    response = spectral_response(samples.spectra, samples.composition)
    found = gradients(ensemble, samples, response)
    seconds = time.process_time() - started
    predicted = validation.predict(samples.spectra, samples.composition)
    r2 = r2_score(samples.target, predicted[fold, np.arange(n)])
    truth = bivo4_gradient(library.composition, library.distortion) / 100
    stated = compare_with_truth(found.total_mean, truth, found.total_std, found.sign_agreement)
    partial = compare_with_truth(found.composition_mean, truth)
    say(
        "fast recipe, 8 members and 5 folds",
        cpu_s=seconds,
        r2=r2,
        cosine_total=stated["cosine"],
        cosine_partial=partial["cosine"],
        slope=stated["slope"],
        signs_right=stated["sign_right"],
        within_1_spread=stated["calibration"]["within_1"],
    )
    assert seconds < 60
    assert r2 > 0.85
    assert stated["cosine"] >= 0.85


def test_multilayer_perceptrons_of_scikit_learn(samples: Samples, say: Say) -> None:
    inputs = np.concatenate([samples.composition, samples.spectra], 1)
    inputs = (inputs - inputs.mean(0)) / inputs.std(0)
    fold = random_folds(len(inputs), 5, 0)
    predicted = np.empty(len(inputs))
    started = time.process_time()
    for held in range(5):
        inside = fold == held
        target = samples.target[~inside]
        model = MLPRegressor(
            hidden_layer_sizes=(32, 32), batch_size=64, max_iter=30, tol=0, random_state=held
        )
        with pytest.warns(match="Maximum iterations"):
            model.fit(inputs[~inside], (target - target.mean()) / target.std())
        predicted[inside] = model.predict(inputs[inside]) * target.std() + target.mean()
    say(
        "scikit-learn MLP 32-32, 5 folds, 30 epochs",
        cpu_s=time.process_time() - started,
        r2=r2_score(samples.target, predicted),
    )
