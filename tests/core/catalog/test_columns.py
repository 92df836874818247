"""Columns equal the catalog, whether read at once or updated step by step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motif.core.catalog import journal
from motif.core.catalog.database import Catalog, sqlite_url
from motif.core.columns.column_file import load
from motif.core.columns.column_table import ColumnTable, FacetColumn, TextDictionary
from motif.core.columns.facet_columns import FacetColumns, open_columns
from motif.core.errors import NotFoundError, QueryError, UnsuitableDataError
from motif.core.workspace import Workspace

Line = dict[str, Any]


def facet(name: str, value: object, unit: str = "") -> Line:
    return {"name": name, "value": value, "unit": unit, "origin": "header:x"}


class JournalWriter:
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

    def add_label(self, label: str, ids: list[str]) -> None:
        parameters = {"action": "add", "label": label, "who": "ito", "at": "2024-01-01T00:00:00Z"}
        result = {
            "id": label, "stage": "label", "collection": "spm", "parameters": parameters,
            "inputs": ids, "summary": {}, "seconds": 0.0, "snapshot": "",
        }  # fmt: skip
        line = {"what": "derive", "at": "2024-01-01T00:00:00Z", "derivation": result, "arrays": []}
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
            "reader": "", "reader_version": 1, "metadata": {}, "origin": {}, "warnings": [],
            "disagreements": [], "simulated": False, "measurements": [measurement],
        }  # fmt: skip


SCANS = {
    1: [facet("material", "PbTiO3"), facet("scan_size", 2e-6, "m"), facet("simulated", True)],
    2: [facet("material", "BiFeO3"), facet("scan_size", 5e-6, "m"), facet("simulated", False)],
    3: [facet("material", "PbTiO3"), facet("acquired_at", "2019-05-17T09:30:00Z")],
    4: [facet("note", "Überlapp"), facet("note2", 2.0, "V"), facet("scan_size", 1e-6, "m")],
}


@pytest.fixture
def lab(workspace: Workspace) -> JournalWriter:
    writer = JournalWriter(workspace.catalog)
    writer.write(SCANS)
    return writer


def same(first: ColumnTable, second: ColumnTable) -> None:
    np.testing.assert_array_equal(first.ids, second.ids)
    assert list(first.own) == list(second.own)
    assert list(first.facets) == list(second.facets)
    for name in first.facets:
        _same_column(first.facets[name], second.facets[name])
    for name in first.own:
        _same_column(first.own[name], second.own[name])


def _same_column(first: FacetColumn, second: FacetColumn) -> None:
    assert (first.codes is None) == (second.codes is None)
    if first.codes is not None and second.codes is not None:
        assert first.labels.texts == second.labels.texts
        np.testing.assert_array_equal(first.codes, second.codes)
        assert first.codes.dtype == second.codes.dtype == np.int32
    assert list(first.numbers) == list(second.numbers)
    for unit, numbers in first.numbers.items():
        np.testing.assert_array_equal(numbers, second.numbers[unit])
    assert (first.seconds is None) == (second.seconds is None)
    if first.seconds is not None:
        np.testing.assert_array_equal(first.seconds, second.seconds)


def test_masks_counts_and_histograms(workspace: Workspace, lab: JournalWriter) -> None:
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


def test_every_query_matches_as_in_the_catalog(workspace: Workspace, lab: JournalWriter) -> None:
    columns = workspace.columns("spm")
    for where in (
        "", 'material like "%O3"', "has note2", 'text "scan 1"', 'text "RECORD 2"', 'text "Üb"',
        'id in ("m002", "m009")', 'record = "src:3"', 'collection = "spm"', 'title < "Scan 2"',
        'not text "scan" or simulated = true', "acquired_at > 2019-05", 'note >= "Z"',
    ):  # fmt: skip
        expected = [row.id for row in workspace.select("spm", where)]
        assert columns.first(columns.mask(where)) == expected, where


def test_impossible_requests_are_refused(workspace: Workspace, lab: JournalWriter) -> None:
    columns = workspace.columns("spm")
    with pytest.raises(NotFoundError, match="it has material"):
        columns.counts("colour")
    with pytest.raises(UnsuitableDataError, match="count its values"):
        columns.histogram("material")
    with pytest.raises(QueryError):
        columns.mask("colour = 1")
    with pytest.raises(NotFoundError, match="collection"):
        workspace.columns("none")


def test_an_unchanged_collection_is_not_read_again(
    workspace: Workspace, lab: JournalWriter
) -> None:
    columns = workspace.columns("spm")
    assert workspace.columns("spm") is columns
    (path,) = (workspace.cache / "columns").glob("*.safetensors")
    written = path.stat().st_mtime_ns
    lab.write({}, deleted=[99])
    later = workspace.columns("spm")
    assert later.cached.table is columns.cached.table
    assert later.position == columns.position + 1
    with Workspace.open(workspace.root) as other:
        same(other.columns("spm").cached.table, columns.cached.table)
    assert path.stat().st_mtime_ns == written


def test_only_what_changed_is_read(workspace: Workspace, lab: JournalWriter) -> None:
    workspace.columns("spm")
    lab.write({2: [facet("material", "SrTiO3")], 7: [facet("material", "Aa")]}, deleted=[1])
    columns = workspace.columns("spm")
    assert columns.counts("material") == {"Aa": 1, "PbTiO3": 1, "SrTiO3": 1}
    assert columns.first(columns.mask(None)) == ["m002", "m003", "m004", "m007"]
    assert "simulated" not in columns.names


@pytest.mark.parametrize("harm", ["empty", "cut", "noise", "other version"])
def test_a_damaged_file_is_rebuilt(workspace: Workspace, lab: JournalWriter, harm: str) -> None:
    columns = workspace.columns("spm")
    (path,) = (workspace.cache / "columns").glob("*.safetensors")
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(
        {"empty": b"", "cut": whole[: len(whole) // 2], "noise": b"\xff" * 100,
         "other version": whole.replace(b'"format":"2"', b'"format":"0"')}[harm]
    )  # fmt: skip
    assert load(path) is None
    with Workspace.open(workspace.root) as other:
        same(other.columns("spm").cached.table, columns.cached.table)


def test_a_rebuilt_catalog_ignores_former_columns(workspace: Workspace) -> None:
    writer = JournalWriter(workspace.catalog)
    writer.write(SCANS)
    columns = workspace.columns("spm")
    with workspace.catalog.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM facets")
    assert workspace.columns("spm") is columns
    workspace.reindex()
    with pytest.raises(NotFoundError):
        workspace.columns("spm")


def test_arrow_tables_have_the_same_values(workspace: Workspace, lab: JournalWriter) -> None:
    lab.add_label("odd", ["m001", "m003"])
    lab.add_label("new tip", ["m003"])
    table = workspace.columns("spm").to_arrow()
    assert table.column_names == ["id", *workspace.columns("spm").names]
    assert table["id"].to_pylist() == ["m001", "m002", "m003", "m004"]
    assert table["material"].to_pylist() == ["PbTiO3", "BiFeO3", "PbTiO3", None]
    assert table["scan_size"].to_pylist() == [2e-6, 5e-6, None, 1e-6]
    assert table.schema.field("scan_size").metadata == {b"units": b"m"}
    assert table["simulated"].to_pylist() == [True, False, None, None]
    assert table["acquired_at"].to_pylist() == [None, None, 1558085400.0, None]
    assert table["label"].to_pylist() == [["odd"], [], ["new tip", "odd"], []]


def test_an_arrow_table_of_chosen_columns(workspace: Workspace, lab: JournalWriter) -> None:
    columns = workspace.columns("spm")
    table = columns.to_arrow(["kind", "note"])
    assert table.column_names == ["id", "kind", "note"]
    assert table["kind"].to_pylist() == ["image", "image", "spectrum", "image"]
    assert table["note"].to_pylist() == [None, None, None, "Überlapp"]
    with pytest.raises(NotFoundError, match="colour"):
        columns.to_arrow(["colour"])


values = st.sampled_from(["", "a", "b", "é", "zz", "2019-05-17", "2020-01-01T00:00:00Z"]) | (
    st.sampled_from([0.0, 1.0, -2.5]) | st.booleans()
)
facets_of_measurement = st.dictionaries(
    st.sampled_from(["material", "acquired_at", "bias"]),
    st.tuples(values, st.sampled_from(["", "V"])),
).map(lambda chosen: [facet(name, value, unit) for name, (value, unit) in chosen.items()])
steps = st.tuples(
    st.dictionaries(st.integers(0, 12), facets_of_measurement, max_size=5),
    st.lists(st.integers(0, 12), max_size=3),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(steps, min_size=1, max_size=5))
def test_updated_columns_equal_newly_read_ones(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[dict[int, list[Line]], list[int]]]
) -> None:
    root = tmp_path_factory.mktemp("lab")
    catalog = Catalog(sqlite_url(root / "catalog.sqlite"))
    catalog.create()
    lab, columns = JournalWriter(catalog), None
    for number, (written, deleted) in enumerate(history):
        lab.write(written, deleted)
        columns = open_columns(catalog, root / "columns", "spm", columns)
        reread = open_columns(catalog, root / f"reread{number}", "spm")
        same(columns.cached.table, reread.cached.table)
        stored = load(root / f"reread{number}" / "spm.safetensors")
        if len(reread):
            assert stored is not None
            same(stored.table, reread.cached.table)
            _equals_the_catalog(catalog, columns)
    catalog.close()


def _equals_the_catalog(catalog: Catalog, columns: FacetColumns) -> None:
    ids = columns.first(columns.mask(None))
    assert ids == [row.id for row in catalog.select("spm")]
    facets = catalog.facets(ids)
    for name in columns.names:
        labels, codes = columns.column(name).categories
        known = [identity for identity in ids if name in facets[identity]]
        assert np.flatnonzero(columns.column(name).known).tolist() == columns.rows(known).tolist()
        for identity, code in zip(ids, codes.tolist(), strict=True):
            assert (code >= 0) == (name in facets[identity])
            value = facets[identity].get(name)
            if isinstance(value, str):
                assert labels[code] == value


@given(st.sets(st.text(max_size=3)), st.sets(st.text(max_size=3)), st.text(max_size=3))
def test_labels_are_merged_in_order(first: set[str], second: set[str], probe: str) -> None:
    dictionary, other = (TextDictionary.of(sorted(texts)) for texts in (first, second))
    both, codes, other_codes = dictionary.merged(other)
    assert list(both.texts) == sorted(first | second)
    assert [both[code] for code in codes] == sorted(first)
    assert [both[code] for code in other_codes] == sorted(second)
    assert both.below(probe) == sum(text < probe for text in first | second)
    assert both.up_to(probe) == sum(text <= probe for text in first | second)
