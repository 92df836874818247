"""Embedding a collection: every image once, again only what is new."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from distributed import Client, LocalCluster

from motif.analysis.symmetry.embedding.embedding_results import vectors
from motif.analysis.symmetry.embedding.fused_embedding import embed
from motif.core.errors import NotFoundError, UnsuitableDataError
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace


def scan(seed: int, size: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(3, size, size))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "lab") as opened:
        scans = {f"s{n}": [image(scan(n, 24 + 8 * (n % 2)))] for n in range(6)}
        fill(opened, "pfm", scans)
        yield opened


def test_every_image_gets_features_once(workspace: Workspace) -> None:
    first = embed(workspace, "pfm", extractor="analytic")
    assert (first["count"], first["new"]) == (6, 6)
    ids, matrix, parts = vectors(workspace, "pfm")
    assert ids == [row.id for row in workspace.select("pfm")]
    assert matrix.shape == (6, first["dimension"])
    assert np.isfinite(matrix).all()
    assert parts["symmetry"][0] == 0
    assert embed(workspace, "pfm", extractor="analytic")["new"] == 0
    fill(workspace, "pfm", {"late": [image(scan(99))]})
    assert embed(workspace, "pfm", extractor="analytic")["new"] == 1
    again, longer, _ = vectors(workspace, "pfm")
    assert len(again) == 7
    np.testing.assert_array_equal(longer[[again.index(one) for one in ids]], matrix)


def test_features_do_not_depend_on_the_company(workspace: Workspace) -> None:
    embed(workspace, "pfm", extractor="analytic")
    _, together, _ = vectors(workspace, "pfm")
    with Workspace.init(workspace.root.parent / "alone") as alone:
        for n in range(6):
            fill(alone, "pfm", {f"s{n}": [image(scan(n, 24 + 8 * (n % 2)))]})
            embed(alone, "pfm", extractor="analytic")
        _, separate, _ = vectors(alone, "pfm")
    np.testing.assert_allclose(together, separate, atol=1e-5)


def test_tasks_on_a_cluster_give_the_same_vectors(workspace: Workspace) -> None:
    embed(workspace, "pfm", extractor="analytic")
    _, alone, _ = vectors(workspace, "pfm")
    with Workspace.init(workspace.root.parent / "shared") as shared:
        scans = {f"s{n}": [image(scan(n, 24 + 8 * (n % 2)))] for n in range(6)}
        fill(shared, "pfm", scans)
        with (
            LocalCluster(
                n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
            ) as cluster,
            Client(cluster) as client,
        ):
            made = embed(shared, "pfm", extractor="analytic", client=client)
        _, together, _ = vectors(shared, "pfm")
    assert made["new"] == 6
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_refusals_say_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="motif embed pfm"):
        vectors(workspace, "pfm")
    axis = np.linspace(78, 1100, 16)
    fill(workspace, "lib", {"t": [spectrum(axis, axis, "a", {"Bi": 1.0}, {})]})
    with pytest.raises(UnsuitableDataError, match="holds no images"):
        embed(workspace, "lib", extractor="analytic")
