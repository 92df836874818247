"""Labels and notes: put on, taken off, filtered by, found by their words."""

from __future__ import annotations

import numpy as np
import pytest

from motif.core.errors import ConfigError, NotFoundError
from motif.core.remarks import labels_of, put_label, put_note, remarks_on, take_label
from motif.core.testing.filling import fill, image
from motif.core.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    scans = {f"scan {n}": [image(np.full((3, 4, 4), n))] for n in range(6)}
    fill(workspace, "pfm", scans)
    return workspace


@pytest.fixture
def ids(filled: Workspace) -> list[str]:
    return [row.id for row in filled.select("pfm")]


def found(workspace: Workspace, where: str) -> list[str]:
    """What a filter leaves, by SQL; the columns must agree."""
    by_sql = [row.id for row in workspace.select("pfm", where)]
    columns = workspace.columns("pfm")
    assert columns.first(columns.mask(where)) == by_sql
    return by_sql


def test_a_measurement_has_every_label_put_on_it(filled: Workspace, ids: list[str]) -> None:
    assert found(filled, "has label") == []
    put_label(filled, ids[:2], "to repeat", "ito")
    put_label(filled, ids[1:3], "worn tip", "mori")
    assert found(filled, 'label = "to repeat"') == ids[:2]
    assert found(filled, 'label in ("to repeat", "worn tip")') == ids[:3]
    assert found(filled, 'label = "to repeat" and label = "worn tip"') == ids[1:2]
    assert found(filled, 'not label like "worn%"') == [ids[0], *ids[3:]]
    assert found(filled, 'label not in ("to repeat", "worn tip")') == []
    assert found(filled, 'label not between "a" and "u"') == ids[1:3]
    assert filled.columns("pfm").counts("label") == {"to repeat": 2, "worn tip": 2}
    take_label(filled, ids[:1], "to repeat", "mori")
    assert found(filled, "has label") == ids[1:3]
    assert filled.columns("pfm").counts("label") == {"worn tip": 2, "to repeat": 1}


def test_notes_are_found_by_their_words_and_keep_their_lines(
    filled: Workspace, ids: list[str]
) -> None:
    put_note(filled, ids[:1], "Tip worn.\nSee the next scan.", "ito")
    put_label(filled, ids[2:3], "tip changed", "ito")
    assert found(filled, 'text "tip worn"') == ids[:1]
    assert found(filled, 'text "TIP CH"') == ids[2:3]
    (note,) = remarks_on(filled.catalog, ids)[ids[0]]
    assert (note.kind, note.who, note.text) == ("note", "ito", "Tip worn.\nSee the next scan.")


def test_a_catalog_made_anew_knows_what_is_on(filled: Workspace, ids: list[str]) -> None:
    put_label(filled, ids[:3], "kept", "ito")
    take_label(filled, ids[:1], "kept", "ito")
    put_note(filled, ids[:1], "a note", "ito")
    before = remarks_on(filled.catalog, ids)
    filled.reindex()
    assert remarks_on(filled.catalog, ids) == before
    assert {one: labels_of(told) for one, told in before.items()} == {
        ids[0]: [], ids[1]: ["kept"], ids[2]: ["kept"],
    }  # fmt: skip
    assert found(filled, "has label") == ids[1:3]


@pytest.mark.parametrize("text", ["", "  ", "x" * 61, "\x00\x1b", "\n"])
def test_what_is_no_label_is_refused(filled: Workspace, ids: list[str], text: str) -> None:
    with pytest.raises(ConfigError, match="Write 1 to 60 characters"):
        put_label(filled, ids[:1], text, "ito")


def test_a_label_is_one_line(filled: Workspace, ids: list[str]) -> None:
    put_label(filled, ids[:1], "two\nlines", "ito")
    assert found(filled, 'label = "twolines"') == ids[:1]


def test_a_label_needs_something_to_be_on(filled: Workspace) -> None:
    with pytest.raises(ConfigError, match="choose some"):
        put_label(filled, [], "lonely", "ito")
    with pytest.raises(NotFoundError, match="no measurement"):
        put_label(filled, ["0" * 32], "lonely", "ito")


def test_a_facet_of_the_lab_cannot_take_its_name(workspace: Workspace) -> None:
    text = '[facets.label]\npath = "header:Label"\n'
    (workspace.root / "motif.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match='"label" is a name every measurement has'):
        Workspace.open(workspace.root)
