"""A link shows the same later: a moment of a workspace, and what came after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.annotations.annotation_log import add_label
from motif.core.catalog.intake import Intake
from motif.core.facets.facet_rules import Mapper
from motif.dashboard.data import view_filter
from motif.dashboard.panels.map_navigation_panel import changes_text
from motif.dashboard.state.pinned_view import Pin
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession, lab


@pytest.fixture
def growing(
    tmp_path: Path, small_lab: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WorkspaceSession]:
    """A workspace of its own, which a test may change."""
    small_lab.build(tmp_path / "lab", images=12).close()
    monkeypatch.setenv("MOTIF_WORKSPACE", str(tmp_path / "lab"))
    lab.cache_clear()
    yield lab()
    lab().close()
    lab.cache_clear()


def take_in(
    session: WorkspaceSession, small_lab: Any, numbers: range, gone: tuple[str, ...] = ()
) -> None:
    taken = [small_lab._taken(number, small_lab._image(number)) for number in numbers]
    Intake(session.workspace, "microscope", "pfm", Mapper({})).commit(taken, (), (), gone)


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**15 - 1))
def test_a_moment_is_spelled_and_read(lines: int, newest: int) -> None:
    pin = Pin(lines, newest)
    assert Pin.parse(str(pin)) == pin


@pytest.mark.parametrize("text", ["", "1", "1-", "-1-2", "a-b", "1-2-3", "9" * 13 + "-1", "1-٣x"])
def test_what_is_not_a_moment_is_none(text: str) -> None:
    assert Pin.parse(text) is None


def test_the_present_and_a_future_moment_leave_nothing_out(growing: WorkspaceSession) -> None:
    for at in ("", str(growing.present()), "999999-999999", "nonsense"):
        assert growing.known(at, "pfm") is None
        assert growing.news(at) is None


def test_a_pinned_view_leaves_out_what_came_later(
    growing: WorkspaceSession, small_lab: Any
) -> None:
    at = str(growing.present())
    view = View(at=at, collection="pfm", where='operator = "xu"')
    before = view_filter.apply(growing, view, growing.table("pfm"))
    ids = {growing.table("pfm").ids[row] for row in np.flatnonzero(before.mask)}
    assert not growing.news(at)
    take_in(growing, small_lab, range(12, 24))
    small_lab.add_map(growing.workspace, "pfm", seed=9)
    table = growing.table("pfm")
    assert len(table) == 24
    after = view_filter.apply(growing, view, table)
    assert {table.ids[row] for row in np.flatnonzero(after.mask)} == ids
    assert after.total == 12
    assert len(growing.derivations("projection", "pfm", at)) == 1
    assert len(growing.derivations("projection", "pfm")) == 2
    found = growing.news(at)
    assert found is not None
    assert (found.new, found.changed, found.gone, found.results) == (12, 0, 0, 1)
    assert changes_text(found) == "12 new, 1 new result"


def test_what_was_revised_or_went_is_reported(growing: WorkspaceSession, small_lab: Any) -> None:
    at = str(growing.present())
    take_in(growing, small_lab, range(1, 3), gone=("d/5",))
    found = growing.news(at)
    assert found is not None
    assert (found.new, found.changed, found.gone) == (0, 2, 1)
    assert changes_text(found) == "2 updated, 1 deleted"
    assert (
        view_filter.apply(growing, View(at=at, collection="pfm"), growing.table("pfm")).total == 11
    )


def test_a_label_is_not_a_news(growing: WorkspaceSession) -> None:
    at = str(growing.present())
    add_label(growing.workspace, growing.table("pfm").ids[:2], "odd", "ada")
    assert growing.past(at) is not None
    assert not growing.news(at)


def test_the_moment_survives_a_rebuilt_catalog(growing: WorkspaceSession, small_lab: Any) -> None:
    at = str(growing.present())
    take_in(growing, small_lab, range(12, 15))
    growing.workspace.reindex()
    assert str(growing.present()) != at
    known = growing.known(at, "pfm")
    assert known is not None
    assert (int(known.sum()), len(known)) == (12, 15)
