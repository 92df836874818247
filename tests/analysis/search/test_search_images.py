"""Search through scans by the vectors of an extractor: whole images, regions, files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from motif.analysis.search.image_space import space_of
from motif.analysis.search.search_example import Region
from motif.analysis.search.search_request import SearchRequest
from motif.analysis.search.similarity_search import search
from motif.analysis.symmetry.embedding.fused_embedding import embed
from motif.core.errors import (
    ConfigError,
    NotFoundError,
    UnreadableFileError,
    UnsuitableDataError,
)
from motif.core.records import Facet, Measurement
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace
from motif.ingest.simulate.ibw_writer import write_ibw

SIZE = 96
Y, X = np.mgrid[:SIZE, :SIZE].astype(np.float64)


def stripes(seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
    wave = np.sin(2 * np.pi * (X * np.cos(angle) + Y * np.sin(angle)) / 12 + phase)
    return np.sign(wave) + 0.1 * rng.standard_normal(X.shape)


def dots(seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    u, v = X - rng.uniform(0, 12), Y - rng.uniform(0, 12)
    wave = np.cos(2 * np.pi * u / 12) + np.cos(2 * np.pi * v / 12)
    return (wave > 0.8) + 0.1 * rng.standard_normal(X.shape)


def scan(pattern: NDArray[np.float64], name: str) -> Measurement:
    planes = np.stack(
        [0 * pattern + np.random.default_rng(1).random(pattern.shape), pattern, pattern]
    )
    return image(planes, facets=[Facet("material", name, "test")])


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    records = {f"s{n}": [scan(stripes(n), "stripes")] for n in range(12)}
    records |= {f"d{n}": [scan(dots(n), "dots")] for n in range(12)}
    both = np.where(X < SIZE / 2, stripes(50), dots(50))
    with Workspace.init(tmp_path_factory.mktemp("scans") / "lab") as workspace:
        fill(workspace, "pfm", {**records, "both": [scan(both, "both")]})
        embed(workspace, "pfm", extractor="analytic")
        yield workspace


def found(scans: Workspace, **question: object) -> Counter[str]:
    hits = search(scans, SearchRequest("pfm", k=8, **question))  # type: ignore[arg-type]
    return Counter(str(hit.facets["material"]) for hit in hits)


def ids(scans: Workspace, material: str) -> Sequence[str]:
    return [row.id for row in scans.select("pfm", f'material = "{material}"')]


def test_alike_patterns_are_found(scans: Workspace) -> None:
    for material in ("stripes", "dots"):
        assert found(scans, ids=[ids(scans, material)[0]])[material] >= 7


def test_a_region_is_compared_by_itself(scans: Workspace) -> None:
    (both,) = ids(scans, "both")
    where = 'material in ("stripes", "dots")'
    assert found(scans, ids=[both], roi="0,0,48,96", where=where)["stripes"] == 8
    assert found(scans, ids=[both], roi=Region(48, 0, 48, 96), where=where)["dots"] == 8


def test_a_file_is_compared_and_not_stored(scans: Workspace, tmp_path: Path) -> None:
    pattern = dots(77).astype(np.float32)
    path = tmp_path / "new.ibw"
    planes = {"HeightRetrace": 0 * pattern, "AmplitudeRetrace": pattern, "PhaseRetrace": pattern}
    write_ibw(path, planes, size=(9.5e-7, 9.5e-7), note=[])
    before = len(scans.select())
    assert found(scans, file=path)["dots"] >= 7
    assert len(scans.select()) == before
    path.write_bytes(b"no image at all")
    with pytest.raises(UnreadableFileError, match="none of the formats"):
        search(scans, SearchRequest("pfm", file=path))
    with pytest.raises(NotFoundError, match="cannot be opened"):
        search(scans, SearchRequest("pfm", file=tmp_path / "nothing.ibw"))


def test_parts_can_be_weighted(scans: Workspace) -> None:
    one = ids(scans, "stripes")[0]
    space = space_of(scans, "pfm")
    assert set(space.parts) >= {"symmetry", "texture"}
    part = space.parts["symmetry"]
    distances = (space.vectors - space.vectors[space.row(one)])[:, part].astype(float)
    weights = dict.fromkeys(space.parts, 0.0) | {"symmetry": 2.0}
    hits = search(scans, SearchRequest("pfm", ids=[one], k=3, weights=weights))
    expected = np.sort(np.linalg.norm(distances, axis=1))[1:4] * np.sqrt(2)
    assert [hit.distance for hit in hits] == pytest.approx(expected, rel=1e-5)


def test_images_taken_in_later_can_be_asked_with_before_they_are_embedded(
    scans: Workspace,
) -> None:
    rows = {row.id for row in scans.select("pfm")}
    fill(scans, "pfm", {"late": [scan(stripes(90), "stripes")]})
    (late,) = [row.id for row in scans.select("pfm") if row.id not in rows]
    assert found(scans, ids=[late])["stripes"] >= 7
    embed(scans, "pfm", extractor="analytic")
    assert late in {
        hit.id for hit in search(scans, SearchRequest("pfm", ids=[late], include_query=True))
    }


def test_regions_are_checked(scans: Workspace) -> None:
    one, other = ids(scans, "stripes")[:2]
    with pytest.raises(ConfigError, match="ends at pixel 100,96, the image has 96 by 96"):
        search(scans, SearchRequest("pfm", ids=[one], roi="4,0,96,96"))
    with pytest.raises(ConfigError, match="inside"):
        search(scans, SearchRequest("pfm", ids=[one], roi="-1,0,32,32"))
    with pytest.raises(ConfigError, match="too small"):
        search(scans, SearchRequest("pfm", ids=[one], roi="0,0,4,96"))
    with pytest.raises(ConfigError, match="cut from one image"):
        search(scans, SearchRequest("pfm", ids=[one, other], roi="0,0,32,32"))


def test_an_image_without_known_channels_has_nothing_to_compare(scans: Workspace) -> None:
    (odd,) = fill(
        scans, "elsewhere",
        {"x": [image(np.random.default_rng(0).random((1, 32, 32)), ["Voltage"], ["V"])]},
    )  # fmt: skip
    with pytest.raises(UnsuitableDataError, match="Voltage"):
        search(scans, SearchRequest("pfm", ids=[odd.id]))


def test_without_features_the_command_that_makes_them_is_named(workspace: Workspace) -> None:
    fill(workspace, "pfm", {"a": [scan(dots(0), "dots")]})
    (row,) = workspace.select("pfm")
    with pytest.raises(NotFoundError, match="motif embed pfm"):
        search(workspace, SearchRequest("pfm", ids=[row.id]))


def test_spectra_of_a_mixed_collection_are_compared_with_spectra(scans: Workspace) -> None:
    axis = np.linspace(0, 100, 50)
    shapes = [np.exp(-(((axis - peak) / 9) ** 2)) for peak in (20, 50, 52)]
    fill(
        scans, "pfm",
        {"lib": [spectrum(shape, axis, str(n), {}, {}) for n, shape in enumerate(shapes)]},
    )  # fmt: skip
    rows = {row.key: row.id for row in scans.select("pfm", kind="spectrum")}
    assert [hit.id for hit in search(scans, SearchRequest("pfm", ids=[rows["1"]]))] == [
        rows["2"],
        rows["0"],
    ]
