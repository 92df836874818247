"""Why two images are alike: in which half, in which respects, and in words."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from motif.analysis.symmetry.models.similarity_maps import (
    compare_images,
    describe,
    explain_similarity,
)
from motif.analysis.symmetry.patterns.pattern_generator import generate
from motif.core.cli.command_line import build
from motif.core.errors import ConfigError, UnsuitableDataError
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace
from motif.ingest.simulate.domain_patterns import Canvas, draw

PIXEL = 1e-8


def pattern(name: str, seed: int, period: float = 12.0, size: int = 128) -> np.ndarray:
    rng = np.random.default_rng(seed)
    field = draw(name, Canvas(size, period, rng.uniform(0, 6), rng)).polarity
    return (field + 0.15 * rng.normal(size=field.shape)).astype(np.float32)


def area_under_curve(values: np.ndarray, inside: np.ndarray) -> float:
    rank = values.ravel().argsort().argsort()
    count = inside.sum()
    return float((rank[inside.ravel()].sum() - count * (count - 1) / 2) / (count * (~inside).sum()))


@pytest.mark.parametrize(
    ("shared", "other"),
    [("stripe", "labyrinth"), ("square lattice", "bubble"), ("zigzag", "a/c")],
)
def test_the_half_that_shows_the_same_pattern_lights_up(shared: str, other: str) -> None:
    y, x = np.mgrid[:128, :128]
    for number, half in enumerate((x < 64, y < 64, x + y < 127)):
        mixed = np.where(half, pattern(shared, number), pattern(other, 10 + number))
        found = compare_images(mixed, pattern(shared, 20 + number), sizes=(PIXEL, PIXEL))
        assert area_under_curve(found.map_a, half) > 0.9
        assert 0 <= found.map_a.min() <= found.map_a.max() <= 1


def test_an_image_is_like_itself_and_more_than_like_another() -> None:
    first = pattern("square lattice", 1)
    same = compare_images(first, first, sizes=(PIXEL, PIXEL))
    assert same.similarity == pytest.approx(1)
    assert same.shares == {"symmetry": 0, "texture": 0, "scale": 0}
    near = compare_images(first, pattern("square lattice", 2), sizes=(PIXEL, PIXEL))
    far = compare_images(first, pattern("labyrinth", 2), sizes=(PIXEL, PIXEL))
    assert 1 > near.similarity > far.similarity > 0
    assert near.map_a.mean() > far.map_a.mean() + 0.2
    assert sum(far.shares.values()) == pytest.approx(1)


def test_what_differs_in_size_alone_differs_in_scale() -> None:
    found = compare_images(
        pattern("zigzag", 1, period=10), pattern("zigzag", 2, period=17), sizes=(PIXEL, PIXEL)
    )
    assert max(found.shares, key=found.shares.__getitem__) == "scale"
    assert "ifferent: periods 10" in found.sentence
    assert "4-fold" not in found.sentence


def test_symmetry_in_words() -> None:
    square = describe(pattern("square lattice", 3, period=16), 1e-8)
    assert square.kind == "lattice"
    assert square.rotations[4] > 0.8
    assert square.cell == pytest.approx((160e-9, 160e-9, 90), rel=0.05)
    assert square.sentence.startswith("4-fold ")
    assert "nm × 16" in square.sentence
    assert "most like p4" in square.sentence
    perfect = generate(1, seed=5, groups=("p4",), cells=(5, 6)).images[0].numpy()
    chiral = describe(perfect, 1e-8)
    assert chiral.rotations[4] > 0.9 > chiral.mirror
    assert (chiral.fold, chiral.group) == (4, "p4")
    labyrinth = describe(pattern("labyrinth", 3))
    assert (labyrinth.group, labyrinth.cell, labyrinth.glide) == (None, None, None)
    assert "no order found" in labyrinth.sentence
    assert labyrinth.period == pytest.approx(12, rel=0.1)
    assert " px, " in labyrinth.sentence
    stripes = describe(pattern("stripe", 3), 2e-7)
    assert stripes.kind == "stripes"
    assert stripes.period == pytest.approx(2.4e-6, rel=0.05)
    assert " µm, no lattice: stripes" in stripes.sentence


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "lab") as opened:
        scans = {}
        for n, name in enumerate(("stripe", "stripe", "square lattice")):
            planes = np.stack([pattern(name, n, size=64 + 16 * n)] * 3)
            planes[:, 50:] = np.nan if n == 0 else planes[:, 50:]
            scans[f"s{n}"] = [image(planes)]
        fill(opened, "pfm", scans)
        axis = np.linspace(78, 1100, 16)
        fill(opened, "lib", {"t": [spectrum(axis, axis, "a", {"Bi": 1.0}, {})]})
        yield opened


def test_measurements_are_compared_by_a_channel_both_have(workspace: Workspace) -> None:
    rows = workspace.select("pfm")
    partial = next(row for row in rows if row.shape[-1] == 64)
    whole = next(row for row in rows if row.shape[-1] == 96)
    found = explain_similarity(workspace, partial.id, whole.id)
    assert found.map_a.shape == partial.shape[1:]
    assert found.map_b.shape == whole.shape[1:]
    assert np.isnan(found.map_a[50:]).all()
    assert np.isfinite(found.map_a[:50]).all()
    assert found.channel in ("phase", "amplitude", "height")
    assert explain_similarity(workspace, partial.id, whole.id, "height").channel == "height"


def test_refusals_say_what_to_do(workspace: Workspace) -> None:
    one = workspace.select("pfm")[0].id
    other = workspace.select("lib")[0].id
    with pytest.raises(UnsuitableDataError, match="is not an image"):
        explain_similarity(workspace, one, other)
    with pytest.raises(ConfigError, match="phase, amplitude, height"):
        explain_similarity(workspace, one, one, "colour")


def test_the_command_tells_both_and_writes_the_maps(workspace: Workspace, tmp_path: Path) -> None:
    first, second = (row.id for row in workspace.select("pfm")[:2])
    place = tmp_path / "maps.npz"
    arguments = ["explain", first, second, "--maps", str(place), "-w", str(workspace.root)]
    result = CliRunner().invoke(build(), [*arguments, "--json"])
    document = json.loads(result.stdout)
    assert document["first"]["sentence"] in CliRunner().invoke(build(), arguments).stdout
    assert set(document["shares"]) == {"symmetry", "texture", "scale"}
    with np.load(place) as maps:
        assert maps["first"].shape == workspace.measurement(first).shape[1:]
