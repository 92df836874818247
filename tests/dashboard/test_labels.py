"""Labels and notes: put on, taken off, filtered by, kept in the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from motif.core.errors import ConfigError
from motif.core.workspace import Workspace
from motif.dashboard import filters, labels
from motif.dashboard.lab import Lab
from motif.dashboard.view import View


@pytest.fixture(autouse=True)
def nobody_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a page there is no visitor; Streamlit would warn."""
    monkeypatch.setattr(labels, "person", lambda: "ito")


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
    labels.put_label(own.workspace, "pfm", ids[:4], "to repeat")
    labels.put_label(own.workspace, "pfm", ids[3:5], "<b>nice</b>")
    labels.take_label(own.workspace, "pfm", ids[:1], "to repeat")
    table = own.table("pfm")
    assert table.columns["label"].text_at(table.index[ids[3]]) == "<b>nice</b>, to repeat"
    for wanted, expected in (
        (("to repeat",), ids[1:4]),
        (("<b>nice</b>",), ids[3:5]),
        (("to repeat", "<b>nice</b>"), ids[1:5]),
    ):
        filtered = filters.apply(own, View(collection="pfm", facets={"label": wanted}), table)
        assert [one for one, on in zip(table.ids, filtered.mask, strict=True) if on] == expected
        assert filtered.labelled
        assert filtered.question == ""
    counts = table.columns["label"].counts(filtered.typed)
    assert counts.tolist() == [2, 3]


def test_labels_and_notes_survive_a_catalog_made_anew(own: Lab) -> None:
    ids = [row.id for row in own.workspace.select("pfm")]
    labels.put_label(own.workspace, "pfm", ids[:2], "kept")
    labels.put_note(own.workspace, "pfm", ids[:1], "The tip was worn.\nSee the next scan.")
    own.workspace.reindex()
    made = own.workspace.ledger.all(labels.STAGE, "pfm")
    assert labels.labels_on(made) == {one: {"kept"} for one in ids[:2]}
    (note,) = labels.notes_on(made)[ids[0]]
    assert note.text.endswith("See the next scan.")
    assert note.who == "ito"
    assert note.at


@pytest.mark.parametrize("text", ["", "  ", "x" * 61, "\x00\x1b"])
def test_what_is_no_label_is_refused(own: Lab, text: str) -> None:
    with pytest.raises(ConfigError):
        labels.put_label(own.workspace, "pfm", [own.workspace.select("pfm")[0].id], text)


def test_a_label_needs_something_to_be_on(own: Lab) -> None:
    with pytest.raises(ConfigError, match="choose some"):
        labels.put_label(own.workspace, "pfm", [], "lonely")
