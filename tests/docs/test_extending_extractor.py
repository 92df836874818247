"""The plugin of `docs/extending/extractor.md` is installed and run as its reader would."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from plugins import install_plugin, run_python

from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

PAGE = Path(__file__).parents[2] / "docs" / "extending" / "extractor.md"
MOTIF = ["-m", "motif.core.cli.command_line"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plugin")


@pytest.fixture(scope="module")
def environment(folder: Path) -> dict[str, str]:
    return install_plugin(PAGE, folder)


def test_its_own_tests_pass(folder: Path, environment: dict[str, str]) -> None:
    options = ["-q", "-p", "no:cacheprovider", "--override-ini", "addopts="]
    output = run_python(["-m", "pytest", *options, "."], environment, folder / "plugin")
    assert " passed" in output
    assert "failed" not in output


def test_images_are_embedded_and_searched_with_it(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    rng = np.random.default_rng(5)
    x = np.mgrid[:64, :64][1]
    stripes = [np.sin(x / (3 + n / 10)) for n in range(4)]
    noise = [rng.normal(size=(64, 64)) for _ in range(4)]
    scans = {
        f"{kind}{n}": [image(np.stack([plane + 0.05 * rng.normal(size=plane.shape)] * 3))]
        for kind, planes in (("stripes", stripes), ("noise", noise))
        for n, plane in enumerate(planes)
    }
    with Workspace.init(tmp_path / "lab") as workspace:
        rows = fill(workspace, "pfm", scans)
        records = {row.id: row.record_id for row in rows}
        asked = next(row.id for row in rows if "stripes0" in row.record_id)
    document = json.loads(
        run_python(
            [*MOTIF, "embed", "pfm", "--model", "binary-patterns", "--json"],
            environment, tmp_path / "lab",
        )
    )  # fmt: skip
    assert (document["count"], document["left_out"]) == (8, {})
    assert set(document["parts"]) >= {"distance 1", "distance 2", "distance 4"}
    features = ["--features", document["features"]]
    found = json.loads(
        run_python(
            [*MOTIF, "search", "pfm", "--id", asked, "-k", "3", *features, "--json"],
            environment, tmp_path / "lab",
        )
    )  # fmt: skip
    assert all("stripes" in records[hit["id"]] for hit in found["results"])
