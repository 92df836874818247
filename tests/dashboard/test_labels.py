"""Labels on the dashboard: a facet of which a measurement may have several, and what it asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from motif.core.remarks import put_label, take_label
from motif.core.workspace import Workspace
from motif.dashboard import filters
from motif.dashboard.lab import Lab
from motif.dashboard.view import View


@pytest.fixture
def own(tmp_path: Path, small_lab: Any) -> Iterator[Lab]:
    """A lab whose labels no other test sees."""
    workspace: Workspace = small_lab.build(tmp_path / "lab", images=12)
    here = Lab(workspace)
    yield here
    here.close()


def test_labels_are_a_facet_a_measurement_may_have_several_of(own: Lab) -> None:
    ids = [row.id for row in own.workspace.select("pfm")]
    assert "label" not in own.table("pfm").columns
    put_label(own.workspace, ids[:4], "to repeat", "ito")
    put_label(own.workspace, ids[3:5], "<b>nice</b>", "ito")
    take_label(own.workspace, ids[:1], "to repeat", "ito")
    table = own.table("pfm")
    assert table.columns["label"].text_at(table.index[ids[3]]) == "<b>nice</b>, to repeat"
    for wanted, expected in (
        (("to repeat",), ids[1:4]),
        (("<b>nice</b>",), ids[3:5]),
        (("to repeat", "<b>nice</b>"), ids[1:5]),
    ):
        filtered = filters.apply(own, View(collection="pfm", facets={"label": wanted}), table)
        assert [one for one, on in zip(table.ids, filtered.mask, strict=True) if on] == expected
        assert [row.id for row in own.workspace.select("pfm", filtered.question)] == expected
    counts = table.columns["label"].counts(filtered.typed)
    assert counts.tolist() == [2, 3]
