"""What ``motif show`` prints of a record or a result."""

from __future__ import annotations

import json

import numpy as np
import pytest

from motif.core.annotations.annotation_log import add_label, add_note
from motif.core.catalog.intake import Intake, NewRecord
from motif.core.errors import NotFoundError
from motif.core.provenance.record_view import (
    SHOWN,
    record_document,
    record_text,
    result_document,
    taint_document,
)
from motif.core.records import Asset, Facet, Measurement, Reading
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace


def scan(seed: int = 1) -> Measurement:
    facets = [
        Facet("acquired_at", "2021-07-07T12:00:00Z", "header:Date", raw_text="7 July, noon"),
        Facet("bias", 2.0, "header:Bias", "V"),
        Facet("mode", "PFM", "header:Mode"),
        Facet("simulated", False, "file:name"),
    ]
    values = np.random.default_rng(seed).normal(size=(3, 32, 32)).cumsum(1)
    return image(values, facets=facets)


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    asset = Asset("a", "A scan", "1", "1", "a.ibw", metadata={"mode": "AFM"})
    reading = Reading([scan()], [("Gain", "1"), ("Gain", "2")], ["the last line is cut off"])
    copy = Asset("b", "A copy", "1", "1", "b.gwy")
    new = [
        NewRecord(asset, reading, "asylum-ibw", 3, "ab" * 32, 123_456),
        NewRecord(copy, Reading([scan()]), "gwyddion", 1, "cd", 9),
    ]
    Intake(workspace, "s", "pfm", workspace.mapper()).commit(new, (), ())
    return workspace


def document(workspace: Workspace, record: str = "s:a", *, header: bool = False) -> dict:
    view = record_document(workspace, record, header=header)
    json.dumps(view, allow_nan=False)
    return view


def test_the_document_has_everything_of_a_record(filled: Workspace) -> None:
    (row,) = filled.catalog.measurements_of("s:a")
    add_label(filled, [row.id], "odd", "ito")
    add_note(filled, [row.id], "Worn tip.", "mori")
    result = filled.ledger.record("projection", "pfm", {}, [row.id], {}, {}, 0.0)
    view = document(filled)
    assert view["warnings"] == ["the last line is cut off"]
    assert view["disagreements"] == [{"facet": "mode", "header": "PFM", "record": "AFM"}]
    assert "header" not in view
    assert "raw_title" not in view
    (measurement,) = view["measurements"]
    facets = {facet["name"]: facet for facet in measurement["facets"]}
    assert facets["acquired_at"]["raw_text"] == "7 July, noon"
    assert "raw_text" not in facets["mode"]
    assert (facets["bias"]["value"], facets["bias"]["unit"]) == (2.0, "V")
    assert facets["simulated"]["value"] is False
    assert measurement["labels"] == ["odd"]
    (note,) = measurement["notes"]
    assert (note["text"], note["who"]) == ("Worn tip.", "mori")
    (duplicate,) = measurement["duplicates"]
    assert (duplicate["record_id"], duplicate["relation"]) == ("s:b", "same values")
    derived = {each["stage"]: each for each in measurement["derived"]}
    assert derived["projection"] == {"id": result.id, "stage": "projection", "tainted": False}
    assert document(filled, header=True)["header"] == [["Gain", "1"], ["Gain", "2"]]


def test_the_text_has_a_line_for_each_of_them(filled: Workspace) -> None:
    (row,) = filled.catalog.measurements_of("s:a")
    add_label(filled, [row.id], "odd", "ito")
    add_note(filled, [row.id], "Worn tip.", "mori")
    text = record_text(document(filled, header=True))
    for line in (
        "Record s:a: A scan", "collection    pfm, from s", "asylum-ibw, version 3",
        "a.ibw, 123,456 bytes", "warning       the last line is cut off",
        "the file states 'PFM', which is used; the record states 'AFM'",
        '2021-07-07T12:00:00Z  [header:Date, originally "7 July, noon"]',
        "bias          2 V  [header:Bias]", "simulated     no  [file:name]",
        "channel       Height (m)", "label         odd", "note          Worn tip. (mori, ",
        "duplicate     ", "used in       label ", "  Gain: 2",
    ):  # fmt: skip
        assert line in text, line


def test_a_long_record_is_cut(workspace: Workspace) -> None:
    axis = np.arange(4.0)
    table = [spectrum(np.ones(4), axis, str(n), {}, {}) for n in range(SHOWN + 5)]
    fill(workspace, "lib", {"t": table})
    view = record_document(workspace, "test:t", header=False)
    assert len(view["measurements"]) == SHOWN + 5
    text = record_text(view)
    assert text.count("Spectrum ") == SHOWN
    assert "... and 5 more measurements; list them with --json." in text


def test_a_deleted_record_is_shown_as_such(filled: Workspace) -> None:
    intake = Intake(filled, "s", "pfm", filled.mapper())
    intake.commit((), (), (), deleted=["a"])
    assert "deleted       its source does not have it any more" in record_text(document(filled))
    with pytest.raises(NotFoundError):
        document(filled, "s:unknown")


def test_a_record_without_a_file_has_no_reader(workspace: Workspace) -> None:
    intake = Intake(workspace, "s", "pfm", workspace.mapper())
    intake.commit([NewRecord.without_data(Asset("a", "Only metadata", "1", ""), "no file")], (), ())
    text = record_text(document(workspace))
    assert "read by" not in text
    assert "warning       no file" in text


def test_a_result_with_inputs_and_arrays(filled: Workspace) -> None:
    (row,) = filled.catalog.measurements_of("s:a")
    first = filled.ledger.record(
        "embedding", "pfm", {"v": 1}, [row.id], {"vectors": np.ones((1, 2))}, {"count": 1}, 0.5
    )
    second = filled.ledger.record("projection", "pfm", {}, [first.id], {}, {}, 0.0)
    view = result_document(filled, first.id)
    assert view is not None
    assert view["inputs"] == (row.id,)
    assert view["arrays"] == ["vectors"]
    assert (view["tainted"], view["rebuild"]) == (False, "")
    assert view["derived"] == [{"id": second.id, "stage": "projection"}]
    assert result_document(filled, row.id) is None
    assert result_document(filled, "short") is None


def test_without_marks_nothing_is_tainted(filled: Workspace) -> None:
    filled.ledger.record("projection", "pfm", {}, [], {}, {}, 0.0)
    assert taint_document(filled) == {"records": {}, "results": []}
