"""Labels and notes: added, removed, filtered by, found by their text."""

from __future__ import annotations

import numpy as np
import pytest

from motif.core.annotations.annotation_log import (
    add_label,
    add_note,
    annotations_of,
    labels_of,
    remove_label,
)
from motif.core.errors import ConfigError, NotFoundError
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    scans = {f"scan {n}": [image(np.full((3, 4, 4), n))] for n in range(6)}
    fill(workspace, "pfm", scans)
    return workspace


@pytest.fixture
def ids(filled: Workspace) -> list[str]:
    return [row.id for row in filled.select("pfm")]


def matches(workspace: Workspace, where: str) -> list[str]:
    """Ids that match a query in SQL; the columns must agree."""
    by_sql = [row.id for row in workspace.select("pfm", where)]
    columns = workspace.columns("pfm")
    assert columns.first(columns.mask(where)) == by_sql
    return by_sql


def test_a_measurement_has_every_label_added_to_it(filled: Workspace, ids: list[str]) -> None:
    assert matches(filled, "has label") == []
    add_label(filled, ids[:2], "to repeat", "ito")
    add_label(filled, ids[1:3], "worn tip", "mori")
    assert matches(filled, 'label = "to repeat"') == ids[:2]
    assert matches(filled, 'label in ("to repeat", "worn tip")') == ids[:3]
    assert matches(filled, 'label = "to repeat" and label = "worn tip"') == ids[1:2]
    assert matches(filled, 'not label like "worn%"') == [ids[0], *ids[3:]]
    assert matches(filled, 'label not in ("to repeat", "worn tip")') == []
    assert matches(filled, 'label not between "a" and "u"') == ids[1:3]
    assert filled.columns("pfm").counts("label") == {"to repeat": 2, "worn tip": 2}
    remove_label(filled, ids[:1], "to repeat", "mori")
    assert matches(filled, "has label") == ids[1:3]
    assert filled.columns("pfm").counts("label") == {"worn tip": 2, "to repeat": 1}


def test_notes_are_found_by_their_text_and_keep_their_lines(
    filled: Workspace, ids: list[str]
) -> None:
    add_note(filled, ids[:1], "Tip worn.\nSee the next scan.", "ito")
    add_label(filled, ids[2:3], "tip changed", "ito")
    assert matches(filled, 'text "tip worn"') == ids[:1]
    assert matches(filled, 'text "TIP CH"') == ids[2:3]
    (note,) = annotations_of(filled.catalog, ids)[ids[0]]
    assert (note.kind, note.who, note.text) == ("note", "ito", "Tip worn.\nSee the next scan.")


def test_a_rebuilt_catalog_has_the_same_annotations(filled: Workspace, ids: list[str]) -> None:
    add_label(filled, ids[:3], "good", "ito")
    remove_label(filled, ids[:1], "good", "ito")
    add_note(filled, ids[:1], "a note", "ito")
    before = annotations_of(filled.catalog, ids)
    filled.reindex()
    assert annotations_of(filled.catalog, ids) == before
    assert {identity: labels_of(each) for identity, each in before.items()} == {
        ids[0]: [], ids[1]: ["good"], ids[2]: ["good"],
    }  # fmt: skip
    assert matches(filled, "has label") == ids[1:3]


@pytest.mark.parametrize("text", ["", "  ", "x" * 61, "\x00\x1b", "\n"])
def test_an_invalid_label_is_refused(filled: Workspace, ids: list[str], text: str) -> None:
    with pytest.raises(ConfigError, match="A label has 1 to 60 characters"):
        add_label(filled, ids[:1], text, "ito")


def test_a_label_has_one_line(filled: Workspace, ids: list[str]) -> None:
    add_label(filled, ids[:1], "two\nlines", "ito")
    assert matches(filled, 'label = "twolines"') == ids[:1]


def test_a_label_needs_measurements(filled: Workspace) -> None:
    with pytest.raises(ConfigError, match="choose some"):
        add_label(filled, [], "odd", "ito")
    with pytest.raises(NotFoundError, match="no measurement"):
        add_label(filled, ["0" * 32], "odd", "ito")


def test_a_facet_of_the_lab_cannot_take_its_name(workspace: Workspace) -> None:
    text = '[facets.label]\npath = "header:Label"\n'
    (workspace.root / "motif.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match='"label" is a name every measurement has'):
        Workspace.open(workspace.root)
