"""Requests to the similarity search: validated once, and the same as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.analysis.search.search_example import Region
from motif.analysis.search.search_request import SearchRequest
from motif.core.errors import ConfigError

ID = "0" * 32


@pytest.mark.parametrize(
    "example",
    [
        {},
        {"ids": [ID], "file": Path("a.ibw")},
        {"ids": [ID], "vector": np.zeros(3, np.float32)},
        {"file": Path("a.ibw"), "vector": np.zeros(3, np.float32)},
    ],
)
def test_exactly_one_example_is_given(example: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="one of an id"):
        SearchRequest("pfm", **example)


@pytest.mark.parametrize(
    "example", [{"ids": [ID, "1" * 32]}, {"vector": np.zeros(3, np.float32)}], ids=str
)
def test_a_region_belongs_to_one_image(example: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="one image"):
        SearchRequest("pfm", roi="0,0,32,32", **example)


@pytest.mark.parametrize("k", [0, -1])
def test_a_search_asks_for_at_least_one_hit(k: int) -> None:
    with pytest.raises(ConfigError, match="at least one"):
        SearchRequest("pfm", ids=[ID], k=k)


def test_diversity_and_pixel_comparison_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="leave out one"):
        SearchRequest("pfm", ids=[ID], diversity=0.5, up_to="exact")


def test_a_region_is_parsed_where_it_is_text() -> None:
    request = SearchRequest("pfm", ids=[ID], roi="4,8,32,64")
    assert request.example().region == Region(4, 8, 32, 64)
    with pytest.raises(ConfigError, match="is not a region"):
        SearchRequest("pfm", ids=[ID], roi="4,8,32")


def test_defaults_are_left_out_of_the_document() -> None:
    assert SearchRequest("pfm", ids=[ID]).document() == {"collection": "pfm", "ids": [ID]}


@given(
    k=st.integers(1, 500),
    where=st.none() | st.sampled_from(["scan_size <= 2 um", 'operator = "xu"']),
    weights=st.none() | st.dictionaries(st.sampled_from(["texture", "phase"]), st.floats(0, 4)),
    within=st.none() | st.floats(0, 10),
    not_same=st.lists(st.sampled_from(["record", "session", "sample"]), unique=True),
    diversity=st.floats(0, 1),
    tiles=st.none() | st.booleans(),
    roi=st.none() | st.just("0,0,32,32"),
)
def test_a_request_comes_back_from_json(**options: Any) -> None:
    request = SearchRequest("pfm", ids=[ID], **options)
    document = json.loads(json.dumps(request.document()))
    again = SearchRequest.from_document(document)
    assert again.document() == request.document()
    assert (again.k, again.where, again.tiles) == (request.k, request.where, request.tiles)
    assert again.example() == request.example()


def test_a_file_comes_back_as_a_path() -> None:
    request = SearchRequest("pfm", file=Path("scans/a.ibw"), key="1")
    assert SearchRequest.from_document(request.document()).file == Path("scans/a.ibw")


def test_an_unknown_option_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r'"colour" is not an option of a search; .*diversity'):
        SearchRequest.from_document({"collection": "pfm", "ids": [ID], "colour": "red"})


def test_arrays_and_sets_of_ids_are_not_part_of_the_document() -> None:
    request = SearchRequest("pfm", vector=np.ones(4, np.float32), keep=frozenset({ID}))
    assert request.document() == {"collection": "pfm"}
    with pytest.raises(ConfigError, match="vector"):
        SearchRequest.from_document({"collection": "pfm", "vector": [1.0]})
