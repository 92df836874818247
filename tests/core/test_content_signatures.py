"""Content signatures survive export to other formats and ignore data without structure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.core.catalog.content_signatures import (
    MIN_IMAGE_SIZE,
    MIN_SPECTRUM_LENGTH,
    compare_spectra,
    content_signatures,
    in_si,
    same_images,
    unevenness,
)

IMAGE = {"dims": ["channel", "y", "x"]}
TOLERANCE = 2e-4


def scan(seed: int = 1, shape: tuple[int, int] = (32, 48)) -> np.ndarray:
    smooth = np.random.default_rng(seed).normal(size=shape).cumsum(0).cumsum(1)
    return np.asarray(smooth / smooth.std())


def image_signature(plane: np.ndarray) -> tuple:
    (signature,) = content_signatures(IMAGE, plane[None], {})
    return signature


def spectrum_signature(axis: np.ndarray, values: np.ndarray, unit: str = "1/cm") -> tuple:
    layout = {"dims": ["x"], "coordinates": {"x": {"units": unit, "array": "axes/x"}}}
    (signature,) = content_signatures(layout, values, {"axes/x": axis})
    return signature


def distance(first: tuple, second: tuple) -> float:
    assert first[:2] == second[:2]
    return max(abs(a - b) for a, b in zip(first[2:], second[2:], strict=True))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30), st.integers(0, 7), st.floats(0.1, 1e9), st.floats(-1e3, 1e3))
def test_units_offset_and_orientation_hardly_matter(
    seed: int, orientation: int, factor: float, offset: float
) -> None:
    plane = scan(seed)
    other = np.rot90(plane, orientation % 4)
    other = (other.T if orientation > 3 else other) * factor + offset * factor
    assert distance(image_signature(plane), image_signature(other.astype(np.float64))) < TOLERANCE


def test_different_scans_are_not_neighbours() -> None:
    signatures = [image_signature(scan(seed)) for seed in range(12)]
    for number, first in enumerate(signatures):
        assert all(distance(first, second) > TOLERANCE for second in signatures[:number])


def test_rounding_to_four_digits_hardly_matters() -> None:
    plane = scan()
    rounded = np.array([float(f"{value:.4g}") for value in plane.ravel()]).reshape(plane.shape)
    assert distance(image_signature(plane), image_signature(rounded)) < TOLERANCE
    assert same_images(plane, rounded, ("m", "m"))


def test_a_reversed_axis_in_another_unit_gives_the_same_signature() -> None:
    axis = np.linspace(400, 700, 200)
    values = np.exp(-(((axis - 500) / 30) ** 2)) + 0.01 * np.sin(axis)
    first = spectrum_signature(axis, values, "nm")
    second = spectrum_signature(axis[::-1] * 1e-3, values[::-1], "um")
    assert distance(first, second) < TOLERANCE
    assert first[1] == "spectrum over m"


@pytest.mark.parametrize(
    "plane",
    [
        np.zeros((32, 32)),
        np.full((32, 32), np.nan),
        np.full((32, 32), 3e-7) + 1e-15 * scan(shape=(32, 32)),
        scan()[: MIN_IMAGE_SIZE - 1],
        np.repeat([[0.0, 1.0]], 32, axis=0).repeat(16, axis=1),
    ],
    ids=["zero", "gaps", "constant within resolution", "too small", "two values"],
)
def test_images_without_structure_have_no_signature(plane: np.ndarray) -> None:
    assert content_signatures(IMAGE, plane[None], {}) == []


def test_gaps_count_as_the_mean() -> None:
    plane = scan()
    plane[3:5, 7] = np.nan
    assert np.isfinite(image_signature(plane)[2:]).all()


def test_short_spectra_and_broken_axes_have_no_signature() -> None:
    layout = {"dims": ["x"], "coordinates": {"x": {"units": "nm", "array": "a"}}}
    values = np.random.default_rng(1).random(MIN_SPECTRUM_LENGTH)
    axis = np.arange(MIN_SPECTRUM_LENGTH, dtype=float)
    assert len(content_signatures(layout, values, {"a": axis})) == 1
    assert content_signatures(layout, values[:-1], {"a": axis[:-1]}) == []
    assert content_signatures(layout, values, {"a": np.zeros_like(axis)}) == []
    assert content_signatures(layout, values, {"a": np.append(axis[:-1], np.nan)}) == []
    assert content_signatures(layout, values, {}) == []


def test_unknown_units_are_left_as_they_are() -> None:
    positions, unit = in_si(np.array([1.0, 2.0]), "furlongish")
    assert (positions.tolist(), unit) == ([1.0, 2.0], "furlongish")
    assert in_si(np.array([1.0, 2.0]), "degC")[0].tolist() == [274.15, 275.15]


def test_unevenness_of_axes() -> None:
    assert unevenness(np.arange(10.0)) == 0
    assert unevenness(np.arange(10.0)[::-1]) == 0
    assert unevenness(np.array([0.0, 1.0, 3.0])) == pytest.approx(1 / 1.5)


def test_spectra_on_other_grids_need_the_same_name() -> None:
    axis = 100 + 1500 * np.linspace(0, 1, 700) ** 1.02
    even = np.linspace(100, 1600, 700)
    values = np.exp(-(((axis - 500) / 60) ** 2))
    resampled = np.interp(even, axis, values)
    units = ("count", "count")
    first, second = (axis, values), (even, resampled)
    assert compare_spectra(first, second, units, same_name=True) == "resampled"
    assert compare_spectra(first, second, units, same_name=False) is None
    shorter = (even[:400], resampled[:400])
    assert compare_spectra(first, shorter, units, same_name=True) is None


def test_images_of_other_shapes_are_different() -> None:
    assert not same_images(scan(), scan()[:, :-1], ("m", "m"))
    assert same_images(scan(), scan().T, ("m", "m"))
    assert not same_images(np.zeros((4, 4)), np.zeros((4, 4)), ("m", "m"))
