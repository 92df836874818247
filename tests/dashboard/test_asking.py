"""Questions of a search: regions, weights, uploads, and what answers have in common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.analysis.search.question import SMALLEST, Region
from motif.core.errors import MotifError
from motif.dashboard.asking import Upload, answers, parse_weights, spell_weights
from motif.dashboard.common import in_common, sentence
from motif.dashboard.lab import Lab
from motif.dashboard.parts.region import to_pixels, to_shares
from motif.dashboard.view import View

share = st.floats(0, 1)


@given(share, share, share, share, st.integers(SMALLEST, 2048), st.integers(SMALLEST, 2048))
def test_a_drawn_region_lies_in_the_image(
    x: float, y: float, width: float, height: float, wide: int, high: int
) -> None:
    drawn = [x, y, width * (1 - x), height * (1 - y)]
    roi = to_pixels(drawn, (high, wide))
    region = Region.parse(roi)
    assert min(region.x, region.y) >= 0
    assert region.x + region.width <= wide
    assert region.y + region.height <= high
    assert to_shares(roi, (high, wide)) is not None


@pytest.mark.parametrize("roi", ["", "a,b,c,d", "0,0,4,4", "0,0,99,20", "-1,0,20,20", "1,2,3"])
def test_what_is_no_region_of_the_image_is_none(roi: str) -> None:
    assert to_shares(roi, (48, 48)) is None


def test_weights_go_through_the_address() -> None:
    usual = {"texture": 1.0, "scale": 1.0, "composition": 0.0}
    text = spell_weights({"texture": 2.0, "scale": 1.0, "composition": 0.5}, usual)
    assert text == "texture:2;composition:0.5"
    assert parse_weights(text, list(usual)) == {"texture": 2.0, "composition": 0.5}
    assert parse_weights("texture:nan;scale:-1;other:1;x;texture:99", list(usual)) == {}


def test_an_unreadable_upload_is_refused_by_its_own_name(here: Lab) -> None:
    view = View(collection="library")
    with pytest.raises(MotifError) as refusal:
        answers(here, view, Upload("../..\\notes.xyz", b"nothing to read"), "", 5, {})
    assert "motif-ask-" not in str(refusal.value)


def test_answers_follow_weights_and_what_to_keep_away_from(here: Lab) -> None:
    one, other, *_ = (row.id for row in here.workspace.select("library"))
    view = View(collection="library", id=one)
    answers(here, view, None, "", 5, {})  # the first search keeps features in the store
    plain = answers(here, view, None, "", 5, {})
    assert answers(here, view, None, "", 5, {}) is plain
    away = answers(here, View(collection="library", id=one, unlike=(other,)), None, "", 5, {})
    assert other not in {hit.id for hit in away}
    several = answers(here, View(collection="library", id=one, like=(other,)), None, "", 5, {})
    assert not {one, other} & {hit.id for hit in several}


def test_facets_in_common_are_those_over_represented(here: Lab) -> None:
    table = here.table("pfm")
    column = table.columns["material"]
    rows = np.flatnonzero(column.codes == column.labels.index("PbTiO3"))
    found = in_common(table, rows)
    assert (found[0].name, found[0].value, found[0].share) == ("material", "PbTiO3", 1.0)
    assert found[0].overall == pytest.approx(1 / 3)
    assert "material PbTiO3 (100 %, 33 % of all)" in sentence(found)
    assert in_common(table, rows[:0]) == []
