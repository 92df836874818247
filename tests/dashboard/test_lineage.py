"""The graph of where a measurement comes from and what was made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from motif.core.workspace import Workspace
from motif.dashboard.data.provenance_graph import TOGETHER, lineage
from motif.dashboard.state.workspace_session import WorkspaceSession


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, small_lab: Any) -> Iterator[WorkspaceSession]:
    """Features of the images, many maps of those, and a label."""
    workspace: Workspace = small_lab.build(tmp_path_factory.mktemp("grown") / "lab", images=6)
    ids = [row.id for row in workspace.select("pfm")]
    features = workspace.ledger.record(
        "embedding", "pfm", {"extractor": "analytic"}, ids,
        {"ids": np.array([identity.encode() for identity in ids], "S32")}, {"count": 6}, 0.1,
    )  # fmt: skip
    for seed in range(TOGETHER + 2):
        workspace.ledger.record(
            "projection", "pfm", {"seed": seed}, [features.id], {}, {"count": 6}, 0.1
        )
    lab = WorkspaceSession(workspace)
    yield lab
    lab.close()


def test_it_leads_from_the_record_to_the_results(grown: WorkspaceSession) -> None:
    row = grown.workspace.select("pfm")[2]
    record = grown.workspace.record(row.record_id)
    graph = lineage(grown, row, record)
    by_key = {node.key: node for node in graph.nodes}
    assert by_key["record"].title == record.title
    assert by_key["file"].title == record.file_name
    assert by_key[row.id].mark == "here"
    assert ("record", "file") in graph.edges
    assert ("file", row.id) in graph.edges
    titles = [node.title for node in graph.nodes]
    assert "Features" in titles
    assert f"Map × {TOGETHER + 2}" in titles
    for start, end in graph.edges:
        assert by_key[start].layer < by_key[end].layer


def test_a_map_leads_to_its_page(grown: WorkspaceSession) -> None:
    row = grown.workspace.select("pfm")[0]
    graph = lineage(grown, row, grown.workspace.record(row.record_id))
    maps = [node for node in graph.nodes if node.title == "Map"]
    assert maps
    assert all(node.href.startswith("/map?collection=pfm&map=") for node in maps)
