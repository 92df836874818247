from pathlib import Path

import numpy as np
import pytest

from motif.core.testing.bivo4_truth import (
    ELEMENTS,
    bivo4_gradient,
    bivo4_gradient_distortion,
    bivo4_performance,
    bivo4_spectrum,
)
from motif.ingest.readers.library.library_table import CompositionTable
from motif.ingest.simulate.simulated_library import SimulatedLibrary, simulate_library

STEP = 1e-6


@pytest.fixture(scope="module")
def library() -> SimulatedLibrary:
    return simulate_library()


def test_composition_gradient_is_the_derivative(library: SimulatedLibrary) -> None:
    c, z = library.composition, library.distortion
    for i in range(len(ELEMENTS)):
        step = np.eye(len(ELEMENTS))[i] * STEP
        difference = bivo4_performance(c + step, z) - bivo4_performance(c - step, z)
        np.testing.assert_allclose(bivo4_gradient(c, z)[:, i], difference / (2 * STEP), atol=1e-4)


def test_distortion_gradient_is_the_derivative(library: SimulatedLibrary) -> None:
    c, z = library.composition, library.distortion
    difference = bivo4_performance(c, z + STEP) - bivo4_performance(c, z - STEP)
    np.testing.assert_allclose(bivo4_gradient_distortion(c, z), difference / (2 * STEP), atol=1e-6)


def test_alike_elements_act_alike(library: SimulatedLibrary) -> None:
    gradient = bivo4_gradient(library.composition, library.distortion)
    columns = {element: gradient[:, i] for i, element in enumerate(ELEMENTS)}
    assert np.corrcoef(columns["Mo"], columns["W"])[0, 1] > 0.99
    assert np.corrcoef(columns["Gd"], columns["Tb"])[0, 1] > 0.99
    assert abs(np.corrcoef(columns["Gd"], columns["Mo"])[0, 1]) < 0.9


def test_spectra_betray_the_distortion() -> None:
    composition = np.array([[0.51, 0.49, 0, 0, 0, 0, 0]])
    shift = np.arange(100.0, 1000.0, 0.5)
    doublet = (shift > 300) & (shift < 400)
    low, high = (bivo4_spectrum(composition, np.array([z]), shift)[0][doublet] for z in (-2.0, 2.0))
    assert np.abs(low - high).max() > 0.1
    peak = shift[bivo4_spectrum(composition, np.zeros(1), shift)[0].argmax()]
    assert peak == pytest.approx(829, abs=1)


def test_the_library_has_the_published_size_and_ranges(library: SimulatedLibrary) -> None:
    assert library.spectra.shape == (1379, 1015)
    assert library.shift[0] == 78.025
    assert library.shift[-1] == pytest.approx(1340, abs=10)
    alloying = library.composition[:, 2:]
    assert alloying.max() <= 0.09
    assert ((alloying > 0).sum(axis=1) <= 3).all()
    np.testing.assert_allclose(library.composition.sum(axis=1), 1, atol=1e-9)
    assert (library.composition >= 0).all()
    assert 0.2 < library.performance.min() < library.performance.max() < 6


def test_noise_leaves_a_known_ceiling(library: SimulatedLibrary) -> None:
    exact = bivo4_performance(library.composition, library.distortion)
    residual = library.performance - exact
    assert 0.87 < 1 - residual.var() / library.performance.var() < 0.90
    assert residual.std() == pytest.approx(library.noise, rel=0.06)
    flat = bivo4_performance(library.composition, np.zeros(len(exact)))
    assert 0.3 < flat.var() / exact.var() < 0.8, "both composition and distortion matter"


def test_the_same_seed_gives_the_same_library() -> None:
    first, again, other = simulate_library(20, 1), simulate_library(20, 1), simulate_library(20, 2)
    np.testing.assert_array_equal(first.spectra, again.spectra)
    assert first.truth() == again.truth()
    assert not np.array_equal(first.performance, other.performance)


def test_the_table_has_the_published_form_and_the_truth_follows_from_the_record(
    tmp_path: Path,
) -> None:
    library = simulate_library(40, 3)
    library.write(tmp_path / "dataset.csv")
    lines = (tmp_path / "dataset.csv").read_text().splitlines()
    assert "imulated" in lines[0]
    assert lines[1].startswith("Sample, Bi, V, W, Dy, Gd, Mo, Tb, 78.025, ")
    assert lines[1].endswith(", P")
    samples = CompositionTable()(tmp_path / "dataset.csv").measurements
    assert len(samples) == 40
    assert samples[0].data.sizes == {"raman_shift": 1015}
    assert any(f.name == "simulated" and f.value is True for f in samples[0].facets)
    truth = library.truth()
    composition = np.array([[m.composition[e] for e in ELEMENTS] for m in samples])
    distortion = np.array([truth["distortion"][m.key] for m in samples])
    measured = np.array([m.targets["P"][0] for m in samples])
    residual = measured - bivo4_performance(composition, distortion)
    assert residual.std() < 1.5 * truth["noise"]
