"""Embedding a collection against the bare forward pass over the same images in memory."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from motif.analysis.symmetry.embedding.fused_embedding import embed
from motif.analysis.symmetry.extractors.scan_features import Features
from motif.core.plugins import extractor
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

pytestmark = pytest.mark.benchmark

SCANS = 192
PUBLISHED = 25_133
"""Images of Nguyen et al. 2021."""
CORES = 2


def test_embedding_against_the_bare_forward_pass(
    tmp_path: Path, report: Callable[..., None]
) -> None:
    rng = np.random.default_rng(3)
    with Workspace.init(tmp_path / "lab") as workspace:
        features = Features(extractor("symmetry"))
        # Both have loaded their model and opened what they need before the clock starts.
        fill(workspace, "warm", {"w": [image(rng.normal(size=(3, 128, 128)))]})
        embed(workspace, "warm")
        scans = {f"s{n}": [image(rng.normal(size=(3, 128, 128)))] for n in range(SCANS)}
        rows = fill(workspace, "pfm", scans)
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


@pytest.mark.parametrize(("model", "tiles"), [("analytic", 1), ("symmetry", 1), ("symmetry", 4)])
def test_hours_for_the_published_collection(
    tmp_path: Path, report: Callable[..., None], model: str, tiles: int
) -> None:
    """CPU seconds of scans of 256 x 256 with one and three channels, carried to 25,133."""
    count = 256 if tiles == 1 else 24
    y, x = np.mgrid[:256, :256]
    rng = np.random.default_rng(4)
    hours = {}
    for channels in (1, 3):
        with Workspace.init(tmp_path / f"lab{channels}") as workspace:
            scans = {}
            for n in range(count):
                wave = np.sin((x * np.cos(n) + y * np.sin(n)) / rng.uniform(2, 8))
                data = 80 * wave + 20 * rng.normal(size=(channels, 256, 256))
                names = ("Phase", "Amplitude", "Height")[:channels]
                scans[f"s{n}"] = [image(data, names, ("deg", "m", "m")[:channels])]
            fill(workspace, "pfm", scans)
            started = time.process_time()
            assert embed(workspace, "pfm", extractor=model, tiles=tiles)["new"] == count
            each = (time.process_time() - started) / count
            hours[channels] = each * PUBLISHED / 3600 / CORES
    report(
        f"hours for {PUBLISHED:,} scans of 256 x 256 on {CORES} cores, from {count}",
        model=model, tiles=tiles, one_channel=round(hours[1], 3), three=round(hours[3], 3),
    )  # fmt: skip
