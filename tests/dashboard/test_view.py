"""A view and its URL say the same."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.dashboard.state.current_view import address
from motif.dashboard.state.view_state import View, decode_polygon, encode_polygon

words = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable())
number = st.floats(-(2.0**60), 2.0**60, width=32)
ids = st.lists(st.text("0123456789abcdef", min_size=32, max_size=32), max_size=3, unique=True)
names = st.lists(words, max_size=3, unique=True)
views = st.builds(
    View,
    at=words, collection=words, map=words, colour=words, where=words, id=words, k=words,
    facets=st.dictionaries(words, st.lists(words, min_size=1, max_size=3).map(tuple), max_size=3),
    polygon=st.lists(st.tuples(number, number), min_size=3, max_size=8).map(tuple),
    like=ids.map(tuple), unlike=ids.map(tuple),
    hidden=st.lists(words, max_size=3).map(tuple), why=words, line=words, within=words,
    not_same=names.map(tuple), different=names.map(tuple), model=names.map(tuple),
)  # fmt: skip


@given(views)
def test_a_url_brings_back_its_view(view: View) -> None:
    query = address("map", view).partition("?")[2]
    params = parse_qs(query, keep_blank_values=True, encoding="utf-8", errors="surrogatepass")
    assert View.from_params(params) == view


@given(st.text(max_size=60))
def test_any_text_is_a_polygon_or_none(text: str) -> None:
    corners = decode_polygon(text)
    assert corners == () or len(corners) >= 3


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_polygon_is_finite(bad: float) -> None:
    assert decode_polygon(encode_polygon([(0, 0), (1, 0), (bad, 1)])) == ()


def test_what_makes_no_sense_is_left_out() -> None:
    view = View.from_params({"sel": ["!!"], "nonsense": ["1"], "collection": [""], "f.a": []})
    assert view == View()
    assert view.params() == {}


def test_a_link_to_another_page_carries_moment_collection_and_filter_only() -> None:
    view = View(
        at="1-2", collection="pfm", where="a = 1", id="x", facets={"b": ("c",)}, hidden=("d",)
    )
    carried = View(at="1-2", collection="pfm", where="a = 1", facets={"b": ("c",)})
    assert view.carried() == carried


def test_a_facet_without_values_is_not_a_filter() -> None:
    view = View(facets={"a": ("x",), "b": ("y",)})
    assert view.with_facet("a", ()).facets == {"b": ("y",)}
    assert view.with_facet("a", ("z",)).facets == {"a": ("z",), "b": ("y",)}
