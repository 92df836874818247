"""Labels on the dashboard: a facet of which a measurement may have several, and what it asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from motif.core.annotations.annotation_log import add_label, remove_label
from motif.core.workspace import Workspace
from motif.dashboard.data import view_filter
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession


@pytest.fixture
def own(tmp_path: Path, small_lab: Any) -> Iterator[WorkspaceSession]:
    """A lab whose labels no other test sees."""
    workspace: Workspace = small_lab.build(tmp_path / "lab", images=12)
    session = WorkspaceSession(workspace)
    yield session
    session.close()


def test_labels_are_a_facet_a_measurement_may_have_several_of(own: WorkspaceSession) -> None:
    ids = [row.id for row in own.workspace.select("pfm")]
    assert "label" not in own.table("pfm").columns
    add_label(own.workspace, ids[:4], "to repeat", "ito")
    add_label(own.workspace, ids[3:5], "<b>nice</b>", "ito")
    remove_label(own.workspace, ids[:1], "to repeat", "ito")
    table = own.table("pfm")
    assert table.columns["label"].text_at(table.index[ids[3]]) == "<b>nice</b>, to repeat"
    for wanted, expected in (
        (("to repeat",), ids[1:4]),
        (("<b>nice</b>",), ids[3:5]),
        (("to repeat", "<b>nice</b>"), ids[1:5]),
    ):
        filtered = view_filter.apply(own, View(collection="pfm", facets={"label": wanted}), table)
        assert [
            identity for identity, on in zip(table.ids, filtered.mask, strict=True) if on
        ] == expected
        assert [row.id for row in own.workspace.select("pfm", filtered.question)] == expected
    counts = table.columns["label"].counts(filtered.typed)
    assert counts.tolist() == [2, 3]
