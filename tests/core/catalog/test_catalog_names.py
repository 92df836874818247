"""The catalog counts facets by name and unit."""

import pytest
from sqlalchemy import func, select

from motif.core.catalog import journal, tables
from motif.core.catalog.database import Catalog
from motif.core.errors import QueryError
from motif.core.workspace import Workspace


def facet(name: str, value: object, unit: str = "") -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "origin": "header:x"}


def record(number: int, facets: list[dict[str, object]], new: bool = True) -> dict[str, object]:
    stored = {
        "record_id": f"src:{number}", "collection": "spm", "kind": "image", "key": "0",
        "title": f"Scan {number}", "array": "a", "row": number, "layout": {}, "composition": {},
        "targets": {}, "simulated": False,
    }  # fmt: skip
    return {
        "id": f"src:{number}", "source": "src", "native_id": str(number), "collection": "spm",
        "title": f"Record {number}", "fingerprint": "", "raw_fingerprint": "", "raw_sha256": "",
        "raw_size": 0, "file_name": "", "reader": "", "reader_version": 1, "metadata": {},
        "origin": {}, "warnings": [], "disagreements": [], "simulated": False,
        "measurements": [{"id": f"m{number}", "facets": facets} | (stored if new else {})],
    }  # fmt: skip


def sync(catalog: Catalog, *records: dict[str, object]) -> None:
    line = {
        "what": "sync", "source": "src", "at": "2024-01-01T00:00:00Z", "records": list(records),
        "deleted": [], "quarantined": [], "cursor": None,
    }  # fmt: skip
    journal.apply(catalog, catalog.journal_length, line)


def test_names_and_units_follow_the_facets(workspace: Workspace) -> None:
    catalog = workspace.catalog
    sync(
        catalog,
        record(1, [facet("operator", "xu"), facet("bias", 2.0, "V"), facet("simulated", True)]),
        record(2, [facet("operator", 3.0), facet("bias", 1.0, "V")]),
    )
    assert catalog.facet_units() == {"operator": "", "bias": "V", "simulated": "bool"}
    sync(catalog, record(2, [facet("bias", 1.0, "m")], new=False))
    assert catalog.facet_units() == {"operator": None, "bias": "m", "simulated": "bool"}
    sync(catalog, record(1, [facet("bias", 1.0, "m")], new=False))
    assert catalog.facet_units() == {"bias": "m"}
    with pytest.raises(QueryError, match="bias is a length"):
        workspace.select(where="bias > 1 V")


def test_the_count_is_that_of_the_facets(workspace: Workspace) -> None:
    catalog = workspace.catalog
    for number in range(5):
        sync(catalog, record(number, [facet("a", "x"), facet("b", float(number))]))
        sync(catalog, record(number, [facet("a", "y"), facet("c", True)], new=False))
    names, facets = tables.facet_names, tables.facets
    is_number = facets.c.number.is_not(None)
    with catalog.reading() as connection:
        counts = connection.execute(select(names).order_by(names.c.name)).all()
        expected = connection.execute(
            select(facets.c.name, facets.c.unit, is_number, func.count())
            .group_by(facets.c.name, facets.c.unit, is_number)
            .order_by(facets.c.name)
        ).all()
    assert [tuple(row) for row in counts] == [tuple(row) for row in expected]


def test_a_title_is_still_found_after_facets_were_replaced(workspace: Workspace) -> None:
    sync(workspace.catalog, record(1, [facet("a", "x")]), record(2, [facet("a", "x")]))
    sync(workspace.catalog, record(1, [facet("a", "z")], new=False))
    assert [row.id for row in workspace.select(where='text "scan 1"')] == ["m1"]
    assert [row.id for row in workspace.select(where='text "z"')] == ["m1"]
