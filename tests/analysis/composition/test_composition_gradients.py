"""Gradients: exact, in the paper's units, and close to a known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from motif.analysis.composition.ensemble import Ensemble
from motif.analysis.composition.gradients import Gradients, along_simplex, gradients
from motif.analysis.composition.integrated import integrated_gradients
from motif.analysis.composition.network import Architecture, initialise
from motif.analysis.composition.recipes import FAST
from motif.analysis.composition.response import spectral_response
from motif.analysis.composition.samples import Member, Samples
from motif.analysis.composition.scaling import scaling_of
from motif.analysis.composition.training import train

RNG = np.random.default_rng(2)
SAMPLES = Samples(RNG.random((12, 40)), RNG.dirichlet(np.ones(3), 12), RNG.random(12) * 4)


def an_ensemble(members: int = 3) -> Ensemble:
    architecture = Architecture(40, 3)
    generators = [np.random.default_rng(k) for k in range(members)]
    parameters = initialise(architecture, generators, "lecun", torch.float64)
    parameters["joined.2.weight"] += torch.from_numpy(RNG.normal(size=(members, 32, 1)))
    scaling = scaling_of(
        SAMPLES, [np.arange(12)] * members, [Member(k) for k in range(members)], FAST
    )
    return Ensemble(architecture, parameters, scaling)


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
    found = gradients(ensemble, SAMPLES, response)
    by_composition = central_difference(
        lambda c: ensemble.predict(SAMPLES.spectra, c), SAMPLES.composition
    )
    by_spectrum = central_difference(
        lambda s: ensemble.predict(s, SAMPLES.composition), SAMPLES.spectra
    )
    np.testing.assert_allclose(found.composition_mean, by_composition.mean(0) / 100, atol=1e-8)
    np.testing.assert_allclose(found.composition_std, by_composition.std(0) / 100, atol=1e-8)
    np.testing.assert_allclose(found.spectrum_mean, by_spectrum.mean(0), atol=1e-6)
    np.testing.assert_allclose(found.total_mean.sum(1), 0, atol=1e-12)
    assert found.sign_agreement.min() >= 0
    assert found.sign_agreement.max() <= 1


def test_integrated_gradients_add_up_to_the_change_from_the_average_sample() -> None:
    ensemble = an_ensemble()
    response = spectral_response(SAMPLES.spectra, SAMPLES.composition)
    found = integrated_gradients(ensemble, SAMPLES, response, nodes=40)
    means = SAMPLES.composition.mean(0), SAMPLES.spectra.mean(0)
    parts = found.composition * 100 * (SAMPLES.composition - means[0])
    told = parts.sum(-1) + (found.spectrum * (SAMPLES.spectra - means[1])).sum(-1)
    here = ensemble.predict(SAMPLES.spectra, SAMPLES.composition)
    there = ensemble.predict(means[1][None], means[0][None])
    np.testing.assert_allclose(told, here - there, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.total.sum(-1), 0, atol=1e-12)


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
    again = Ensemble.from_arrays(ensemble.architecture, arrays)
    np.testing.assert_array_equal(
        ensemble.predict(SAMPLES.spectra, SAMPLES.composition),
        again.predict(SAMPLES.spectra, SAMPLES.composition),
    )


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)))


@pytest.fixture(scope="module")
def learned(simulated_library: Any) -> tuple[Any, Gradients]:
    library = simulated_library(500, 240, 1)
    samples = Samples(library.spectra, library.composition, library.target)
    recipe = replace(FAST, composition_epochs=40)
    ensemble = train(samples, [np.arange(500)] * 4, [Member(s) for s in range(4)], recipe)
    response = spectral_response(samples.spectra, samples.composition)
    return library, gradients(ensemble, samples, response)


def test_total_gradient_points_where_the_truth_does(learned: tuple[Any, Gradients]) -> None:
    library, found = learned
    truth = along_simplex(library.gradient) / 100
    assert cosine(found.total_mean, truth) > 0.85
    slope = (found.total_mean * truth).sum() / (truth**2).sum()
    assert 0.7 < slope < 1.3


def test_agreement_tells_right_signs_from_guesses(learned: tuple[Any, Gradients]) -> None:
    library, found = learned
    right = np.sign(found.total_mean) == np.sign(along_simplex(library.gradient))
    sure = found.sign_agreement == 1
    assert 0.2 < sure.mean() < 1
    assert right[sure].mean() > right[~sure].mean()
