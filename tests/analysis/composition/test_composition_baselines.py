"""Baselines on the networks' folds, with exact gradients where they have them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from motif.analysis.composition.datasets.composition_library import Samples
from motif.analysis.composition.datasets.cross_validation import (
    SamplePartition,
    r2_score,
    random_folds,
)
from motif.analysis.composition.gradients.gradient_truth import (
    calibration,
    compare_with_truth,
    cosine,
)
from motif.analysis.composition.gradients.performance_gradients import (
    along_simplex,
    spectral_response,
)
from motif.analysis.composition.regression.kernel_models import (
    fit_gaussian_process,
    fit_kernel_ridge,
)
from motif.analysis.composition.regression.training_recipe import FAST
from motif.analysis.composition.study.model_comparison import (
    BASELINES,
    held_out_predictions,
    learning_curve,
    total_gradient,
)


@pytest.fixture(scope="module")
def library(simulated_library: Any) -> Any:
    return simulated_library(240, 60, 2)


@pytest.fixture(scope="module")
def samples(library: Any) -> Samples:
    return Samples(library.spectra, library.composition, library.target)


@pytest.mark.parametrize("scaled", [False, True])
def test_kernel_ridge_gradient_equals_finite_differences(samples: Samples, scaled: bool) -> None:
    model = fit_kernel_ridge(samples, np.arange(240), scaled=scaled)
    by_composition, by_spectrum = model.gradients(samples)
    step = 1e-6
    for gradient, field, column in (
        (by_composition, "composition", 2),
        (by_spectrum, "spectra", 9),
    ):
        ends = []
        for sign in (1, -1):
            values = {"spectra": samples.spectra.copy(), "composition": samples.composition.copy()}
            values[field][:, column] += sign * step
            ends.append(model.predict(Samples(target=samples.target, **values)))
        np.testing.assert_allclose(
            gradient[:, column], (ends[0] - ends[1]) / (2 * step), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_predict_held_out_samples(samples: Samples, name: str) -> None:
    fold = random_folds(240, 2, 0)
    held_out = held_out_predictions(samples, fold, BASELINES[name], 0)
    assert r2_score(samples.target, held_out) > 0.3
    spoiled = Samples(samples.spectra, samples.composition, samples.target.copy())
    spoiled.target[fold == 1] = 50
    again = held_out_predictions(spoiled, fold, BASELINES[name], 0)
    np.testing.assert_array_equal(held_out[fold == 1], again[fold == 1])


def test_kernel_ridge_total_gradient_points_right(library: Any, samples: Samples) -> None:
    fitted = BASELINES["kernel ridge, scaled"](samples, np.arange(240), 0)
    assert fitted.gradients is not None
    response = spectral_response(samples.spectra, samples.composition)
    total = total_gradient(fitted.gradients, samples, response)
    assert cosine(total, along_simplex(library.gradient)) > 0.7


def test_spread_of_a_process_is_that_of_its_differences(samples: Samples) -> None:
    """Posterior variance of (f(x + hd) - f(x - hd)) / 2h from the covariance of both values."""
    process = fit_gaussian_process(samples, np.arange(200))
    response = spectral_response(samples.spectra, samples.composition)
    std = process.total_gradient_std(samples, response)
    assert std.shape == (240, 7)
    sample, element, h = 211, 5, 1e-4
    trade = along_simplex(np.eye(7)[element])
    change = trade @ response.jacobian(samples.composition[[sample]])[0]
    ends = Samples(
        samples.spectra[sample] + h * np.array([[1], [-1]]) * change,
        samples.composition[sample] + h * np.array([[1], [-1]]) * trade,
        np.zeros(2),
    )
    x, trained = process.posterior.scaled(ends), process.posterior.inputs
    prior = np.exp(-((x[:, None] - x) ** 2).sum(-1))
    cross = np.exp(-((x[:, None] - trained) ** 2).sum(-1))
    known = np.linalg.solve(process.factor @ process.factor.T, cross.T)
    weights = np.array([1, -1]) / (2 * h)
    variance = weights @ (prior - cross @ known) @ weights
    expected = process.signal * np.sqrt(variance) / 100
    np.testing.assert_allclose(std[sample, element], expected, rtol=1e-3)


def test_comparison_with_the_truth() -> None:
    rng = np.random.default_rng(1)
    truth = along_simplex(rng.normal(size=(400, 5)))
    exact = compare_with_truth(truth, truth, np.full(truth.shape, 0.1), np.ones(truth.shape))
    assert exact["cosine"] == pytest.approx(1)
    assert exact["slope"] == pytest.approx(1)
    assert exact["sign_right"] == exact["agreed"] == exact["sign_right_where_agreed"] == 1
    assert compare_with_truth(0.5 * truth, truth)["slope"] == pytest.approx(0.5)
    assert compare_with_truth(-truth, truth)["sign_right"] == 0
    shifted = compare_with_truth(truth + 3.0, truth)
    assert shifted["cosine"] == pytest.approx(1)


def test_calibration_of_a_correct_spread() -> None:
    rng = np.random.default_rng(2)
    spread = rng.uniform(0.1, 2, (3000, 3))
    scores = calibration(np.abs(spread * rng.normal(size=spread.shape)), spread)
    assert scores["within_1"] == pytest.approx(0.68, abs=0.02)
    assert scores["within_2"] == pytest.approx(0.95, abs=0.01)
    np.testing.assert_allclose(scores["error"], scores["spread"], rtol=0.1)


def test_more_samples_more_skill(samples: Samples) -> None:
    recipe = replace(FAST, spectrum_epochs=3, composition_epochs=40, joined_epochs=12)
    partition = SamplePartition(3, random_folds(240, 3, 0), 0, 0)
    curve = learning_curve(samples, recipe, partition, shares=(0.15, 1.0))
    assert curve.samples == (24, 160)
    for scores in curve.scores.values():
        assert scores[1] > scores[0]
