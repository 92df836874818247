"""An extractor that fails on an image costs that image; the others keep their features."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motif.analysis.symmetry.embedding import model_embedding
from motif.analysis.symmetry.embedding.embedding_results import vectors
from motif.analysis.symmetry.embedding.fused_embedding import embed
from motif.core.errors import UnsuitableDataError
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    rng = np.random.default_rng(2)
    with Workspace.init(tmp_path / "lab") as opened:
        fill(opened, "pfm", {name: [image(rng.normal(size=(3, 128, 128)))] for name in "abcd"})
        yield opened


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception, *bad: str) -> None:
    """Let the extractor raise for the records named `bad`."""
    describer = model_embedding.describer

    def create(*arguments: Any) -> Any:
        make = describer(*arguments)

        def describe(scans: Any) -> Any:
            if any(row.record_id.removeprefix("test:") in bad for row, _ in scans):
                raise error
            return make(scans)

        return describe if failing_now else make

    failing_now: list[bool] = []
    compute = model_embedding._compute

    def computing(*arguments: Any) -> Any:
        failing_now.append(True)
        try:
            return compute(*arguments)
        finally:
            failing_now.clear()

    monkeypatch.setattr(model_embedding, "describer", create)
    monkeypatch.setattr(model_embedding, "_compute", computing)


@pytest.mark.parametrize("tiles", [1, 2])
def test_a_failure_costs_one_image(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tiles: int
) -> None:
    failing(monkeypatch, KeyError("x"), "b")
    outcome = embed(workspace, "pfm", extractor="analytic", tiles=tiles)
    assert (outcome["count"], outcome["new"]) == (3, 3)
    reason = "extractor analytic failed: KeyError: 'x'; report it to its author"
    assert outcome["left_out"] == {reason: 1}


def test_the_others_keep_the_same_features(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        failing(patched, ValueError("odd"), "a")
        embed(workspace, "pfm", extractor="analytic")
    ids, before, _ = vectors(workspace, "pfm")
    outcome = embed(workspace, "pfm", extractor="analytic")
    assert (outcome["count"], outcome["new"], outcome["left_out"]) == (4, 1, {})
    later_ids, later, _ = vectors(workspace, "pfm")
    places = [list(later_ids).index(identity) for identity in ids]
    np.testing.assert_array_equal(np.asarray(later)[places], before)


def test_a_refusal_of_the_image_keeps_its_own_sentence(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, UnsuitableDataError("Images have values that are not finite."), "c")
    outcome = embed(workspace, "pfm", extractor="analytic")
    assert outcome["left_out"] == {"Images have values that are not finite": 1}


def test_an_extractor_that_fails_on_all_is_an_error(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, ZeroDivisionError("no"), *"abcd")
    with pytest.raises(UnsuitableDataError, match="report it to its author"):
        embed(workspace, "pfm", extractor="analytic")
    assert workspace.ledger.all("embedding") == []
