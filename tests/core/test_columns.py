"""Columns are what the catalog says, whichever way they came about."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motif.core import journal
from motif.core.catalog import Catalog, sqlite_url
from motif.core.columns import Columns, open_columns
from motif.core.columns_file import load
from motif.core.columns_labels import Labels
from motif.core.columns_table import Column, Table
from motif.core.errors import NotFoundError, QueryError, UnsuitableDataError
from motif.core.workspace import Workspace

Line = dict[str, Any]


def facet(name: str, value: object, unit: str = "") -> Line:
    return {"name": name, "value": value, "unit": unit, "origin": "header:x"}


class Lab:
    """Writes journal lines of one source into a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._seen: set[int] = set()

    def write(self, facets: dict[int, list[Line]], deleted: Sequence[int] = ()) -> None:
        line = {
            "what": "sync", "source": "src", "at": "2024-01-01T00:00:00Z", "quarantined": [],
            "records": [self._record(number, facets[number]) for number in facets],
            "deleted": [str(number) for number in deleted], "cursor": None,
        }  # fmt: skip
        journal.apply(self.catalog, self.catalog.journal_length, line)

    def _record(self, number: int, facets: list[Line]) -> Line:
        measurement: Line = {"id": f"m{number:03}", "facets": facets}
        if number not in self._seen:
            self._seen.add(number)
            measurement |= {
                "record_id": f"src:{number}", "collection": "spm",
                "kind": "spectrum" if number % 3 == 0 else "image", "key": "0",
                "title": f"Scan {number % 4}", "array": "a", "row": number, "layout": {},
                "composition": {}, "targets": {}, "simulated": False,
            }  # fmt: skip
        return {
            "id": f"src:{number}", "source": "src", "native_id": str(number),
            "collection": "spm", "title": f"Record {number}", "fingerprint": "",
            "raw_fingerprint": "", "raw_sha256": "", "raw_size": 0, "file_name": "",
            "reader": "", "reader_version": 1, "metadata": {}, "origin": {}, "notes": [],
            "disagreements": [], "simulated": False, "measurements": [measurement],
        }  # fmt: skip


SCANS = {
    1: [facet("material", "PbTiO3"), facet("scan_size", 2e-6, "m"), facet("simulated", True)],
    2: [facet("material", "BiFeO3"), facet("scan_size", 5e-6, "m"), facet("simulated", False)],
    3: [facet("material", "PbTiO3"), facet("acquired_at", "2019-05-17T09:30:00Z")],
    4: [facet("note", "Überlapp"), facet("note2", 2.0, "V"), facet("scan_size", 1e-6, "m")],
}


@pytest.fixture
def lab(workspace: Workspace) -> Lab:
    found = Lab(workspace.catalog)
    found.write(SCANS)
    return found


def same(first: Table, second: Table) -> None:
    np.testing.assert_array_equal(first.ids, second.ids)
    assert list(first.own) == list(second.own)
    assert list(first.facets) == list(second.facets)
    for name in first.facets:
        _same_column(first.facets[name], second.facets[name])
    for name in first.own:
        _same_column(first.own[name], second.own[name])


def _same_column(one: Column, other: Column) -> None:
    assert (one.codes is None) == (other.codes is None)
    if one.codes is not None and other.codes is not None:
        assert one.labels.texts == other.labels.texts
        np.testing.assert_array_equal(one.codes, other.codes)
        assert one.codes.dtype == other.codes.dtype == np.int32
    assert list(one.numbers) == list(other.numbers)
    for unit, part in one.numbers.items():
        np.testing.assert_array_equal(part, other.numbers[unit])
    assert (one.seconds is None) == (other.seconds is None)
    if one.seconds is not None:
        np.testing.assert_array_equal(one.seconds, other.seconds)


def test_masks_counts_and_histograms(workspace: Workspace, lab: Lab) -> None:
    columns = workspace.columns("spm")
    assert len(columns) == 4
    assert columns.first(columns.mask("scan_size >= 2 um")) == ["m001", "m002"]
    mask = columns.mask('not material = "BiFeO3"')
    assert columns.first(mask, 2) == ["m001", "m003"]
    assert columns.counts("material") == {"PbTiO3": 2, "BiFeO3": 1}
    assert columns.counts("material", mask) == {"PbTiO3": 2}
    assert columns.counts("simulated") == {"false": 1, "true": 1}
    assert columns.counts("kind") == {"image": 3, "spectrum": 1}
    numbers, edges = columns.histogram("scan_size", mask, bins=2)
    assert numbers.tolist() == [2, 0]
    np.testing.assert_allclose(edges, [1e-6, 3e-6, 5e-6])
    assert columns.column("acquired_at").values[2] == 1558085400.0
    assert columns.names == (
        "material", "acquired_at", "scan_size", "simulated", "note", "note2"
    )  # fmt: skip


def test_every_question_is_answered_as_by_the_catalog(workspace: Workspace, lab: Lab) -> None:
    columns = workspace.columns("spm")
    for where in (
        "", 'material like "%O3"', "has note2", 'text "scan 1"', 'text "RECORD 2"', 'text "Üb"',
        'id in ("m002", "m009")', 'record = "src:3"', 'collection = "spm"', 'title < "Scan 2"',
        'not text "scan" or simulated = true', "acquired_at > 2019-05", 'note >= "Z"',
    ):  # fmt: skip
        expected = [row.id for row in workspace.select("spm", where)]
        assert columns.first(columns.mask(where)) == expected, where


