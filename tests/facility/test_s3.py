"""A store in an S3 bucket: written, read, shared by two machines, cleaned up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from motif.core.jobs.progress import Progress
from motif.core.store.integrity import check_workspace
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def lab(root: Path, address: str, prefix: str) -> Workspace:
    """A workspace of one machine, with its own catalog, on a store in the bucket."""
    root.mkdir()
    (root / "motif.toml").write_text(
        f'[store]\nurl = "s3://lab/{prefix}"\nendpoint = "{address}"\nregion = "us-east-1"\n',
        encoding="utf-8",
    )
    return Workspace.init(root)


def test_measurements_are_stored_in_the_bucket(tmp_path: Path, s3: str) -> None:
    with lab(tmp_path / "a", s3, "one") as workspace:
        (row,) = fill(workspace, "pfm", {"scan": [image(np.full((3, 8, 8), 5))]})
        assert not (tmp_path / "a" / "store").exists()
        assert float(workspace.read(row.id).mean()) == 5
        with Progress("checking", quiet=True) as progress:
            assert check_workspace(workspace, progress) == []
    with Workspace.open(tmp_path / "a") as again:
        assert again.reindex() == 1
        assert [each.id for each in again.select("pfm")] == [row.id]


def test_two_machines_write_to_one_store(tmp_path: Path, s3: str) -> None:
    with lab(tmp_path / "a", s3, "two") as first, lab(tmp_path / "b", s3, "two") as second:
        fill(first, "pfm", {"scan 1": [image(np.full((3, 8, 8), 1))]}, source="one")
        fill(second, "pfm", {"scan 2": [image(np.full((3, 8, 8), 2))]}, source="two")
        first.refresh()
        for workspace in (first, second):
            rows = workspace.select("pfm")
            values = sorted(float(workspace.read(row.id).mean()) for row in rows)
            assert values == [1, 2]
