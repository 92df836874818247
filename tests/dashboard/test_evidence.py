"""Maps of likeness as they go to the browser, and the symmetry of an image kept at hand."""

from __future__ import annotations

import numpy as np

from motif.dashboard import evidence
from motif.dashboard.lab import Lab


def test_a_map_is_made_coarse_and_what_was_not_measured_counts_as_unlike() -> None:
    likeness = np.linspace(0, 1, 100)[:, None] * np.ones((1, 40))
    likeness[:, 0] = np.nan
    cells = np.array(evidence.coarse(likeness, 0.0, 0.5))
    assert cells.shape == (evidence.GRID, evidence.GRID)
    assert (cells[:, 0] == 0).all()
    assert (np.diff(cells[:, 5]) >= 0).all()
    assert (cells[0, 5], cells[-1, 5]) == (0, 1)


def test_a_small_map_stays_as_it_is() -> None:
    assert evidence.coarse(np.array([[0.25, 0.5]]), 0.0, 1.0) == [[0.25, 0.5]]


def test_the_symmetry_of_an_image_is_found_once(here: Lab) -> None:
    row = here.workspace.select("pfm")[4]
    found = evidence.symmetry_of(here, row)
    assert found is not None
    assert found[0] == "amplitude"
    assert evidence.symmetry_of(here, row) is found


def test_an_image_is_as_alike_to_itself_as_can_be(here: Lab) -> None:
    one = here.workspace.select("pfm")[4].id
    found = evidence.why(here, one, one)
    assert found.similarity > 0.999
    assert evidence.why(here, one, one) is found
