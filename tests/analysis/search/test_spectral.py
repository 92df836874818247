"""Spectral similarity follows peaks, not baselines, scales or the axis they were measured on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.analysis.search.spectral_features import SpectralBasis, SpectrumTrace, fit
from motif.core.errors import UnsuitableDataError

AXIS = np.linspace(100.0, 1100.0, 400)


def trace(
    peak: float, *, scale: float = 1.0, offset: float = 0.0, slope: float = 0.0
) -> SpectrumTrace:
    shape = np.exp(-(((AXIS - peak) / 25) ** 2)) + 0.5 * np.exp(-(((AXIS - 300) / 15) ** 2))
    return SpectrumTrace(AXIS, scale * shape + offset + slope * (AXIS - 100) / 1000)


@pytest.fixture(scope="module")
def basis() -> SpectralBasis:
    return fit([trace(peak) for peak in np.linspace(400, 900, 40)])[0]


@settings(max_examples=30, deadline=None)
@given(
    peak=st.floats(420, 880),
    scale=st.floats(0.1, 1e4),
    offset=st.floats(-10, 10),
    slope=st.floats(-5, 5),
)
def test_baseline_and_scale_change_nothing(
    basis: SpectralBasis, peak: float, scale: float, offset: float, slope: float
) -> None:
    plain, disturbed = basis.features(
        [trace(peak), trace(peak, scale=scale, offset=scale * offset, slope=scale * slope)]
    )
    np.testing.assert_allclose(disturbed, plain, atol=1e-4)


def test_nearer_peaks_are_more_alike(basis: SpectralBasis) -> None:
    features = basis.features([trace(500), trace(505), trace(515), trace(800)])
    near, far, farthest = np.linalg.norm(features[1:] - features[0], axis=1)
    assert near < far < farthest


def test_axis_order_spacing_and_gaps_are_immaterial(basis: SpectralBasis) -> None:
    one = trace(600)
    uneven = np.sort(np.random.default_rng(0).permutation(400)[:390])
    uneven = np.unique(np.r_[0, uneven, 399])
    intensity = one.intensity.copy()
    intensity[200] = np.nan
    same = [
        one,
        SpectrumTrace(AXIS[::-1], one.intensity[::-1]),
        SpectrumTrace(AXIS[uneven], one.intensity[uneven]),
        SpectrumTrace(AXIS, intensity),
    ]
    features = basis.features(same)
    assert np.linalg.norm(features[1:] - features[0], axis=1).max() < 0.05


def test_spectra_on_different_axes_meet_where_they_overlap() -> None:
    inner = SpectrumTrace(AXIS[50:], trace(600).intensity[50:])
    _, features = fit([trace(600), inner, trace(800), trace(450)])
    distances = np.linalg.norm(features[1:] - features[0], axis=1)
    assert distances[0] < 0.05 < distances[1]


def test_what_has_no_shape_has_no_features(basis: SpectralBasis) -> None:
    flat = SpectrumTrace(AXIS, np.ones(400))
    short = SpectrumTrace(AXIS[:50], np.arange(50.0))
    empty = SpectrumTrace(AXIS, np.full(400, np.nan))
    assert np.isnan(basis.features([flat, short, empty])).all()


def test_spectra_without_overlap_are_refused() -> None:
    with pytest.raises(UnsuitableDataError, match="in common"):
        fit([trace(600), SpectrumTrace(AXIS + 5000, np.ones(400))])
    with pytest.raises(UnsuitableDataError, match="takes two"):
        fit([trace(600), SpectrumTrace(AXIS, np.ones(400))])
