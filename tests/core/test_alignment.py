import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.alignment import aligned, common_axis
from motif.core.errors import UnsuitableDataError
from motif.core.testing.filling import fill, spectrum
from motif.core.workspace import Workspace

AXES = (np.linspace(100, 1600, 301), np.linspace(1700, 80, 271), np.linspace(120, 1650, 511))


def line(axis: np.ndarray) -> np.ndarray:
    return 3 + axis / 100


def test_axes_meet_where_all_of_them_are() -> None:
    positions = common_axis(AXES, "cm^-1")
    assert (positions[0], positions[-1]) == (120, 1600)
    assert np.diff(positions).min() == pytest.approx(6, rel=0.02)
    for axis in AXES:
        np.testing.assert_allclose(aligned(line(axis)[None], axis, positions)[0], line(positions))


@given(st.floats(1, 1e4), st.floats(0.1, 1e3), st.integers(2, 500), st.integers(2, 500))
def test_nothing_is_extrapolated(start: float, width: float, first: int, second: int) -> None:
    axes = [np.linspace(start, start + width, first), np.linspace(start + width, start, second)]
    positions = common_axis(axes, "nm")
    assert len(positions) <= max(first, second) + 1
    for axis in axes:
        assert axis.min() <= positions.min() <= positions.max() <= axis.max()


def test_ranges_apart_are_refused() -> None:
    with pytest.raises(UnsuitableDataError, match="in common"):
        common_axis([np.linspace(0, 10, 20), np.linspace(8, 20, 20)], "nm")


def test_a_library_on_several_axes_is_aligned_and_says_so(workspace: Workspace) -> None:
    made = [
        spectrum(line(axis), axis, str(n), {"Bi": 0.5, "V": 0.5}, {"P": (1.0 + n, "mW/cm^2")})
        for n, axis in enumerate(AXES)
    ]
    fill(workspace, "oxides", {"a": made[:2], "b": made[2:]})
    library = workspace.library("oxides")
    assert "3 different axes" in library.alignment
    np.testing.assert_allclose(library.spectra, np.tile(line(library.axis), (3, 1)), rtol=1e-6)
    stored = workspace.read(workspace.select("oxides")[0].id)
    assert len(stored) in {len(axis) for axis in AXES}, "what is stored stays as measured"
    assert workspace.library("oxides", where='record = "test:b"').alignment == ""
