"""Reads of the catalog: selection, facets, runs and refusals."""

from __future__ import annotations

import pickle
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from motif.core.catalog import tables
from motif.core.catalog.database import Catalog, now, sqlite_url
from motif.core.catalog.rows import Derivation, MeasurementRow, StoredDerivation
from motif.core.errors import ConfigError, NotFoundError
from motif.core.records import Facet
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace

AXIS = np.arange(4.0)


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    scans = {
        name: [image(np.full((3, 4, 4), n), facets=[Facet("bias", float(n), "header:B", "V")])]
        for n, name in enumerate("abc")
    }
    fill(workspace, "pfm", scans, {"a": {"operator": "xu"}})
    fill(workspace, "lib", {"t": [spectrum(np.ones(4), AXIS, "s1", {"Bi": 1.0}, {})]})
    return workspace


def test_selection_by_collection_kind_query_and_ids(filled: Workspace) -> None:
    catalog = filled.catalog
    everything = catalog.select()
    assert len(everything) == 4
    assert [row.id for row in everything] == sorted(row.id for row in everything)
    assert {row.collection for row in catalog.select("pfm")} == {"pfm"}
    assert [row.kind for row in catalog.select(kind="spectrum")] == ["spectrum"]
    assert len(catalog.select(where="bias >= 1 V")) == 2
    assert len(catalog.select(where="  ")) == 4
    some = [everything[2].id, everything[0].id]
    assert [row.id for row in catalog.select(ids=some)] == sorted(some)
    assert catalog.select(ids=[]) == []
    assert catalog.select("pfm", kind="spectrum") == []


def test_collections_and_kinds_are_counted(filled: Workspace) -> None:
    assert filled.catalog.collections() == {"lib": {"spectrum": 1}, "pfm": {"image": 3}}
    assert filled.counts()["measurements"] == {"spectrum": 1, "image": 3}
    assert filled.collections() == ["lib", "pfm"]


def test_records_of_a_source_and_a_collection(filled: Workspace) -> None:
    catalog = filled.catalog
    assert [record.id for record in catalog.records()] == ["test:a", "test:b", "test:c", "test:t"]
    assert [record.id for record in catalog.records(collection="lib")] == ["test:t"]
    assert catalog.records(source="other") == []
    assert set(catalog.sync_states("test")) == {"a", "b", "c", "t"}


def test_measurements_of_a_record_are_in_file_order(workspace: Workspace) -> None:
    table = [spectrum(np.full(4, n), AXIS, str(n), {}, {}) for n in range(5)]
    fill(workspace, "lib", {"t": table})
    rows = workspace.catalog.measurements_of("test:t")
    assert [row.key for row in rows] == ["0", "1", "2", "3", "4"]


def test_facets_with_units_and_origins(filled: Workspace) -> None:
    (row,) = [row for row in filled.select("pfm") if row.record_id == "test:b"]
    (facet,) = filled.catalog.facet_rows([row.id])
    assert (facet.name, facet.number, facet.unit, facet.origin) == ("bias", 1.0, "V", "header:B")
    units = filled.catalog.facet_units()
    assert units["bias"] == "V"
    assert units["operator"] is None


def test_missing_things_are_named(filled: Workspace) -> None:
    with pytest.raises(NotFoundError, match='no measurement "x"'):
        filled.measurement("x")
    with pytest.raises(NotFoundError, match='no record "x"'):
        filled.record("x")
    assert not filled.catalog.has_measurement("x")


def test_runs_are_newest_first(workspace: Workspace) -> None:
    runs = [
        {"id": str(n), "job": f"job{n % 2}", "commands": [], "state": "done",
         "started_at": f"2024-01-0{n}T00:00:00Z", "finished_at": None, "counts": {}, "error": "",
         "log": "", "pid": 1}
        for n in range(1, 5)
    ]  # fmt: skip
    with workspace.catalog.engine.begin() as connection:
        connection.execute(insert(tables.runs), runs)
    assert [run.id for run in workspace.catalog.runs()] == ["4", "3", "2", "1"]
    assert [run.id for run in workspace.catalog.runs(limit=1)] == ["4"]
    assert [run.id for run in workspace.catalog.runs(job="job1")] == ["3", "1"]
    workspace.reindex()
    assert len(workspace.catalog.runs()) == 4


def test_creating_twice_changes_nothing(tmp_path: Path) -> None:
    catalog = Catalog(sqlite_url(tmp_path / "c.sqlite"))
    assert not catalog.is_created
    catalog.create()
    with sqlite3.connect(tmp_path / "c.sqlite") as database:
        before = database.execute("SELECT * FROM state").fetchall()
        catalog.create()
        assert database.execute("SELECT * FROM state").fetchall() == before
    assert catalog.is_created
    catalog.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("no such thing", "not an address"),
        ("sqlite:////nowhere/at/all/catalog.sqlite", "cannot be opened"),
    ],
)
def test_wrong_addresses_are_refused(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        _ = Catalog(url).is_created


def test_the_present_time_is_in_utc() -> None:
    assert now().endswith("+00:00")


def row(coordinates: dict[str, dict[str, object]]) -> MeasurementRow:
    layout = {
        "dims": ["channel", "y", "x"], "shape": [1, 4, 5], "units": ["m"], "channels": ["h"],
        "coordinates": coordinates,
    }  # fmt: skip
    return MeasurementRow("id", "r", "c", "image", "0", "t", "a", 0, layout, {}, {}, False, True)


def test_sizes_of_scans_need_metres() -> None:
    metres = row({"x": {"units": "m", "start": 0.0, "step": 2e-9}})
    assert (metres.pixel_size, metres.scan_size) == (2e-9, 8e-9)
    for coordinates in ({"x": {"units": "px", "start": 0.0, "step": 1.0}}, {},
                        {"x": {"units": "m", "array": "axes/x"}}):  # fmt: skip
        unknown = row(coordinates)
        assert (unknown.pixel_size, unknown.scan_size) == (None, None)
    assert (metres.shape, metres.dims) == ((1, 4, 5), ("channel", "y", "x"))
    assert metres.channels == ("h",)


def test_pickled_results_carry_their_inputs() -> None:
    columns = {
        "id": "r", "stage": "s", "collection": "c", "parameters": {}, "summary": {},
        "created_at": "", "seconds": 1.0, "snapshot": "", "number": 3,
    }  # fmt: skip
    reads = []

    def read(identity: str) -> tuple[str, ...]:
        reads.append(identity)
        return ("a", "b")

    stored = StoredDerivation(read, **columns)
    assert reads == []
    copied = pickle.loads(pickle.dumps(stored))
    assert type(copied) is Derivation
    assert copied.inputs == stored.inputs == ("a", "b")
    assert reads == ["r"]
    assert stored == copied
    assert len({stored, StoredDerivation(read, **columns)}) == 1
