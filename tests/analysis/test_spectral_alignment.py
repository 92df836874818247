"""Spectra of different axes on one, and a composition library as arrays."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.analysis.composition.datasets.composition_library import load_library
from motif.analysis.spectral_alignment import common_axis, interpolated, spectra_on_one_axis
from motif.core.errors import UnsuitableDataError
from motif.core.testing.fill_workspace import fill, spectrum
from motif.core.workspace import Workspace

AXES = (np.linspace(100, 1600, 301), np.linspace(1700, 80, 271), np.linspace(120, 1650, 511))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "lab") as opened:
        yield opened


def line(axis: np.ndarray) -> np.ndarray:
    return 3 + axis / 100


def test_the_common_axis_is_the_range_of_all_with_the_coarsest_spacing() -> None:
    positions = common_axis(AXES, "cm^-1")
    assert (positions[0], positions[-1]) == (120, 1600)
    assert np.diff(positions).min() == pytest.approx(6, rel=0.02)
    for axis in AXES:
        values = interpolated(line(axis)[None], axis, positions)
        np.testing.assert_allclose(values[0], line(positions))


@given(st.floats(1, 1e4), st.floats(0.1, 1e3), st.integers(2, 500), st.integers(2, 500))
def test_nothing_is_extrapolated(start: float, width: float, first: int, second: int) -> None:
    axes = [np.linspace(start, start + width, first), np.linspace(start + width, start, second)]
    positions = common_axis(axes, "nm")
    assert len(positions) <= max(first, second) + 1
    for axis in axes:
        assert axis.min() <= positions.min() <= positions.max() <= axis.max()


def test_ranges_that_hardly_overlap_are_refused() -> None:
    with pytest.raises(UnsuitableDataError, match="in common"):
        common_axis([np.linspace(0, 10, 20), np.linspace(8, 20, 20)], "nm")


def test_spectra_keep_the_order_of_their_rows(workspace: Workspace) -> None:
    spectra = [
        spectrum(np.full(len(axis), n), axis, str(n), {}, {}) for n, axis in enumerate(AXES * 2)
    ]
    rows = fill(workspace, "raman", {"table": spectra})[::-1]
    values, axis, sentence = spectra_on_one_axis(workspace, rows)
    assert values.shape == (6, len(axis))
    np.testing.assert_allclose(values[:, 0], [float(row.key) for row in rows])
    assert sentence.startswith("spectra of 3 different axes are interpolated onto")


def test_spectra_of_one_axis_are_returned_as_measured(workspace: Workspace) -> None:
    values = np.random.default_rng(0).random((3, len(AXES[1])))
    spectra = [spectrum(row, AXES[1], str(n), {}, {}) for n, row in enumerate(values)]
    rows = fill(workspace, "raman", {"table": spectra})
    read, axis, sentence = spectra_on_one_axis(workspace, rows)
    np.testing.assert_array_equal(axis, AXES[1])
    order = [int(row.key) for row in rows]
    np.testing.assert_allclose(read, values[order], rtol=1e-6)
    assert sentence == ""


def test_a_library_of_several_axes_is_aligned_and_states_it(workspace: Workspace) -> None:
    spectra = [
        spectrum(line(axis), axis, str(n), {"Bi": 0.5, "V": 0.5}, {"P": (1.0 + n, "mW/cm^2")})
        for n, axis in enumerate(AXES)
    ]
    fill(workspace, "oxides", {"a": spectra[:2], "b": spectra[2:]})
    library = load_library(workspace, "oxides")
    assert "3 different axes" in library.alignment
    np.testing.assert_allclose(library.spectra, np.tile(line(library.axis), (3, 1)), rtol=1e-6)
    stored = workspace.read(workspace.select("oxides")[0].id)
    assert len(stored) in {len(axis) for axis in AXES}, "what is stored stays as measured"
    assert load_library(workspace, "oxides", where='record = "test:b"').alignment == ""


def test_library_as_arrays(workspace: Workspace) -> None:
    axis = np.linspace(78, 1100, 40)
    spectra = [
        spectrum(
            np.full(40, n), axis, f"s{n}", {"Bi": n / 10, "V": 1 - n / 10},
            {"P": (float("nan") if n == 3 else n, "mW/cm^2")},
        )
        for n in range(6)
    ]  # fmt: skip
    fill(workspace, "lib", {"table": spectra})
    library = load_library(workspace, "lib")
    order = [int(name[1:]) for name in library.samples]
    np.testing.assert_allclose(library.composition[:, 0], np.array(order) / 10)
    np.testing.assert_allclose(library.spectra[:, 5], order)
    np.testing.assert_allclose(library.axis, axis)
    assert library.target_unit == "mW/cm^2"
    assert np.isnan(library.target[order.index(3)])
    with pytest.raises(UnsuitableDataError, match='no figure of merit "Q"; it has P'):
        load_library(workspace, "lib", "Q")


def test_a_collection_without_compositions_is_not_a_library(workspace: Workspace) -> None:
    fill(workspace, "raman", {"table": [spectrum(line(AXES[0]), AXES[0], "plain", {}, {})]})
    with pytest.raises(UnsuitableDataError, match="no spectra with a composition; ingest a"):
        load_library(workspace, "raman")
    with pytest.raises(UnsuitableDataError, match=r"that match .* widen the filter"):
        load_library(workspace, "raman", where='record = "test:table"')
