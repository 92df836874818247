"""Gradients: exact, in the paper's units, and close to a known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from motif.analysis.composition.datasets.composition_library import Samples
from motif.analysis.composition.gradients.performance_gradients import (
    PerformanceGradients,
    along_simplex,
    gradients,
    spectral_response,
)
from motif.analysis.composition.regression.composition_network import (
    NetworkArchitecture,
    initialise,
)
from motif.analysis.composition.regression.ensemble import NetworkEnsemble, input_scaling
from motif.analysis.composition.regression.member_training import train
from motif.analysis.composition.regression.training_recipe import FAST, EnsembleMember
from motif.analysis.composition.study.integrated_gradients import integrated_gradients

RNG = np.random.default_rng(2)
SAMPLES = Samples(RNG.random((12, 40)), RNG.dirichlet(np.ones(3), 12), RNG.random(12) * 4)


def an_ensemble(members: int = 3) -> NetworkEnsemble:
    architecture = NetworkArchitecture(40, 3)
    generators = [np.random.default_rng(k) for k in range(members)]
    parameters = initialise(architecture, generators, "lecun", torch.float64)
    parameters["joined.2.weight"] += torch.from_numpy(RNG.normal(size=(members, 32, 1)))
    scaling = input_scaling(
        SAMPLES, [np.arange(12)] * members, [EnsembleMember(k) for k in range(members)], FAST
    )
    return NetworkEnsemble(architecture, parameters, scaling)


def central_difference(f: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    step = 1e-6
    columns = []
    for i in range(at.shape[1]):
        shift = np.zeros(at.shape)
        shift[:, i] = step
        columns.append((f(at + shift) - f(at - shift)) / (2 * step))
    return np.stack(columns, -1)


def test_gradients_equal_finite_differences_in_physical_units() -> None:
    ensemble = an_ensemble()
    response = spectral_response(SAMPLES.spectra, SAMPLES.composition)
    computed = gradients(ensemble, SAMPLES, response)
    by_composition = central_difference(
        lambda c: ensemble.predict(SAMPLES.spectra, c), SAMPLES.composition
    )
    by_spectrum = central_difference(
        lambda s: ensemble.predict(s, SAMPLES.composition), SAMPLES.spectra
    )
    np.testing.assert_allclose(computed.composition_mean, by_composition.mean(0) / 100, atol=1e-8)
    np.testing.assert_allclose(computed.composition_std, by_composition.std(0) / 100, atol=1e-8)
    np.testing.assert_allclose(computed.spectrum_mean, by_spectrum.mean(0), atol=1e-6)
    np.testing.assert_allclose(computed.total_mean.sum(1), 0, atol=1e-12)
    assert computed.sign_agreement.min() >= 0
    assert computed.sign_agreement.max() <= 1


def test_integrated_gradients_add_up_to_the_change_from_the_average_sample() -> None:
    ensemble = an_ensemble()
    response = spectral_response(SAMPLES.spectra, SAMPLES.composition)
    integrated = integrated_gradients(ensemble, SAMPLES, response, nodes=40)
    means = SAMPLES.composition.mean(0), SAMPLES.spectra.mean(0)
    by_element = integrated.composition * 100 * (SAMPLES.composition - means[0])
    change = by_element.sum(-1) + (integrated.spectrum * (SAMPLES.spectra - means[1])).sum(-1)
    at_samples = ensemble.predict(SAMPLES.spectra, SAMPLES.composition)
    at_mean = ensemble.predict(means[1][None], means[0][None])
    np.testing.assert_allclose(change, at_samples - at_mean, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(integrated.total.sum(-1), 0, atol=1e-12)


def test_chain_through_the_spectrum_equals_finite_differences() -> None:
    response = spectral_response(SAMPLES.spectra, SAMPLES.composition)

    def spectrum(c: np.ndarray) -> np.ndarray:
        squared = ((c[:, None] - response.anchors) ** 2).sum(-1)
        return c @ response.linear + np.exp(-response.gamma * squared) @ response.weights

    slope = RNG.normal(size=(2, 12, 40))
    derivative = central_difference(lambda c: spectrum(c).T, SAMPLES.composition)
    expected = np.einsum("knl,lne->kne", slope, derivative)
    found = response.chain(slope, SAMPLES.composition)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    jacobian = response.jacobian(SAMPLES.composition)
    np.testing.assert_allclose(np.einsum("knl,nel->kne", slope, jacobian), found, atol=1e-9)


def test_response_recovers_a_linear_mixture() -> None:
    composition = RNG.dirichlet(np.ones(3), 300)
    pure = RNG.random((3, 50))
    response = spectral_response(composition @ pure, composition)
    slope = RNG.normal(size=(1, 300, 50))
    found = along_simplex(response.chain(slope, composition))
    expected = along_simplex(slope @ pure.T)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99


def test_members_survive_the_store() -> None:
    ensemble = an_ensemble().to(torch.float32)
    arrays = [ensemble.member_arrays(k) for k in range(3)]
    again = NetworkEnsemble.from_arrays(ensemble.architecture, arrays)
    np.testing.assert_array_equal(
        ensemble.predict(SAMPLES.spectra, SAMPLES.composition),
        again.predict(SAMPLES.spectra, SAMPLES.composition),
    )


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)))


@pytest.fixture(scope="module")
def learned(simulated_library: Any) -> tuple[Any, PerformanceGradients]:
    library = simulated_library(500, 240, 1)
    samples = Samples(library.spectra, library.composition, library.target)
    recipe = replace(FAST, composition_epochs=40)
    ensemble = train(samples, [np.arange(500)] * 4, [EnsembleMember(s) for s in range(4)], recipe)
    response = spectral_response(samples.spectra, samples.composition)
    return library, gradients(ensemble, samples, response)


def test_total_gradient_points_where_the_truth_does(
    learned: tuple[Any, PerformanceGradients],
) -> None:
    library, found = learned
    truth = along_simplex(library.gradient) / 100
    assert cosine(found.total_mean, truth) > 0.85
    slope = (found.total_mean * truth).sum() / (truth**2).sum()
    assert 0.7 < slope < 1.3


def test_agreement_tells_right_signs_from_guesses(
    learned: tuple[Any, PerformanceGradients],
) -> None:
    library, found = learned
    right = np.sign(found.total_mean) == np.sign(along_simplex(library.gradient))
    sure = found.sign_agreement == 1
    assert 0.2 < sure.mean() < 1
    assert right[sure].mean() > right[~sure].mean()
