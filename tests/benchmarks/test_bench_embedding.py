"""Embedding a collection against the bare forward pass over the same images in memory."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from motif.analysis.symmetry.embed import embed
from motif.analysis.symmetry.features import Features
from motif.core.plugins import extractor
from motif.core.testing.filling import fill, image
from motif.core.workspace import Workspace

pytestmark = pytest.mark.benchmark

SCANS = 192


def test_embedding_against_the_bare_forward_pass(
    tmp_path: Path, report: Callable[..., None]
) -> None:
    rng = np.random.default_rng(3)
    with Workspace.init(tmp_path / "lab") as workspace:
        scans = {f"s{n}": [image(rng.normal(size=(3, 128, 128)))] for n in range(SCANS)}
        rows = fill(workspace, "pfm", scans)
        features = Features(extractor("symmetry"))
        loaded = list(workspace.frames(rows))
        features(loaded[:16])
        started = time.process_time()
        for begin in range(0, SCANS, 64):
            features(loaded[begin : begin + 64])
        bare = time.process_time() - started
        started = time.process_time()
        assert embed(workspace, "pfm")["new"] == SCANS
        ours = time.process_time() - started
    report(
        "embedding, CPU seconds", scans=SCANS, bare=round(bare, 2), embed=round(ours, 2),
        share_of_bare=round(bare / ours, 2), scans_per_s=round(SCANS / ours, 1),
    )  # fmt: skip
