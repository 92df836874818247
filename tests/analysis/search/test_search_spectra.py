"""Search through a workspace of spectra: the answer is brute force over what the filter leaves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from motif.analysis.search.image_space import space_of
from motif.analysis.search.search_request import SearchRequest
from motif.analysis.search.similarity_search import Hit, search
from motif.core.catalog.database import MeasurementRow
from motif.core.errors import ConfigError, NotFoundError, QueryError, UnsuitableDataError
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace


def by_number(rows: Sequence[MeasurementRow]) -> dict[int, MeasurementRow]:
    return {int(row.key[1:]): row for row in rows}


def numbers(workspace: Workspace, hits: Sequence[Hit]) -> list[int]:
    return [int(workspace.measurement(hit.id).key[1:]) for hit in hits]


def test_neighbouring_peaks_come_first(workspace: Workspace, library: list[MeasurementRow]) -> None:
    asked = by_number(library)[20]
    hits = search(workspace, SearchRequest("lib", ids=[asked.id], k=4))
    assert sorted(numbers(workspace, hits)) == [18, 19, 21, 22]
    assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)
    assert hits[0].record in {"test:r0", "test:r1", "test:r2"}
    assert set(hits[0].facets) >= {"operator", "dose"}


def test_the_query_itself_is_there_only_when_asked_for(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    asked = library[0].id
    without = search(workspace, SearchRequest("lib", ids=[asked], k=5))
    with_it = search(workspace, SearchRequest("lib", ids=[asked], k=5, include_query=True))
    assert asked not in {hit.id for hit in without}
    assert len(without) == 5
    assert (with_it[0].id, with_it[0].distance) == (asked, 0.0)


def test_filter_holds_before_the_search(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    asked = by_number(library)[20]
    hits = search(
        workspace,
        SearchRequest("lib", ids=[asked.id], k=10, where='operator = "wu" and dose <= 800 m'),
    )
    space = space_of(workspace, "lib")
    spectral = space.vectors[:, space.parts["spectrum"]]
    query = spectral[space.row(asked.id)]
    candidates = [
        row for n, row in by_number(library).items() if n % 3 == 1 and 400 + n * 500 / 59 <= 800
    ]
    distances = {
        row.id: float(np.linalg.norm(spectral[space.row(row.id)].astype(float) - query))
        for row in candidates
    }
    expected = sorted(distances, key=distances.__getitem__)[:10]
    assert [hit.id for hit in hits] == expected
    assert [hit.distance for hit in hits] == pytest.approx([distances[one] for one in expected])


def test_all_matches_come_when_fewer_than_asked(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    hits = search(
        workspace, SearchRequest("lib", ids=[library[0].id], k=50, where='operator = "xu"')
    )
    rest = sum(workspace.facets([row.id])[row.id]["operator"] == "xu" for row in library[1:])
    assert len(hits) == rest
    assert (
        search(workspace, SearchRequest("lib", ids=[library[0].id], where='operator = "nobody"'))
        == []
    )


def test_several_are_averaged_and_the_unlike_is_avoided(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    row = by_number(library)
    both = search(workspace, SearchRequest("lib", ids=[row[19].id, row[21].id], k=1))
    assert numbers(workspace, both) == [20]
    for unlike, expected in ((22, 19), (18, 21)):
        hits = search(
            workspace, SearchRequest("lib", ids=[row[20].id], unlike=[row[unlike].id], k=1)
        )
        assert numbers(workspace, hits) == [expected]


def test_composition_counts_when_given_a_weight(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    row = by_number(library)[30]
    hits = search(
        workspace,
        SearchRequest("lib", ids=[row.id], k=2, weights={"spectrum": 0, "composition": 4}),
    )
    step = np.sqrt(2) * (500 / 59) / 1000
    assert [hit.distance for hit in hits] == pytest.approx([2 * step] * 2, rel=1e-4)
    assert set(numbers(workspace, hits)) == {29, 31}


def test_full_text_in_a_filter_looks_into_headers_too(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    where = 'text "value"'  # every record of the fixture has the header line Key: value
    assert len(workspace.select("lib", where)) == len(library)
    assert len(search(workspace, SearchRequest("lib", ids=[library[0].id], where=where, k=5))) == 5


def test_a_cut_off_distance(workspace: Workspace, library: list[MeasurementRow]) -> None:
    row = by_number(library)[30].id
    nearest = search(workspace, SearchRequest("lib", ids=[row], k=3))
    assert (
        len(search(workspace, SearchRequest("lib", ids=[row], k=3, within=nearest[1].distance)))
        == 2
    )


def test_new_and_deleted_measurements_count_at_once(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    asked = by_number(library)[20]
    data = workspace.read(asked.id)
    twin = spectrum(data.values * 2, data.raman_shift.values, "s99", asked.composition, {})
    search(workspace, SearchRequest("lib", ids=[asked.id]))
    fill(workspace, "lib", {"late": [twin]})
    first = search(workspace, SearchRequest("lib", ids=[asked.id], k=1))[0]
    assert workspace.measurement(first.id).key == "s99"
    assert first.distance < 1e-3


def test_a_measurement_of_another_collection_can_be_asked_with(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    row = by_number(library)[20]
    data = workspace.read(row.id)
    (other,) = fill(
        workspace, "elsewhere",
        {"x": [spectrum(3 * data.values, data.raman_shift.values, "a", row.composition, {})]},
    )  # fmt: skip
    assert search(workspace, SearchRequest("lib", ids=[other.id], k=1))[0].id == row.id


def test_a_vector_can_be_asked_with(workspace: Workspace, library: list[MeasurementRow]) -> None:
    space = space_of(workspace, "lib")
    hit = search(workspace, SearchRequest("lib", vector=space.vectors[7], k=1))[0]
    assert hit.id.encode() == space.ids[7]


def test_wrong_questions_are_refused(workspace: Workspace, library: list[MeasurementRow]) -> None:
    one = library[0].id
    with pytest.raises(ConfigError, match=r"one of an id \(--id\), a file"):
        search(workspace, SearchRequest("lib"))
    with pytest.raises(ConfigError, match="one of"):
        search(workspace, SearchRequest("lib", ids=[one], vector=np.zeros(3, np.float32)))
    with pytest.raises(ConfigError, match='no feature part "colour"; the parts are spectrum'):
        search(workspace, SearchRequest("lib", ids=[one], weights={"colour": 1}))
    with pytest.raises(ConfigError, match="Every weight is zero"):
        search(workspace, SearchRequest("lib", ids=[one], weights={"spectrum": 0}))
    with pytest.raises(ConfigError, match="at least one"):
        search(workspace, SearchRequest("lib", ids=[one], k=0))
    with pytest.raises(NotFoundError, match='no collection "pfm"'):
        search(workspace, SearchRequest("pfm", ids=[one]))
    with pytest.raises(NotFoundError, match='no measurement "nothing"'):
        search(workspace, SearchRequest("lib", ids=["nothing"]))
    with pytest.raises(QueryError, match="did you mean 'operator'"):
        search(workspace, SearchRequest("lib", ids=[one], where='operatr = "xu"'))
    with pytest.raises(UnsuitableDataError, match="finite numbers"):
        search(workspace, SearchRequest("lib", vector=np.zeros(3, np.float32)))
    with pytest.raises(UnsuitableDataError, match="Only images have regions"):
        search(workspace, SearchRequest("lib", ids=[one], roi="0,0,32,32"))
    with pytest.raises(ConfigError, match="not a region"):
        search(workspace, SearchRequest("lib", ids=[one], roi="0,0,32"))


def test_images_are_not_compared_with_spectra(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    (scan,) = fill(workspace, "pfm", {"a": [image(np.random.default_rng(0).random((3, 32, 32)))]})
    with pytest.raises(NotFoundError, match="holds no image to compare with, only 60 spectrum"):
        search(workspace, SearchRequest("lib", ids=[scan.id]))
