"""Questions of a search: regions, weights, uploads, and what answers have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.analysis.search.search_example import SMALLEST, Region
from motif.analysis.search.similarity_search import Hit
from motif.core.errors import MotifError
from motif.dashboard.components.region.region_component import to_pixels, to_shares
from motif.dashboard.data.search_query import (
    Upload,
    answers,
    in_common,
    options_of,
    parse_weights,
    spell_weights,
    spelled,
    warning,
)
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession

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
def test_what_is_not_a_region_of_the_image_is_none(roi: str) -> None:
    assert to_shares(roi, (48, 48)) is None


def test_weights_go_through_the_address() -> None:
    usual = {"texture": 1.0, "scale": 1.0, "composition": 0.0}
    text = spell_weights({"texture": 2.0, "scale": 1.0, "composition": 0.5}, usual)
    assert text == "texture:2;composition:0.5"
    assert parse_weights(text, list(usual)) == {"texture": 2.0, "composition": 0.5}
    assert parse_weights("texture:nan;scale:-1;other:1;x;texture:99", list(usual)) == {}


def test_an_unreadable_upload_is_refused_by_its_own_name(session: WorkspaceSession) -> None:
    view = View(collection="library")
    with pytest.raises(MotifError) as refusal:
        answers(session, view, Upload("../..\\notes.xyz", b"nothing to read"), "", 5, {})
    assert "motif-ask-" not in str(refusal.value)


def test_answers_follow_weights_and_what_to_keep_away_from(session: WorkspaceSession) -> None:
    one, other, *_ = (row.id for row in session.workspace.select("library"))
    view = View(collection="library", id=one)
    answers(session, view, None, "", 5, {})  # the first search keeps features in the store
    plain = answers(session, view, None, "", 5, {})
    assert answers(session, view, None, "", 5, {}) is plain
    away = answers(session, View(collection="library", id=one, unlike=(other,)), None, "", 5, {})
    assert other not in {hit.id for hit in away}
    several = answers(session, View(collection="library", id=one, like=(other,)), None, "", 5, {})
    assert not {one, other} & {hit.id for hit in several}


@pytest.fixture(scope="module")
def described(
    tmp_path_factory: pytest.TempPathFactory, small_lab: Any
) -> Iterator[WorkspaceSession]:
    """A workspace whose images have features."""
    from motif.analysis.symmetry.embedding.fused_embedding import embed

    lab = WorkspaceSession(small_lab.build(tmp_path_factory.mktemp("asked") / "lab"))
    embed(lab.workspace, "pfm", extractor="analytic")
    yield lab
    lab.close()


def test_what_answers_have_in_common_is_over_represented(described: WorkspaceSession) -> None:
    some = described.workspace.select("pfm", 'material = "PbTiO3"')
    facets = described.workspace.facets([row.id for row in some])
    hits = [Hit(row.id, row.record_id, 0.0, facets[row.id]) for row in some]
    found = in_common(described, View(collection="pfm"), hits)
    assert (found[0].name, found[0].value, found[0].share) == ("material", "PbTiO3", 1.0)
    assert "material PbTiO3 (100 %, 33 % of all)" in spelled(found)
    assert in_common(described, View(collection="pfm"), []) == []


def test_options_of_an_answer_go_through_the_address() -> None:
    view = View(not_same=("record",), different=("material",), diversity="0.5", within="2")
    stated = options_of(View.from_params({k: [*v] if isinstance(v, list) else [v]
                                        for k, v in view.params().items()}))  # fmt: skip
    assert stated == {
        "not_same": ("record",), "different": ("material",), "diversity": 0.5, "within": 2.0,
    }  # fmt: skip
    assert options_of(View(up_to="rotation,mirror")) == {"up_to": "rotation,mirror"}
    assert options_of(View(diversity="nan", within="-1", up_to="shear")) == {}


def test_answers_keep_to_what_is_asked_of_them(described: WorkspaceSession) -> None:
    one = described.workspace.select("pfm")[3]
    own = described.workspace.facets([one.id])[one.id]
    view = View(collection="pfm", id=one.id, different=("material",), not_same=("operator",))
    hits = answers(described, view, None, "", 40, {})
    assert hits
    for hit in hits:
        assert hit.facets["material"] != own["material"]
        assert hit.facets["operator"] != own["operator"]
    furthest = answers(described, View(collection="pfm", id=one.id), None, "", 20, {})[-1].distance
    near = View(collection="pfm", id=one.id, within=f"{furthest / 2:g}")
    assert all(hit.distance <= furthest / 2 for hit in answers(described, near, None, "", 40, {}))
    pictures = View(collection="pfm", id=one.id, up_to="exact")
    ranked = [hit.correlation or 0.0 for hit in answers(described, pictures, None, "", 9, {})]
    assert ranked == sorted(ranked, reverse=True)
    assert max(ranked) <= 1.0001


def test_an_answer_of_one_operator_alone_is_warned_of(described: WorkspaceSession) -> None:
    one, *some = described.workspace.select("pfm", 'operator = "xu"')
    facets = described.workspace.facets([row.id for row in some])
    hits = [Hit(row.id, row.record_id, 0.0, facets[row.id]) for row in some]
    found = warning(described, View(collection="pfm", id=one.id), hits, "")
    assert found.confounded
    assert "operator xu" in found.sentence
    mixed = [hit for hit in hits if hit.facets["material"] == "PbTiO3"][:2]
    assert not warning(described, View(collection="pfm", id=one.id), mixed, "").confounded
