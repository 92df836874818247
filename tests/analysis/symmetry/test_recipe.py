"""What is done to a scan before it is described: scale, channels, phase, levelling, shape."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.analysis.search.search_request import SearchRequest
from motif.analysis.search.similarity_search import search
from motif.analysis.symmetry.embedding.embedding_results import current, named, vectors
from motif.analysis.symmetry.embedding.fused_embedding import embed
from motif.analysis.symmetry.extractors.analytic_descriptor import AnalyticDescriptor
from motif.analysis.symmetry.extractors.preparation_recipe import PreparationRecipe, aspect
from motif.analysis.symmetry.extractors.scan_features import (
    Features,
    flattened,
    polarity,
    prepare,
    resampled,
    wavelengths,
    windows,
)
from motif.core.errors import ConfigError, UnsuitableDataError
from motif.core.records import Measurement
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

RNG = np.random.default_rng(0)


def stripes(nm: float, pixel_nm: float, size: int = 160, angle: float = 0.4) -> np.ndarray:
    """Phase in degrees of stripes of a period in nm."""
    y, x = np.mgrid[:size, :size] * 2 * np.pi * pixel_nm / nm
    return 80 * np.tanh(3 * np.sin(x * np.cos(angle) + y * np.sin(angle)))


def phase_scan(phase: np.ndarray, pixel_nm: float | None = 10) -> Measurement:
    made = image(phase[None], ("Phase",), ("deg",), 1e-9 * (pixel_nm or 1))
    if pixel_nm is None:
        for axis in ("x", "y"):
            made.data.coords[axis].attrs["units"] = "pixel"
    return made


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "lab") as opened:
        yield opened


def vector_of(
    workspace: Workspace, scan: Measurement, recipe: PreparationRecipe | None = None
) -> np.ndarray:
    (row,) = fill(workspace, "one" + scan.key, {"r": [scan]})
    (frame,) = [frame for _, frame in workspace.frames([row])]
    return Features(AnalyticDescriptor(), recipe)([(row, frame)])[0]


def test_like_means_like_in_nanometres_on_request(workspace: Workspace) -> None:
    """Period 100 nm in a scan of 1.6 um, the same in 3.2 um, and 200 nm in 3.2 um."""
    scans = {
        "asked": phase_scan(stripes(100, 10)),
        "same nm": phase_scan(stripes(100, 20, angle=1.2), 20),
        "same look": phase_scan(stripes(200, 20, angle=1.2), 20),
        "no size": phase_scan(stripes(100, 10), None),
        "small": phase_scan(stripes(100, 10, 48)),
    }
    rows = fill(workspace, "pfm", {name: [scan] for name, scan in scans.items()})
    names = {row.id: workspace.record(row.record_id).native_id for row in rows}
    ids = {name: one for one, name in names.items()}
    whole = embed(workspace, "pfm", extractor="analytic")
    assert (whole["count"], whole["left_out"]) == (5, {})
    made = embed(workspace, "pfm", extractor="analytic", recipe=PreparationRecipe(nm_per_pixel=10))
    assert made["count"] == 3
    assert made["left_out"] == {"no pixel size": 1, "smaller than 640 nm": 1}
    assert made["features"] == "analytic@10nm"

    def nearest(features: str, where: str | None = None) -> str:
        request = SearchRequest(
            "pfm", ids=[ids["asked"]], features=features, where=where,
            keep=[ids["same nm"], ids["same look"]], weights={"scale": 0},
        )  # fmt: skip
        hits = search(workspace, request)
        return names[hits[0].id]

    assert nearest("analytic@10nm") == "same nm"
    assert nearest("analytic") == "same look"
    with pytest.raises(UnsuitableDataError, match="no pixel size"):
        search(workspace, SearchRequest("pfm", ids=[ids["no size"]], features="analytic@10nm"))


def test_features_made_the_usual_way_count_unless_others_are_named(workspace: Workspace) -> None:
    fill(workspace, "pfm", {"a": [phase_scan(stripes(100, 10))]})
    sized = PreparationRecipe(nm_per_pixel=10)
    embed(workspace, "pfm", extractor="analytic", recipe=sized)
    assert current(workspace, "pfm")[0].parameters["features"] == "analytic@10nm"
    for recipe in (PreparationRecipe(), sized):
        embed(workspace, "pfm", extractor="analytic", recipe=recipe)
    fill(workspace, "pfm", {"b": [phase_scan(stripes(120, 10))]})
    embed(workspace, "pfm", extractor="analytic", recipe=sized)
    assert current(workspace, "pfm")[0].parameters["features"] == "analytic"
    assert named(workspace, "pfm", "analytic@10nm")[0].parameters["features"] == "analytic@10nm"


def test_bands_are_of_nanometres_whatever_the_size() -> None:
    y, x = np.mgrid[:128, :128] * 2 * np.pi / 11
    pattern = np.sin(x * 0.8 + y * 0.6).astype(np.float32)
    large, small = wavelengths(pattern[None], 128), wavelengths(pattern[None, :80, :80], 128)
    assert np.square(large).sum() == pytest.approx(1)
    assert large.argmax() == small.argmax()
    coarser = wavelengths(resampled(pattern, 0.5, 0.5)[None], 128)
    assert coarser.argmax() > large.argmax()
    rough = RNG.normal(size=(1, 64, 64)).cumsum(2)
    turned = wavelengths(np.rot90(rough, axes=(1, 2)), 128)
    np.testing.assert_allclose(turned, wavelengths(rough, 128), atol=1e-6)


def test_a_quarter_turn_is_not_seen_where_there_is_not_a_period() -> None:
    """Streaks along one axis, whose spectrum lies on the other."""
    streaks = RNG.normal(size=(6, 64, 64)).cumsum(2).astype(np.float32)
    describe = AnalyticDescriptor()
    one, other = (describe(np.ascontiguousarray(each), np.full(6, 1e-8))
                  for each in (streaks, np.rot90(streaks, axes=(1, 2))))  # fmt: skip
    typical = 2 * one.var(0).sum()
    assert np.square(one - other).sum(1).max() < 0.01 * typical


def test_signed_phase_tells_which_domain_prevails(workspace: Workspace) -> None:
    up = np.where(stripes(100, 10) > -50, 90.0, -90.0)
    for recipe, differs in (
        (PreparationRecipe(), False),
        (PreparationRecipe(phase="signed"), True),
    ):
        key = str(differs)
        one = vector_of(workspace, Measurement("a" + key, "image", "", phase_scan(up).data), recipe)
        two = vector_of(
            workspace, Measurement("b" + key, "image", "", phase_scan(-up).data), recipe
        )
        assert (np.abs(one - two).max() > 0.1) == differs
    np.testing.assert_allclose(polarity(np.array([[np.pi / 2, np.nan]]), "rad"), [0, 1], atol=1e-9)
    assert polarity(np.full((2, 2), np.nan)).tolist() == [0, 0]


@settings(max_examples=20, deadline=None)
@given(st.floats(-360, 360), st.integers(1, 3))
def test_phase_is_circular(offset: float, turns: int) -> None:
    phase = stripes(100, 10, 48) + RNG.normal(size=(48, 48))
    one, other = prepare(phase, "phase"), prepare(phase + offset + 360 * turns, "phase")
    same = min(np.abs(one - other).max(), np.abs(one + other).max())
    assert same < 1e-3


def test_channels_are_separate_and_weighted(workspace: Workspace) -> None:
    noise = RNG.normal(size=(3, 48, 48))
    fill(workspace, "pfm", {f"s{n}": [image(noise + n * RNG.normal(size=noise.shape))]
                            for n in range(4)})  # fmt: skip
    both = PreparationRecipe(channels={"phase": 1, "height": 3})
    made = embed(workspace, "pfm", extractor="analytic", recipe=both)
    assert made["features"] == "analytic:phase=1,height=3"
    _, joined, parts = vectors(workspace, "pfm")
    alone = []
    for kind in ("phase", "height"):
        embed(workspace, "pfm", extractor="analytic", recipe=PreparationRecipe(channels={kind: 2}))
        alone.append(vectors(workspace, "pfm")[1])
    size = parts["symmetry"][1] // 2
    for place, (own, share) in enumerate(zip(alone, (1 / 4, 3 / 4), strict=True)):
        block = joined[:, place * size : (place + 1) * size]
        np.testing.assert_allclose(block, own[:, :size] * share**0.5, atol=1e-5)
    assert "amplitude" not in made["parts"]


def test_levelling_is_chosen(workspace: Workspace) -> None:
    y, x = np.mgrid[:40, :40]
    bumps = np.sin(x / 2) * np.sin(y / 3)
    lines = RNG.normal(size=(40, 1)) * 2
    raw = bumps + 0.7 * x + lines
    levels = [prepare(raw, "height", "m", how) for how in ("lines", "plane", "none")]
    wanted = (bumps - bumps.mean()) / bumps.std()
    error = [np.abs(np.corrcoef(one.ravel(), wanted.ravel())[0, 1]) for one in levels]
    assert error[0] > 0.6
    assert error[0] > 2 * error[1]
    assert error[1] > error[2]
    np.testing.assert_allclose(flattened(2.0 * x + y, lines=False), 0, atol=1e-9)


def test_oblong_pixels_become_square(workspace: Workspace) -> None:
    """A square lattice scanned with half as many lines is the same lattice."""
    y, x = np.mgrid[:128, :128] * 2 * np.pi / 16
    lattice = 70 * (np.sin(x) + np.sin(y))
    whole = phase_scan(lattice)
    half = phase_scan(lattice[::2])
    squeezed = Measurement("squeezed", "image", "", half.data)
    data = half.data.assign_coords(y=("y", 2e-8 * np.arange(64), {"units": "m"}))
    stated = Measurement("stated", "image", "", data)
    own, wrong, right = (vector_of(workspace, one) for one in (whole, squeezed, stated))
    assert np.square(right - own).sum() < 0.1 * np.square(wrong - own).sum()
    (row,) = workspace.select("onestated")
    assert aspect(row) == pytest.approx(2)


def test_long_scans_count_in_their_whole_length(workspace: Workspace) -> None:
    """Noise amid two stretches of stripes: the middle alone would be noise."""
    long = RNG.normal(size=(48, 192)) * 40
    long[:, :64] = long[:, 128:] = stripes(100, 10, 64)[:48]
    middle = Measurement("middle", "image", "", phase_scan(long[:, 72:120]).data)
    striped = Measurement("striped", "image", "", phase_scan(long[:, :48]).data)
    whole, noise, pattern = (
        vector_of(workspace, one) for one in (phase_scan(long), middle, striped)
    )
    assert np.linalg.norm(whole - pattern) < np.linalg.norm(noise - pattern)


@given(st.tuples(st.integers(8, 90), st.integers(8, 90)), st.integers(8, 40), st.integers(1, 4))
def test_windows_lie_inside(shape: tuple[int, int], side: int, most: int) -> None:
    side = min(side, *shape)
    found = windows(np.zeros(shape, np.float32), side, most)
    assert 1 <= len(found) <= most**2
    assert all(one.shape == (side, side) for one in found)


def test_partial_scans_are_described_by_what_was_measured(workspace: Workspace) -> None:
    full = stripes(100, 10)
    partial = full.copy()
    partial[100:] = np.nan
    partial[3, 5] = np.nan
    one = vector_of(workspace, phase_scan(full))
    two = vector_of(workspace, Measurement("partial", "image", "", phase_scan(partial).data))
    other = vector_of(
        workspace, Measurement("other", "image", "", phase_scan(RNG.normal(size=(160, 160))).data)
    )
    assert np.linalg.norm(one - two) < 0.3 * np.linalg.norm(one - other)


def test_recipes_are_kept_whole_and_refuse_nonsense() -> None:
    recipe = PreparationRecipe({"height": 2.0, "amplitude": 0}, "signed", "plane", 12.5)
    assert PreparationRecipe.of(recipe.document()).document() == recipe.document()
    assert recipe.label("symmetry") == "symmetry@12.5nm:signed:levelling=plane:height=2"
    assert PreparationRecipe().label("symmetry") == "symmetry"
    for wrong, words in (
        ({"channels": {"colour": 1}}, "colour"), ({"channels": {"phase": 0}}, "weight"),
        ({"phase": "up"}, "axis or signed"), ({"levelling": "all"}, "lines or plane or none"),
        ({"nm_per_pixel": 0}, "0.001"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            PreparationRecipe(**wrong)


def test_data_stay_floating_point_to_the_end(workspace: Workspace) -> None:
    """Contrast a millionth of the offset, which eight or sixteen bits would lose."""
    faint = xr.DataArray(1.0 + 1e-5 * stripes(100, 10) / 80)
    made = image(faint.values[None], ("Amplitude",), ("m",))
    strong = image(stripes(100, 10)[None], ("Amplitude",), ("m",), key="strong")
    one, two = vector_of(workspace, made), vector_of(workspace, strong)
    assert np.linalg.norm(one - two) < 0.1 * np.linalg.norm(two)
