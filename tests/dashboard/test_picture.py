"""Pictures of measurements: contrast, scale bar, the mark of simulated data."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from motif.dashboard.data.measurement_picture import (
    Style,
    image_picture,
    length_text,
    nice_length,
    spectrum_picture,
)
from motif.dashboard.data.point_colours import CATEGORIES, SCALES, lookup_table, stops

RAMP = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)


def pixels(webp: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(webp)).convert("RGB")).astype(int)


def test_low_is_dark_and_high_is_bright() -> None:
    picture = pixels(image_picture(RAMP, None, Style()))
    assert picture[:6].sum() < picture[-6:].sum()


@pytest.mark.parametrize("scale", SCALES)
def test_scales_grow_lighter_all_the_way(scale: str) -> None:
    table = lookup_table(scale).astype(float)  # type: ignore[arg-type]
    assert table.shape == (256, 3)
    luminance = table @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > -0.6).all()
    assert luminance[-1] > luminance[0] + 100


@pytest.mark.parametrize("size", [256, 640])
def test_large_pictures_carry_a_scale_bar(size: int) -> None:
    with_bar = pixels(image_picture(RAMP, 2e-6, Style(size)))
    without = pixels(image_picture(RAMP, None, Style(size)))
    corner = np.s_[int(0.8 * size) :, : size // 2]
    assert np.abs(with_bar[corner] - without[corner]).max() > 100
    assert np.abs(with_bar[: size // 2] - without[: size // 2]).max() < 40


@pytest.mark.parametrize("size", [128, 256, 640])
def test_simulated_data_say_so_in_every_size(size: int) -> None:
    stated = pixels(image_picture(RAMP, None, Style(size, simulated=True)))
    plain = pixels(image_picture(RAMP, None, Style(size)))
    corner = np.s_[: size // 6, size // 2 :]
    assert np.abs(stated[corner] - plain[corner]).max() > 100


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((8, 8)), np.full((8, 8), np.nan), np.full((8, 8), np.inf), np.eye(8),
        np.array([[np.nan, 1.0], [2.0, -np.inf]]), np.ones((1, 50)), np.ones((200, 3)),
    ],
)  # fmt: skip
def test_odd_frames_still_make_a_picture(frame: np.ndarray) -> None:
    picture = Image.open(io.BytesIO(image_picture(frame.astype(np.float32), 1e-6, Style(256))))
    assert max(picture.size) == 256


def test_odd_spectra_still_make_a_picture() -> None:
    axis = np.arange(10.0)
    for values in (np.zeros(10), np.full(10, np.nan), np.where(axis > 4, np.nan, axis)):
        assert pixels(spectrum_picture(axis, values, Style())).shape == (128, 128, 3)


@given(st.floats(1e-10, 1e-2))
def test_a_scale_bar_has_a_round_length_that_fits(width: float) -> None:
    length = nice_length(width)
    assert width / 9 <= length <= width / 3
    mantissa = length / 10 ** math.floor(math.log10(length) + 1e-9)
    assert min(abs(mantissa - step) for step in (1, 2, 5)) < 1e-6


def test_lengths_are_written_as_a_microscopist_would() -> None:
    assert [length_text(v) for v in (5e-7, 1e-6, 2e-9, 1e-3, 5e-11)] == [
        "500 nm", "1 µm", "2 nm", "1 mm", "50 pm",
    ]  # fmt: skip


def test_categories_differ() -> None:
    assert len(set(CATEGORIES)) == len(CATEGORIES)
    assert all(len(colour) == 7 for scale in SCALES for colour in stops(scale))
