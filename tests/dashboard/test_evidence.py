"""Maps of similarity as they go to the browser, and the symmetry of an image cached."""

from __future__ import annotations

import numpy as np

from motif.dashboard.data import symmetry_evidence
from motif.dashboard.state.workspace_session import WorkspaceSession


def test_a_map_is_made_coarse_and_what_was_not_measured_counts_as_unlike() -> None:
    similarity = np.linspace(0, 1, 100)[:, None] * np.ones((1, 40))
    similarity[:, 0] = np.nan
    cells = np.array(symmetry_evidence.coarse(similarity, 0.0, 0.5))
    assert cells.shape == (symmetry_evidence.GRID, symmetry_evidence.GRID)
    assert (cells[:, 0] == 0).all()
    assert (np.diff(cells[:, 5]) >= 0).all()
    assert (cells[0, 5], cells[-1, 5]) == (0, 1)


def test_a_small_map_stays_as_it_is() -> None:
    assert symmetry_evidence.coarse(np.array([[0.25, 0.5]]), 0.0, 1.0) == [[0.25, 0.5]]


def test_the_symmetry_of_an_image_is_found_once(session: WorkspaceSession) -> None:
    row = session.workspace.select("pfm")[4]
    found = symmetry_evidence.symmetry_of(session, row)
    assert found is not None
    assert found[0] == "amplitude"
    assert symmetry_evidence.symmetry_of(session, row) is found


def test_an_image_is_as_similar_to_itself_as_can_be(session: WorkspaceSession) -> None:
    one = session.workspace.select("pfm")[4].id
    found = symmetry_evidence.why(session, one, one)
    assert found.similarity > 0.999
    assert symmetry_evidence.why(session, one, one) is found
