"""Answers under exclusions, diversity and pixel comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.analysis.search.exclusions import diverse
from motif.analysis.search.image_space import space_of
from motif.analysis.search.search_request import SearchRequest
from motif.analysis.search.similarity_search import search
from motif.analysis.symmetry.embedding.fused_embedding import embed
from motif.core.catalog.database import MeasurementRow
from motif.core.errors import ConfigError, UnsuitableDataError
from motif.core.records import Facet, Measurement
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace

AXIS = np.linspace(100.0, 1100.0, 300)


def stated(number: int, peak: float, **facets: str) -> Measurement:
    shape = np.exp(-(((AXIS - peak) / 250) ** 2))
    made = spectrum(shape, AXIS, f"s{number}", {}, {})
    given = [Facet(name, value, "test") for name, value in facets.items()]
    return Measurement(made.key, "spectrum", made.title, made.data, given)


@pytest.fixture
def two_labs(workspace: Workspace) -> list[MeasurementRow]:
    """Forty spectra: two materials in turn, two samples, sessions by operator and day."""
    made = []
    for n in range(40):
        material = ("PTO", "BFO")[n % 2]
        facets = {
            "material": material, "operator": ("xu", "wu")[n // 20], "instrument": "AFM",
            "sample": f"{material}-{n // 10}",
            "acquired_at": f"2020-03-{1 + n // 5:02d}T10:{n:02d}:00Z",
        }  # fmt: skip
        if n == 39:
            del facets["material"], facets["sample"]
        made.append(stated(n, 400 + 10 * n, **facets))
    return fill(workspace, "lib", {f"r{n}": made[4 * n : 4 * n + 4] for n in range(10)})


def keys(workspace: Workspace, ids: Sequence[str]) -> set[int]:
    return {int(workspace.measurement(one).key[1:]) for one in ids}


def found(workspace: Workspace, **options: object) -> set[int]:
    hits = search(workspace, SearchRequest("lib", **options))  # type: ignore[arg-type]
    return keys(workspace, [hit.id for hit in hits])


def by_number(rows: Sequence[MeasurementRow], number: int) -> str:
    return next(row.id for row in rows if row.key == f"s{number}")


def test_the_same_record_sample_and_session_can_be_left_out(
    workspace: Workspace, two_labs: list[MeasurementRow]
) -> None:
    one = by_number(two_labs, 10)
    assert found(workspace, ids=[one], k=3) == {9, 11, 8}
    assert found(workspace, ids=[one], k=3, not_same=["record"]) == {7, 12, 13}
    assert not found(workspace, ids=[one], k=3, not_same=["sample"]) & {12, 14, 16, 18}
    assert not found(workspace, ids=[one], k=6, not_same=["session"]) & {11, 12, 13, 14}
    assert found(workspace, ids=[one], k=4, not_same=["session", "record"]) == {7, 6, 5, 15}
    assert 39 in found(workspace, ids=[one], k=40, not_same=["sample"])


def test_the_nearest_different_material(
    workspace: Workspace, two_labs: list[MeasurementRow]
) -> None:
    hits = search(
        workspace, SearchRequest("lib", ids=[by_number(two_labs, 10)], k=40, different=["material"])
    )
    assert {hit.facets["material"] for hit in hits} == {"BFO"}
    assert len(hits) == 19
    both = [by_number(two_labs, 10), by_number(two_labs, 11)]
    assert search(workspace, SearchRequest("lib", ids=both, different=["material"])) == []


def test_a_hit_deleted_meanwhile_is_left_out(
    workspace: Workspace, two_labs: list[MeasurementRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = two_labs[5].id
    whole = search(workspace, SearchRequest("lib", ids=[own], k=6))
    select = workspace.select

    def without(*args: Any, **more: Any) -> list[MeasurementRow]:
        return [row for row in select(*args, **more) if row.id != whole[2].id]

    monkeypatch.setattr(workspace, "select", without)
    left = search(workspace, SearchRequest("lib", ids=[own], k=6))
    assert [hit.id for hit in left] == [hit.id for hit in whole if hit.id != whole[2].id]


def test_a_facet_the_query_does_not_have_excludes_nothing(
    workspace: Workspace, two_labs: list[MeasurementRow]
) -> None:
    with pytest.raises(ConfigError, match="has no material"):
        search(
            workspace, SearchRequest("lib", ids=[by_number(two_labs, 39)], different=["material"])
        )
    with pytest.raises(ConfigError, match="has no sample"):
        search(
            workspace,
            SearchRequest("lib", vector=space_of(workspace, "lib").vectors[0], not_same=["sample"]),
        )


def test_diverse_hits_are_farther_from_each_other(
    workspace: Workspace, two_labs: list[MeasurementRow]
) -> None:
    one = by_number(two_labs, 0)
    assert found(workspace, ids=[one], k=4, diversity=0.0) == {1, 2, 3, 4}
    spread = found(workspace, ids=[one], k=4, diversity=0.7)
    assert 1 in spread
    assert max(spread) > 6
    hits = search(workspace, SearchRequest("lib", ids=[one], k=4, diversity=0.7))
    assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)
    with pytest.raises(ConfigError, match="from 0 to 1"):
        search(workspace, SearchRequest("lib", ids=[one], diversity=2))


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 40), k=st.integers(1, 12), amount=st.floats(0, 1), seed=st.integers(0, 99))
def test_diversity_keeps_the_nearest_and_never_repeats(
    n: int, k: int, amount: float, seed: int
) -> None:
    vectors = np.random.default_rng(seed).standard_normal((n, 3)).astype("f4")
    distances = np.sort(np.linalg.norm(vectors, axis=1)).astype(float)
    vectors = vectors[np.argsort(np.linalg.norm(vectors, axis=1))]
    chosen = diverse(vectors, distances, k, amount)
    assert len(set(chosen.tolist())) == min(n, k)
    assert chosen[0] == 0
    if amount == 0:
        assert chosen.tolist() == list(range(min(n, k)))


Y, X = np.mgrid[:64, :64].astype(np.float64)


def letter(kind: str) -> np.ndarray:
    """A pattern without any symmetry of its own: a bent line with a blob."""
    pattern = np.zeros((64, 64))
    pattern[12:52, 26:32] = 1
    pattern[46:52, 26:48] = 1
    pattern += np.exp(-(((X - 42) ** 2 + (Y - 20) ** 2) / 20))
    turned = {"same": pattern, "turned": np.rot90(pattern), "mirrored": pattern[:, ::-1]}
    turned["inverted"] = pattern.max() - pattern
    noise = np.random.default_rng(len(kind)).standard_normal((64, 64))
    return turned[kind.rstrip("2")] + 0.03 * noise


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    names = ("same", "same2", "turned", "mirrored", "inverted")
    records = {}
    for name in names:
        plane = letter(name)
        scan = image(np.stack([plane * 1e-9, plane, 120 * plane]))
        facet = [Facet("purpose", name, "test")]
        records[name] = [Measurement("0", "image", name, scan.data, facet)]
    noise = np.random.default_rng(5).standard_normal((3, 64, 64))
    records["noise"] = [image(noise, facets=[Facet("purpose", "noise", "test")])]
    with Workspace.init(tmp_path_factory.mktemp("letters") / "lab") as workspace:
        fill(workspace, "pfm", records)
        embed(workspace, "pfm", extractor="analytic")
        yield workspace


@pytest.mark.parametrize(
    ("up_to", "alike"),
    [
        ("exact", {"same2"}),
        ("rotation", {"same2", "turned"}),
        ("mirror", {"same2", "mirrored"}),
        ("rotation,mirror", {"same2", "turned", "mirrored"}),
    ],
)
def test_pictures_are_alike_up_to_what_is_allowed(
    letters: Workspace, up_to: str, alike: set[str]
) -> None:
    (one,) = letters.select("pfm", 'purpose = "same"')
    hits = search(letters, SearchRequest("pfm", ids=[one.id], k=5, up_to=up_to))
    close = {str(hit.facets["purpose"]) for hit in hits if (hit.correlation or 0) > 0.8}
    assert close == alike
    values = [hit.correlation for hit in hits]
    assert values == sorted(values, key=lambda value: -(value or 0))
    assert "correlation" in hits[0].document()


def test_an_inverted_picture_counts_where_inversion_is_allowed(letters: Workspace) -> None:
    (one,) = letters.select("pfm", 'purpose = "same"')
    where = 'purpose = "inverted"'
    (exact,) = search(letters, SearchRequest("pfm", ids=[one.id], where=where, up_to="exact"))
    (free,) = search(letters, SearchRequest("pfm", ids=[one.id], where=where, up_to="inversion"))
    assert (exact.correlation or 0) < 0.5 < 0.8 < (free.correlation or 0)
    with pytest.raises(ConfigError, match='"colour" is nothing pictures may differ in'):
        search(letters, SearchRequest("pfm", ids=[one.id], up_to="colour"))
    with pytest.raises(ConfigError, match="leave out one"):
        search(letters, SearchRequest("pfm", ids=[one.id], up_to="exact", diversity=0.5))


def test_channels_can_be_weighted(letters: Workspace) -> None:
    space = space_of(letters, "pfm")
    (one,) = letters.select("pfm", 'purpose = "same"')
    distances = (space.vectors - space.vectors[space.row(one.id)]).astype(float)
    kinds = {"phase", "amplitude", "height"}
    assert kinds < set(space.channels)
    total = sum(np.square(distances[:, part]).sum(1) for part in space.channels["phase"])
    hits = search(
        letters,
        SearchRequest("pfm", ids=[one.id], k=5, weights={"amplitude": 0, "height": 0, "phase": 4}),
    )
    assert [hit.distance for hit in hits] == pytest.approx(np.sort(np.sqrt(4 * total))[1:6])
    own = space.scales({"symmetry": 2, "phase": 3, "symmetry.phase": 5})
    (only,) = space.channels["symmetry.phase"]
    assert own[only] == pytest.approx(np.sqrt(30))
    sizes = sum(part.stop - part.start for kind in kinds for part in space.channels[kind])
    assert sizes == space.vectors.shape[1]
    with pytest.raises(ConfigError, match="the channels phase, amplitude, height"):
        search(letters, SearchRequest("pfm", ids=[one.id], weights={"colour": 1}))


def test_spectra_are_not_pictures(workspace: Workspace, two_labs: list[MeasurementRow]) -> None:
    with pytest.raises(UnsuitableDataError, match="no orientation"):
        search(workspace, SearchRequest("lib", ids=[two_labs[0].id], up_to="exact"))
    with pytest.raises(ConfigError, match="one id or one file"):
        search(workspace, SearchRequest("lib", ids=[two_labs[0].id, two_labs[1].id], up_to="exact"))
