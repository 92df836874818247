"""Full-text phrases: in titles, metadata, headers, facets, labels and notes."""

from __future__ import annotations

import numpy as np
import pytest

from motif.core.annotations.annotation_log import add_label, add_note, remove_label
from motif.core.catalog.fulltext import strings
from motif.core.catalog.intake import Intake, NewRecord
from motif.core.records import Asset, Facet, Reading
from motif.core.testing.fill_workspace import image
from motif.core.workspace import Workspace

HEADER = [
    ("Comment", "Domain wall; 50% done_now"), ("Gain", "1.25e3"), ("Label", "α-Fe₂O₃"),
    ("Date", "2021-07-07 at noon"),
]  # fmt: skip


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    scan = image(np.zeros((3, 4, 4)), facets=[Facet("mode", "Vertical PFM", "header:Mode")])
    metadata = {"sample": {"grown": ["by Ann", {"on": "SrTiO3"}]}, "count": 3}
    asset = Asset("a", "Morning scan", "1", "1", "a.ibw", metadata=metadata)
    other = Asset("b", "Evening", "1", "1", "b.ibw")
    new = [
        NewRecord(asset, Reading([scan], HEADER), "t", 1, "00", 1),
        NewRecord(other, Reading([image(np.ones((3, 4, 4)))]), "t", 1, "01", 1),
    ]
    Intake(workspace, "s", "pfm", workspace.mapper()).commit(new, (), ())
    return workspace


def records(workspace: Workspace, phrase: str) -> list[str]:
    """Records with a phrase, by SQL; the columns must agree."""
    where = 'text "{}"'.format(phrase.replace("\\", "\\\\").replace('"', '\\"'))
    rows = workspace.select("pfm", where)
    columns = workspace.columns("pfm")
    assert columns.first(columns.mask(where)) == [row.id for row in rows]
    return [row.record_id for row in rows]


@pytest.mark.parametrize(
    "phrase",
    ["morning", "SCAN", "by ann", "srtio3", "domain wall", "50% done_now", "vertical pfm",
     "ain", "α-Fe₂O₃", "-Fe", "07 at", "Mo", "l;"],
)  # fmt: skip
def test_phrases_are_found_anywhere_in_any_case(filled: Workspace, phrase: str) -> None:
    assert records(filled, phrase) == ["s:a"]


@pytest.mark.parametrize(
    "phrase", ["evening morning", "50_ done", "50%_done", "1.25e3", "Comment", "xyzzy", "_%"]
)
def test_wildcards_numbers_and_keys_are_not_found(filled: Workspace, phrase: str) -> None:
    assert records(filled, phrase) == []


def test_labels_and_notes_are_found_while_they_are_there(filled: Workspace) -> None:
    (row,) = [row for row in filled.select("pfm") if row.record_id == "s:b"]
    add_label(filled, [row.id], "To Repeat", "ito")
    add_note(filled, [row.id], "Tip crashed\nat noon.", "ito")
    assert records(filled, "repeat") == ["s:b"]
    assert records(filled, "crashed") == ["s:b"]
    assert sorted(records(filled, "noon")) == ["s:a", "s:b"]
    remove_label(filled, [row.id], "To Repeat", "ito")
    assert records(filled, "repeat") == []


def test_the_index_survives_a_reindex(filled: Workspace) -> None:
    filled.reindex()
    assert records(filled, "domain wall") == ["s:a"]


def test_strings_of_a_json_value() -> None:
    value = {"a": ["x", 1, {"b": "y"}], "c": None, "d": {"e": [["z"]]}}
    assert list(strings(value)) == ["x", "y", "z"]
