"""A Dask cluster that runs elsewhere: scheduler and worker are processes of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from motif.analysis.symmetry.embedding import fused_embedding as embedding
from motif.analysis.symmetry.embedding import model_embedding
from motif.analysis.symmetry.embedding.embedding_results import vectors
from motif.core.config.settings import ComputeConfig, Config
from motif.core.errors import ConfigError
from motif.core.jobs import compute
from motif.core.jobs.compute import client_for
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace


@contextmanager
def running(folder: Path, name: str, *options: str) -> Iterator[int]:
    """A ``dask scheduler`` or ``dask worker`` process; its pid."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *options, "--no-dashboard"]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """Address of a scheduler without workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(tmp_path, "scheduler", "--host", "127.0.0.1", "--port", f"{port}"):
        yield f"tcp://127.0.0.1:{port}"


def test_features_are_computed_on_its_worker(
    tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_embedding, "WORTH_A_CLUSTER", 0)
    root = tmp_path / "lab"
    root.mkdir()
    (root / "motif.toml").write_text(f'[compute]\nscheduler = "{scheduler}"\n', encoding="utf-8")
    random = np.random.default_rng(3)
    with Workspace.init(root) as workspace:
        scans = {f"scan {n}": [image(random.normal(size=(3, 64, 64)))] for n in range(4)}
        rows = fill(workspace, "pfm", scans)
        with running(tmp_path, "worker", scheduler, "--nthreads", "1", "--no-nanny") as pid:
            with client_for(workspace.config) as client:
                assert client.submit(os.getpid).result() == pid
            embedding.embed(workspace, "pfm")
        ids, features, _ = vectors(workspace, "pfm")
    assert ids == [row.id for row in rows]
    assert np.isfinite(features).all()


def test_a_missing_cluster_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "PATIENCE", 1.0)
    config = Config(compute=ComputeConfig(scheduler="tcp://127.0.0.1:9"))
    with (
        pytest.raises(ConfigError, match=r"No Dask scheduler answers .*127\.0\.0\.1:9"),
        client_for(config),
    ):
        pass


def test_a_cluster_without_workers_is_refused(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "PATIENCE", 3.0)
    config = Config(compute=ComputeConfig(scheduler=scheduler))
    with pytest.raises(ConfigError, match="has no worker"), client_for(config):
        pass