def test_what_cannot_be_is_said(workspace: Workspace, lab: Lab) -> None:
    columns = workspace.columns("spm")
    with pytest.raises(NotFoundError, match="it has material"):
        columns.counts("colour")
    with pytest.raises(UnsuitableDataError, match="count its values"):
        columns.histogram("material")
    with pytest.raises(QueryError):
        columns.mask("colour = 1")
    with pytest.raises(NotFoundError, match="collection"):
        workspace.columns("none")


def test_an_unchanged_collection_is_not_read_again(workspace: Workspace, lab: Lab) -> None:
    columns = workspace.columns("spm")
    assert workspace.columns("spm") is columns
    (path,) = (workspace.cache / "columns").glob("*.safetensors")
    written = path.stat().st_mtime_ns
    lab.write({}, deleted=[99])
    later = workspace.columns("spm")
    assert later.kept.table is columns.kept.table
    assert later.position == columns.position + 1
    with Workspace.open(workspace.root) as other:
        same(other.columns("spm").kept.table, columns.kept.table)
    assert path.stat().st_mtime_ns == written


def test_only_what_changed_is_read(workspace: Workspace, lab: Lab) -> None:
    workspace.columns("spm")
    lab.write({2: [facet("material", "SrTiO3")], 7: [facet("material", "Aa")]}, deleted=[1])
    columns = workspace.columns("spm")
    assert columns.counts("material") == {"Aa": 1, "PbTiO3": 1, "SrTiO3": 1}
    assert columns.first(columns.mask(None)) == ["m002", "m003", "m004", "m007"]
    assert "simulated" not in columns.names


@pytest.mark.parametrize("harm", ["empty", "cut", "noise", "other version"])
def test_a_damaged_file_is_made_anew(workspace: Workspace, lab: Lab, harm: str) -> None:
    columns = workspace.columns("spm")
    (path,) = (workspace.cache / "columns").glob("*.safetensors")
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(
        {"empty": b"", "cut": whole[: len(whole) // 2], "noise": b"\xff" * 100,
         "other version": whole.replace(b'"format":"1"', b'"format":"0"')}[harm]
    )  # fmt: skip
    assert load(path) is None
    with Workspace.open(workspace.root) as other:
        same(other.columns("spm").kept.table, columns.kept.table)


def test_a_catalog_made_anew_does_not_trust_former_columns(workspace: Workspace) -> None:
    first = Lab(workspace.catalog)
    first.write(SCANS)
    columns = workspace.columns("spm")
    with workspace.catalog.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM facets")
    assert workspace.columns("spm") is columns
    workspace.reindex()
    with pytest.raises(NotFoundError):
        workspace.columns("spm")


values = st.sampled_from(["", "a", "b", "é", "zz", "2019-05-17", "2020-01-01T00:00:00Z"]) | (
    st.sampled_from([0.0, 1.0, -2.5]) | st.booleans()
)
facets_of_one = st.dictionaries(
    st.sampled_from(["material", "acquired_at", "bias"]),
    st.tuples(values, st.sampled_from(["", "V"])),
).map(lambda found: [facet(name, value, unit) for name, (value, unit) in found.items()])
steps = st.tuples(
    st.dictionaries(st.integers(0, 12), facets_of_one, max_size=5),
    st.lists(st.integers(0, 12), max_size=3),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(steps, min_size=1, max_size=5))
def test_updated_columns_are_those_made_anew(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[dict[int, list[Line]], list[int]]]
) -> None:
    root = tmp_path_factory.mktemp("lab")
    catalog = Catalog(sqlite_url(root / "catalog.sqlite"))
    catalog.create()
    lab, columns = Lab(catalog), None
    for number, (written, deleted) in enumerate(history):
        lab.write(written, deleted)
        columns = open_columns(catalog, root / "columns", "spm", columns)
        anew = open_columns(catalog, root / f"anew{number}", "spm")
        same(columns.kept.table, anew.kept.table)
        stored = load(root / f"anew{number}" / "spm.safetensors")
        if len(anew):
            assert stored is not None
            same(stored.table, anew.kept.table)
            _as_the_catalog_says(catalog, columns)
    catalog.close()


def _as_the_catalog_says(catalog: Catalog, columns: Columns) -> None:
    ids = columns.first(columns.mask(None))
    assert ids == [row.id for row in catalog.select("spm")]
    told = catalog.facets(ids)
    for name in columns.names:
        labels, codes = columns.column(name).categories
        known = [one for one in ids if name in told[one]]
        assert np.flatnonzero(columns.column(name).known).tolist() == columns.rows(known).tolist()
        for one, code in zip(ids, codes.tolist(), strict=True):
            assert (code >= 0) == (name in told[one])
            value = told[one].get(name)
            if isinstance(value, str):
                assert labels[code] == value


@given(st.sets(st.text(max_size=3)), st.sets(st.text(max_size=3)), st.text(max_size=3))
def test_labels_are_merged_in_order(first: set[str], second: set[str], probe: str) -> None:
    one, other = (Labels.of(sorted(texts)) for texts in (first, second))
    both, mine, theirs = one.merged(other)
    assert list(both.texts) == sorted(first | second)
    assert [both[code] for code in mine] == sorted(first)
    assert [both[code] for code in theirs] == sorted(second)
    assert both.below(probe) == sum(text < probe for text in first | second)
    assert both.up_to(probe) == sum(text <= probe for text in first | second)
