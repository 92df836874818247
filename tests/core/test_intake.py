"""What the intake stores of readings and of changed metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from motif.core.catalog.intake import Intake, MetadataUpdate, NewRecord
from motif.core.facets.raw_facets import raw_facets_of
from motif.core.records import Asset, Facet, Measurement, Reading
from motif.core.testing.fill_workspace import image, spectrum
from motif.core.workspace import Workspace

SCAN = np.arange(48.0).reshape(3, 4, 4)
AXIS = np.array([1.0, 2.0, 4.0])


def configured(workspace: Workspace, text: str) -> Workspace:
    workspace.close()
    (workspace.root / "motif.toml").write_text(text, encoding="utf-8")
    return Workspace.open(workspace.root)


def intake(workspace: Workspace) -> Intake:
    return Intake(workspace, "s", "pfm", workspace.mapper())


def asset(native_id: str = "a", **metadata: object) -> Asset:
    return Asset(native_id, f"Scan {native_id}", "1", "1", f"{native_id}.ibw", metadata=metadata)


def read(
    workspace: Workspace, *measurements: Measurement, header: tuple = (), **metadata: object
) -> None:
    reading = Reading(measurements, header, ["worn tip"])
    new = NewRecord(asset(**metadata), reading, "test", 2, "ab" * 32, 77)
    intake(workspace).commit([new], (), ())


def update(workspace: Workspace, **metadata: object) -> None:
    record = workspace.record("s:a")
    change = MetadataUpdate(asset(**metadata), record, record.raw_sha256)
    intake(workspace).commit((), [change], ())


def facets(workspace: Workspace) -> dict[str, object]:
    (row,) = workspace.select("pfm")
    return dict(workspace.facets([row.id])[row.id])


def test_a_record_keeps_what_its_file_was(workspace: Workspace) -> None:
    read(workspace, image(SCAN), header=(("Key", "1"),))
    record = workspace.record("s:a")
    assert (record.reader, record.reader_version) == ("test", 2)
    assert (record.raw_sha256, record.raw_size) == ("ab" * 32, 77)
    assert record.warnings == ["worn tip"]
    assert record.file_name == "a.ibw"
    assert workspace.catalog.header("s:a") == [("Key", "1")]


def test_metadata_change_facets_and_warnings_but_not_the_data(workspace: Workspace) -> None:
    read(workspace, image(SCAN), operator="xu", temperature=25)
    (before,) = workspace.select("pfm")
    assert len(workspace.record("s:a").warnings) == 2
    update(workspace, operator="ito", temperature="25 degC")
    record = workspace.record("s:a")
    assert record.warnings == ["worn tip"]
    assert (record.reader, record.raw_size, record.revision) == ("test", 77, 2)
    assert facets(workspace)["operator"] == "ito"
    assert facets(workspace)["temperature"] == pytest.approx(298.15)
    (after,) = workspace.select("pfm")
    assert (after.id, after.row) == (before.id, before.row)


def test_the_file_wins_and_its_facet_returns_after_an_update(workspace: Workspace) -> None:
    scan = image(SCAN, facets=[Facet("mode", "PFM", "header:Mode")])
    read(workspace, scan, mode="AFM")
    assert facets(workspace) == {"mode": "PFM", "disagreement": True}
    update(workspace)
    assert facets(workspace) == {"mode": "PFM"}
    assert workspace.record("s:a").disagreements == []
    update(workspace, mode="KPFM")
    (difference,) = workspace.record("s:a").disagreements
    assert difference == {"facet": "mode", "header": "PFM", "record": "KPFM"}


def test_identical_measurements_of_a_file_are_stored_once(workspace: Workspace) -> None:
    read(workspace, image(SCAN, key="0"), image(SCAN, key="1"))
    assert len(workspace.select("pfm")) == 2
    read(workspace, image(SCAN, key="0"))
    assert [row.key for row in workspace.select("pfm")] == ["0"]
    assert workspace.store.snapshot().array(workspace.select("pfm")[0].array).shape[0] == 2


def test_a_changed_file_adds_rows_and_retires_old_ones(workspace: Workspace) -> None:
    read(workspace, image(SCAN))
    (first,) = workspace.select("pfm")
    read(workspace, image(SCAN + 1))
    (second,) = workspace.select("pfm")
    assert (first.row, second.row) == (0, 1)
    assert not workspace.catalog.measurement(first.id).live
    np.testing.assert_array_equal(workspace.read(second.id).values, SCAN + 1)
    read(workspace, image(SCAN))
    assert [row.id for row in workspace.select("pfm")] == [first.id]
    assert workspace.store.snapshot().array(first.array).shape[0] == 2


def test_figures_of_merit_that_were_not_measured(workspace: Workspace) -> None:
    sample = spectrum(
        np.ones(3), AXIS, "s", {"Bi": 0.5}, {"P": (float("nan"), "W"), "Q": (2.0, "V")}
    )
    read(workspace, sample)
    (row,) = workspace.select("pfm")
    assert row.targets == {"P": [None, "W"], "Q": [2.0, "V"]}
    assert row.composition == {"Bi": 0.5}
    assert workspace.select("pfm", "Q > 1 V")
    assert "P" not in facets(workspace)


@pytest.mark.parametrize(
    ("measured", "metadata"),
    [
        (image(SCAN, facets=[Facet("simulated", True, "file:name")]), {}),
        (image(SCAN), {"simulated": True}),
    ],
)
def test_simulated_data_say_so(
    workspace: Workspace, measured: Measurement, metadata: dict[str, object]
) -> None:
    read(workspace, measured, **metadata)
    assert workspace.select("pfm")[0].simulated
    assert workspace.record("s:a").simulated


def test_declared_facets_come_from_header_and_metadata(workspace: Workspace) -> None:
    text = '[facets.gain]\npath = "header:Gain"\n[facets.run]\npath = "record:lab.run"\n'
    with configured(workspace, text) as opened:
        read(opened, image(SCAN), header=(("Gain", "high"),), lab={"run": "r7"})
        assert facets(opened) == {"gain": "high", "run": "r7"}
        update(opened, lab={"run": "r8"})
        assert facets(opened) == {"gain": "high", "run": "r8"}


def test_raw_facets_are_kept_where_another_value_is_shown(workspace: Workspace) -> None:
    text = '[time]\nzone = "America/Los_Angeles"\n[privacy]\npeople = "pseudonymise"\n'
    with configured(workspace, text) as opened:
        scan = image(
            SCAN,
            facets=[
                Facet("acquired_at", "2021-07-07T12:00:00", "header:Date", raw_text="noon"),
                Facet("operator", "Ann Lee", "header:User"), Facet("mode", "PFM", "header:Mode"),
            ],
        )  # fmt: skip
        titled = Measurement(scan.key, scan.kind, "for Ann Lee", scan.data, scan.facets)
        read(opened, titled)
        shown = facets(opened)
        assert shown["acquired_at"] == "2021-07-07T19:00:00Z"
        assert str(shown["operator"]).startswith("person-")
        (raw,) = raw_facets_of(opened.catalog, "s:a").values()
        assert raw.title == "for Ann Lee"
        values = {facet.name: facet.value for facet in raw.facets}
        assert values == {
            "acquired_at": "2021-07-07T12:00:00", "operator": "Ann Lee", "mode": "PFM",
        }  # fmt: skip
        assert "Ann" not in opened.select("pfm")[0].title


def test_a_record_without_data_has_no_measurements(workspace: Workspace) -> None:
    intake(workspace).commit([NewRecord.without_data(asset(), "its file is missing")], (), ())
    record = workspace.record("s:a")
    assert record.warnings == ["its file is missing"]
    assert workspace.catalog.measurements_of("s:a") == []


def test_one_commit_has_everything_of_a_batch(workspace: Workspace, tmp_path: Path) -> None:
    read(workspace, image(SCAN))
    before = workspace.catalog.journal_length
    new = NewRecord(asset("b"), Reading([image(SCAN)]), "test", 1, "00", 1)
    entry = {
        "native_id": "c", "title": "c", "file_name": "c.ibw", "reason": "empty", "reader": "",
        "first_bytes": "", "metadata": {}, "origin": {}, "fingerprint": "f",
        "raw_fingerprint": "r", "readers": "",
    }  # fmt: skip
    intake(workspace).commit([new], (), [entry], deleted=["a"], cursor="9")
    assert workspace.catalog.journal_length == before + 1
    assert [record.id for record in workspace.catalog.records()] == ["s:b"]
    assert workspace.catalog.cursor("s") == "9"
    assert [each.native_id for each in workspace.catalog.quarantined()] == ["c"]
