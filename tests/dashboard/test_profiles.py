"""Axes and profiles of images."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from motif.dashboard.data import line_profile

share = st.floats(0, 1)


@given(st.floats(1e-12, 1e9))
def test_ticks_are_round_begin_at_nothing_and_stay_inside(length: float) -> None:
    found = line_profile.ticks(length)
    assert found[0] == (0.0, "0")
    assert 3 <= len(found) <= 7
    assert all(0 <= at <= 1 + 1e-9 for at, _ in found)
    for at, text in found:
        assert float(text) == pytest.approx(at * length, rel=1e-3, abs=1e-30)


def test_an_axis_has_the_unit_it_reads_best_in() -> None:
    middles = xr.DataArray(1e-8 * np.arange(200), dims="x", attrs={"units": "m"})
    axis = line_profile.axis_of(middles)
    assert axis.unit == "µm"
    assert axis.length == pytest.approx(2e-6)
    assert [text for _, text in axis.ticks] == ["0", "0.5", "1", "1.5", "2"]


def test_an_axis_without_a_unit_counts_pixels() -> None:
    axis = line_profile.axis_of(xr.DataArray(np.arange(64), dims="x"))
    assert (axis.unit, axis.length) == ("px", 64.0)


@given(share, share, share, share)
def test_a_profile_of_a_slope_is_the_slope(x0: float, y0: float, x1: float, y1: float) -> None:
    y, x = np.mgrid[0:60, 0:80]
    frame = (2.0 * x + 3.0 * y).astype(np.float32)
    found = line_profile.profile(frame, (x0, y0, x1, y1), (80.0, 60.0))
    assert found.distance[0] == 0
    assert found.distance[-1] == pytest.approx(math.hypot((x1 - x0) * 80, (y1 - y0) * 60))

    def value(at_x: float, at_y: float) -> float:
        in_x, in_y = np.clip(at_x * 80 - 0.5, 0, 79), np.clip(at_y * 60 - 0.5, 0, 59)
        return float(2 * in_x + 3 * in_y)

    assert found.values[0] == pytest.approx(value(x0, y0), abs=1e-3)
    assert found.values[-1] == pytest.approx(value(x1, y1), abs=1e-3)


def test_a_line_goes_through_the_address() -> None:
    assert line_profile.parse_line(line_profile.spell_line((0.1, 0.2, 0.9, 1.0))) == (
        0.1,
        0.2,
        0.9,
        1.0,
    )
    for text in ("", "1,2,3", "a,b,c,d", "0,0,0,0", "0,0,2,1", "nan,0,1,1"):
        assert line_profile.parse_line(text) is None
