"""What leaves the dashboard: every row, every facet, nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from motif.dashboard.export import selection_export
from motif.dashboard.export.selection_export import Selection
from motif.dashboard.state.workspace_session import WorkspaceSession


@pytest.fixture
def chosen(session: WorkspaceSession) -> Selection:
    return Selection(
        "pfm", session.table("pfm"), np.arange(5), session.derivations("projection")[-1]
    )


def test_csv_and_parquet_hold_the_facets_and_the_place_on_the_map(
    session: WorkspaceSession, chosen: Selection, small_lab: Any
) -> None:
    rows = list(
        csv.DictReader(io.StringIO(selection_export.as_csv(session, chosen).decode(), newline=""))
    )
    table = pq.read_table(io.BytesIO(selection_export.as_parquet(session, chosen)))
    assert [row["id"] for row in rows] == chosen.ids == table.column("id").to_pylist()
    facets = session.workspace.facets(chosen.ids)
    for row, identity in zip(rows, chosen.ids, strict=True):
        assert row["material"] == facets[identity]["material"]
        assert float(row["scan_size [m]"]) == pytest.approx(facets[identity]["scan_size"])
        assert row["acquired_at"] == facets[identity]["acquired_at"]
    arrays = session.workspace.ledger.arrays(chosen.map)
    place = arrays["ids"].tolist().index(chosen.ids[0].encode())
    assert float(rows[0]["map_x"]) == pytest.approx(float(arrays["xy"][place, 0]))
    assert table.schema.metadata[b"motif.map"] == chosen.map.id.encode()
    assert table.column("scan_size [m]").type == "double"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_spreadsheet_gets_no_formula(text: str) -> None:
    assert selection_export._harmless(text) == f"'{text}"
    assert selection_export._harmless(-1.5) == -1.5


@pytest.mark.parametrize("exact", [True, False])
def test_the_snippet_runs_and_finds_the_same(
    session: WorkspaceSession, chosen: Selection, exact: bool
) -> None:
    question = 'material = "PbTiO3"' if exact else ""
    text = selection_export.snippet(session, chosen, question, exact)
    names: dict[str, Any] = {}
    exec(compile(text, "snippet", "exec"), names)
    found = {row.id for row in names["rows"]}
    names["workspace"].close()
    expected = session.workspace.select("pfm", question) if exact else ()
    assert found == ({row.id for row in expected} if exact else set(chosen.ids))
    assert len(names["xy"]) == len(found)


def test_a_snippet_of_many_reads_the_exported_file(
    session: WorkspaceSession, chosen: Selection
) -> None:
    many = Selection("pfm", chosen.table, np.arange(60).repeat(4), chosen.map)
    assert "motif.csv" in selection_export.snippet(session, many, "", exact=False)
