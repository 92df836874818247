"""The narrow queries that other packages use instead of SQL."""

from __future__ import annotations

import numpy as np
import pytest

from motif.core.annotations.annotation_log import add_label
from motif.core.catalog.catalog_queries import (
    CatalogChanges,
    FetchFailures,
    changes_since,
    ids_added_since,
    last_update,
    latest_measurements,
    matching_ids,
    measurement_ids_of,
    newest_measurement,
    next_row,
    records_of,
    text_facet_counts,
    text_facets,
)
from motif.core.catalog.intake import Intake
from motif.core.errors import QueryError
from motif.core.records import Facet
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace


def scan(number: int, **facets: str) -> list:
    stated = [Facet(name, value, "header:x") for name, value in facets.items()]
    return [image(np.full((3, 4, 4), number), facets=stated)]


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    fill(
        workspace, "pfm",
        {"a": scan(1, material="PTO", tip="new"), "b": scan(2, material="BFO"), "c": scan(3)},
    )  # fmt: skip
    table = [spectrum(np.ones(4), np.arange(4.0), "0", {"Bi": 1.0}, {})]
    fill(workspace, "lib", {"t": table})
    return workspace


def delete(workspace: Workspace, collection: str, *native_ids: str) -> None:
    intake = Intake(workspace, "test", collection, workspace.mapper())
    intake.commit((), (), (), deleted=native_ids)


def id_of(workspace: Workspace, record: str) -> str:
    return next(row.id for row in workspace.select() if row.record_id == f"test:{record}")


def test_matching_ids_are_sorted_and_of_one_kind(filled: Workspace) -> None:
    everything = [row.id for row in filled.select("pfm")]
    assert matching_ids(filled.catalog, "pfm", "image") == everything
    assert matching_ids(filled.catalog, "pfm", "image", "  ") == everything
    assert matching_ids(filled.catalog, "pfm", "image", 'tip = "new"') == [id_of(filled, "a")]
    assert matching_ids(filled.catalog, "pfm", "spectrum") == []
    assert matching_ids(filled.catalog, "lib", "spectrum") == [id_of(filled, "t")]
    with pytest.raises(QueryError):
        matching_ids(filled.catalog, "pfm", "image", "colour = red")


def test_text_facets_of_chosen_names(filled: Workspace) -> None:
    first, third = id_of(filled, "a"), id_of(filled, "c")
    assert text_facets(filled.catalog, [first, third], {"material", "mode"}) == {
        first: {"material": "PTO"}, third: {},
    }  # fmt: skip
    assert text_facets(filled.catalog, [], {"material"}) == {}


def test_text_facets_are_counted(filled: Workspace) -> None:
    size, counts = text_facet_counts(filled.catalog, "pfm", "image")
    assert size == 3
    assert counts["material", "PTO"] == counts["material", "BFO"] == counts["tip", "new"] == 1
    delete(filled, "pfm", "a")
    size, counts = text_facet_counts(filled.catalog, "pfm", "image")
    assert (size, counts["material", "PTO"]) == (2, 0)
    assert text_facet_counts(filled.catalog, "none", "image") == (0, {})


def test_measurements_and_records_find_each_other_after_deletion(filled: Workspace) -> None:
    first, second = id_of(filled, "a"), id_of(filled, "b")
    delete(filled, "pfm", "a")
    assert measurement_ids_of(filled.catalog, ["test:a", "test:b"]) == {first, second}
    records = records_of(filled.catalog, [second, first, "0" * 32])
    assert [(record.id, record.live) for record in records] == [
        ("test:a", False), ("test:b", True),
    ]  # fmt: skip


def test_the_next_row_counts_deleted_measurements(filled: Workspace) -> None:
    array = filled.select("pfm")[0].array
    assert next_row(filled.catalog, array) == 3
    delete(filled, "pfm", "a", "b", "c")
    assert next_row(filled.catalog, array) == 3
    assert next_row(filled.catalog, "collections/none") == 0


def test_last_update_and_latest_measurements(workspace: Workspace, filled: Workspace) -> None:
    assert last_update(filled.catalog, "none") == ""
    assert last_update(filled.catalog) == last_update(filled.catalog, "lib")
    assert last_update(filled.catalog, "pfm") <= last_update(filled.catalog, "lib")
    latest = latest_measurements(filled.catalog)
    assert latest[0] == (id_of(filled, "t"), "lib")
    assert len(latest) == 4
    images = latest_measurements(filled.catalog, "image", limit=2)
    assert [collection for _, collection in images] == ["pfm", "pfm"]


def test_changes_since_a_moment(filled: Workspace) -> None:
    catalog = filled.catalog
    lines, newest = catalog.journal_length, newest_measurement(catalog)
    assert changes_since(catalog, lines, newest) == CatalogChanges(0, 0, 0, 0)
    fill(filled, "pfm", {"d": scan(4)})
    assert ids_added_since(catalog, "pfm", lines, newest) == [id_of(filled, "d")]
    assert ids_added_since(catalog, "lib", lines, newest) == []
    fill(filled, "pfm", {"a": scan(1, material="STO")})
    delete(filled, "pfm", "b")
    filled.ledger.record("projection", "pfm", {}, [], {}, {}, 0.0)
    add_label(filled, [id_of(filled, "c")], "odd", "ito")
    assert changes_since(catalog, lines, newest) == CatalogChanges(
        new=1, updated=1, deleted=1, results=1
    )


def test_numbers_start_at_zero(workspace: Workspace) -> None:
    assert newest_measurement(workspace.catalog) == 0
    assert last_update(workspace.catalog) == ""
    assert latest_measurements(workspace.catalog) == []


def test_failed_fetches_are_counted_until_the_file_changes(workspace: Workspace) -> None:
    failures = FetchFailures(workspace.catalog, "s")
    assert failures.add({"a": "1", "b": "1"}) == {"a": 1, "b": 1}
    assert failures.add({"a": "1"}) == {"a": 2}
    assert FetchFailures(workspace.catalog, "other").add({"a": "1"}) == {"a": 1}
    assert failures.add({"a": "2"}) == {"a": 1}
    failures.forget(["b", "never failed"])
    assert failures.add({"a": "2", "b": "1"}) == {"a": 2, "b": 1}


def test_failed_fetches_survive_a_reindex(workspace: Workspace) -> None:
    FetchFailures(workspace.catalog, "s").add({"a": "1"})
    workspace.reindex()
    assert FetchFailures(workspace.catalog, "s").add({"a": "1"}) == {"a": 2}
