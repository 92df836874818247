"""Tiles of images: described by themselves, found by a region, mapped."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from motif.analysis.projection import project, recompute, transform_new
from motif.analysis.projection.projection_request import ProjectionRequest
from motif.analysis.search.search_example import Region
from motif.analysis.search.search_request import SearchRequest
from motif.analysis.search.similarity_search import search
from motif.analysis.symmetry.embedding.embedding_results import TILES
from motif.analysis.symmetry.embedding.fused_embedding import embed
from motif.analysis.symmetry.embedding.tiles import Tile, tiles_of
from motif.analysis.symmetry.extractors.symmetry_extractor import SymmetryExtractor
from motif.core.errors import ConfigError, NotFoundError, UnsuitableDataError
from motif.core.records import ID_LENGTH, Measurement
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

SIZE = 96


def pattern(kind: str, period: float, size: int = SIZE) -> np.ndarray:
    """Stripes, dots or nothing but noise, as phase in degrees."""
    y, x = np.mgrid[:size, :size] * 2 * np.pi / period
    made = {"stripes": np.sin(x + 0.3 * y), "dots": np.sin(x) * np.sin(y) * 1.5, "noise": 0 * x}
    noise = np.random.default_rng(int(10 * period)).normal(scale=0.1, size=x.shape)
    return 80 * np.tanh(3 * made[kind]) + 20 * noise


def patchwork(n: int) -> np.ndarray:
    """Noise with stripes in one quarter, a different one for each n."""
    whole = pattern("noise", 9 + n)
    y, x = SIZE // 2 * (n // 2 % 2), SIZE // 2 * (n % 2)
    whole[y : y + SIZE // 2, x : x + SIZE // 2] = pattern("stripes", 8, SIZE // 2)
    return whole


def scan(phase: np.ndarray, size: float = 1e-8) -> Measurement:
    return image(phase[None], ("Phase",), ("deg",), size)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "lab") as opened:
        fill(opened, "pfm", {f"patch{n}": [scan(patchwork(n))] for n in range(4)})
        fill(opened, "pfm", {f"dots{n}": [scan(pattern("dots", 10 + n))] for n in range(4)})
        fill(opened, "pfm", {"stripes": [scan(pattern("stripes", 8))]})
        yield opened


def titles(workspace: Workspace, ids: list[str]) -> list[str]:
    return [workspace.record(workspace.measurement(one).record_id).native_id for one in ids]


@pytest.mark.parametrize(("shape", "grid"), [((3, 64, 64), 4), ((1, 50, 37), 2), ((2, 67, 130), 3)])
def test_tiles_cover_an_image_once(shape: tuple[int, ...], grid: int) -> None:
    seen = np.zeros(shape, int)
    for place in range(grid * grid):
        tile = Tile("0" * 32, grid, place // grid, place % grid)
        assert Tile.of(tile.id) == tile
        tile.cut(seen)[:] += 1
        width, height = tile.box(shape)[2:]
        assert tile.cut(seen).shape[1:] == (height, width)
    assert (seen == 1).all()


def test_tiles_are_kept_with_their_boxes_and_made_once(workspace: Workspace) -> None:
    made = embed(workspace, "pfm", extractor="analytic", tiles=2)
    assert (made["count"], made["new"], made["left_out"]) == (9, 9, {})
    (kept,) = workspace.ledger.all(TILES, "pfm")
    arrays = workspace.ledger.arrays(kept)
    assert arrays["vectors"].shape == (36, made["dimension"])
    assert [one[:ID_LENGTH] for one in arrays["tiles"].tolist()] == arrays["ids"].tolist()
    tile = Tile.of(arrays["tiles"][3].decode())
    assert (tile.row, tile.column) == (1, 1)
    np.testing.assert_allclose(arrays["boxes"][3], [480, 480, 480, 480])
    assert embed(workspace, "pfm", extractor="analytic", tiles=2)["new"] == 0
    narrow = replace(scan(pattern("dots", 9)[:20]), key="1")
    fill(workspace, "pfm", {"late": [scan(pattern("dots", 9)), narrow]})
    again = embed(workspace, "pfm", extractor="analytic", tiles=2)
    assert (again["new"], again["left_out"]) == (1, {"tiles too small": 1})


def test_a_region_finds_the_part_of_other_images_that_is_like_it(workspace: Workspace) -> None:
    embed(workspace, "pfm", extractor="analytic")
    asked = workspace.select("pfm")
    (stripes,) = [row for row in asked if titles(workspace, [row.id]) == ["stripes"]]
    region = Region(0, 0, 48, 48)
    whole = search(workspace, SearchRequest("pfm", ids=[stripes.id], roi=region, k=4))
    assert whole[0].region is None
    embed(workspace, "pfm", extractor="analytic", tiles=2)
    hits = search(workspace, SearchRequest("pfm", ids=[stripes.id], roi=region, k=4))
    assert sorted(titles(workspace, [hit.id for hit in hits])) == [f"patch{n}" for n in range(4)]
    for hit in hits:
        (name,) = titles(workspace, [hit.id])
        n = int(name[-1])
        assert hit.region == Region(48 * (n % 2), 48 * (n // 2 % 2), 48, 48)
        assert hit.document()["tile"] == hit.tile
    few = search(
        workspace, SearchRequest("pfm", ids=[stripes.id], roi=region, keep={hits[2].id, hits[3].id})
    )
    assert [hit.id for hit in few] == [hits[2].id, hits[3].id]
    assert (
        search(workspace, SearchRequest("pfm", ids=[stripes.id], roi=region, tiles=False))[0].region
        is None
    )


def test_every_image_answers_once_with_tiles_of_every_size(workspace: Workspace) -> None:
    embed(workspace, "pfm", extractor="analytic")
    for grid in (2, 4):
        embed(workspace, "pfm", extractor="analytic", tiles=grid)
    row = workspace.select("pfm")[0]
    hits = search(workspace, SearchRequest("pfm", ids=[row.id], tiles=True, k=100))
    assert len(hits) == len({hit.id for hit in hits}) == 8
    assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)


def test_noise_has_features_too() -> None:
    """Peaks of noise span no lattice now and then."""
    noise = np.random.default_rng(4).normal(size=(256, 64, 64)).astype(np.float32)
    assert np.isfinite(SymmetryExtractor()(noise, np.full(256, np.nan))).all()


def test_a_map_of_tiles(workspace: Workspace) -> None:
    embed(workspace, "pfm", extractor="analytic")
    with pytest.raises(NotFoundError, match="--tiles 2"):
        project(workspace, ProjectionRequest("pfm", tiles=2))
    embed(workspace, "pfm", extractor="analytic", tiles=2)
    made = project(workspace, ProjectionRequest("pfm", tiles=2))
    arrays = workspace.ledger.arrays(made)
    assert len(arrays["tiles"]) == 36
    assert set(arrays["ids"].tolist()) == {row.id.encode() for row in workspace.select("pfm")}
    assert project(workspace, ProjectionRequest("pfm")).id != made.id
    assert recompute(workspace, made)["identical"]
    chosen = [one.decode() for one in arrays["tiles"][:5]]
    part = project(workspace, ProjectionRequest("pfm", parent=made.id, ids=chosen))
    assert [one.decode() for one in workspace.ledger.arrays(part)["tiles"]] == chosen
    fill(workspace, "pfm", {"late": [scan(pattern("dots", 9))]})
    embed(workspace, "pfm", extractor="analytic", tiles=2)
    ids, placed = transform_new(workspace, made)
    assert len(ids) == len(placed.xy) == 4


def test_refusals_say_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="2 to 16"):
        embed(workspace, "pfm", extractor="analytic", tiles=40)
    with pytest.raises(UnsuitableDataError, match="9 have tiles too small"):
        embed(workspace, "pfm", extractor="analytic", tiles=12)
    embed(workspace, "pfm", extractor="analytic")
    with pytest.raises(NotFoundError, match="--tiles 4"):
        search(workspace, SearchRequest("pfm", ids=[workspace.select("pfm")[0].id], tiles=True))
    assert tiles_of(workspace.select("pfm")[0], 12) == []
