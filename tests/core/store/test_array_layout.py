"""Layouts, ids and buckets of measurements, and their way back to DataArrays."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from motif.core.records import Measurement
from motif.core.store.array_layout import (
    SPECTRA_PER_CHUNK,
    bucket_of,
    canonical,
    chunk_rows,
    layout_of,
    measurement_id,
)
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace

AXIS = np.array([100.0, 101.0, 103.0, 107.0])


def curve(axis: np.ndarray = AXIS, unit: str = "1/cm") -> Measurement:
    data = xr.DataArray(
        np.arange(4.0), {"raman_shift": ("raman_shift", axis, {"units": unit})}, ["raman_shift"],
        attrs={"units": "count"},
    )  # fmt: skip
    return Measurement("0", "spectrum", "curve", data)


def layout(measurement: Measurement) -> dict:
    return layout_of(measurement, canonical(measurement))[0]


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [("f4", "<f4"), ("f8", "<f8"), (">f8", "<f8"), ("i2", "<f4"), ("u1", "<f4"), ("i4", "<f8")],
)
def test_values_are_stored_as_floats_that_keep_them(dtype: str, stored: str) -> None:
    values = np.arange(12).reshape(3, 4).T.astype(dtype)[None]
    measurement = Measurement("0", "image", "t", xr.DataArray(values, dims=("channel", "y", "x")))
    kept = canonical(measurement)
    assert kept.dtype.str == stored
    assert kept.flags.c_contiguous
    np.testing.assert_array_equal(kept, values)


def test_an_even_image_axis_is_start_and_step() -> None:
    document = layout(image(np.zeros((3, 4, 6)), pixel_size=2e-9))
    assert document["coordinates"]["x"] == {
        "units": "m", "start": 0.0, "step": pytest.approx(2e-9),
    }  # fmt: skip
    assert document["channels"] == ["Height", "Amplitude", "Phase"]
    assert document["units"] == ["m", "m", "deg"]
    assert document["shape"] == [3, 4, 6]


def test_the_axis_of_spectra_is_an_array_they_share() -> None:
    first, axes = layout_of(curve(), canonical(curve()))
    path = first["coordinates"]["raman_shift"]["array"]
    np.testing.assert_array_equal(axes[path], AXIS)
    assert layout(curve())["coordinates"]["raman_shift"]["array"] == path
    assert layout(curve(AXIS + 1e-9))["coordinates"]["raman_shift"]["array"] != path


def test_buckets_differ_by_shape_dtype_and_axis() -> None:
    small, wide = (layout(image(np.zeros((3, 4, width)))) for width in (6, 7))
    assert bucket_of("pfm", "image", small) == "collections/pfm/image/3x4x6-float32"
    assert bucket_of("pfm", "image", wide) != bucket_of("pfm", "image", small)
    one, other = layout(curve()), layout(curve(AXIS * 2))
    assert bucket_of("lib", "spectrum", one) != bucket_of("lib", "spectrum", other)
    assert (chunk_rows("image"), chunk_rows("spectrum")) == (1, SPECTRA_PER_CHUNK)


def test_an_id_depends_on_record_key_layout_and_values() -> None:
    values = canonical(curve())
    document = layout(curve())
    identity = measurement_id("s:a", "0", "spectrum", document, values)
    assert identity == measurement_id("s:a", "0", "spectrum", dict(document), values.copy())
    others = [
        measurement_id("s:b", "0", "spectrum", document, values),
        measurement_id("s:a", "1", "spectrum", document, values),
        measurement_id("s:a", "0", "image", document, values),
        measurement_id("s:a", "0", "spectrum", layout(curve(unit="nm")), values),
        measurement_id("s:a", "0", "spectrum", document, values + 1),
    ]
    assert len({identity, *others}) == 6


def test_spectra_are_read_back_with_axis_and_units(workspace: Workspace) -> None:
    (row,) = fill(workspace, "lib", {"t": [curve()]})
    read = workspace.read(row.id)
    np.testing.assert_array_equal(read.coords["raman_shift"].values, AXIS)
    assert read.coords["raman_shift"].attrs == {"units": "1/cm"}
    assert read.attrs == {"units": "count"}
    assert read.name == "curve"


@given(st.floats(-1e3, 1e3), st.floats(1e-12, 1e3), st.integers(2, 50))
def test_restored_image_axes_are_within_a_millionth_of_a_step(
    start: float, step: float, count: int
) -> None:
    axis = start + step * np.arange(count)
    data = xr.DataArray(
        np.zeros((1, 2, count), np.float32), dims=("channel", "y", "x"),
        coords={
            "channel": ["h"], "unit": ("channel", ["m"]),
            "y": ("y", [0.0, 1.0], {"units": "m"}), "x": ("x", axis, {"units": "m"}),
        },
    )  # fmt: skip
    stored = layout(Measurement("0", "image", "t", data))["coordinates"]["x"]
    if "array" not in stored:
        restored = stored["start"] + stored["step"] * np.arange(count)
        assert np.abs(restored - axis).max() <= 1e-6 * abs(stored["step"]) * 1.01


def test_spectra_of_several_axes_are_refused_together(workspace: Workspace) -> None:
    from motif.core.errors import UnsuitableDataError

    table = [spectrum(np.ones(4), AXIS + n, str(n), {}, {}) for n in range(2)]
    rows = fill(workspace, "lib", {"t": table})
    with pytest.raises(UnsuitableDataError, match="2 different axes"):
        workspace.spectra(rows)
    np.testing.assert_array_equal(workspace.spectra(rows[:1]), np.ones((1, 4)))
