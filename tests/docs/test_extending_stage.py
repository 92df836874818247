"""The plugin of `docs/extending/stage.md` is installed and run as its reader would."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from plugins import install_plugin, run_python

from motif.core.catalog.intake import Intake, MetadataUpdate
from motif.core.records import Asset
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

PAGE = Path(__file__).parents[2] / "docs" / "extending" / "stage.md"
MOTIF = ["-m", "motif.core.cli.command_line"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return install_plugin(PAGE, tmp_path_factory.mktemp("plugin"))


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    with Workspace.init(tmp_path / "lab") as workspace:
        rng = np.random.default_rng(1)
        scans = {name: [image(rng.normal(size=(3, 8, 8)) * n)] for n, name in enumerate("abc", 1)}
        fill(workspace, "pfm", scans, {"a": {"operator": "xu"}})
    return tmp_path / "lab"


def motif(lab: Path, environment: dict[str, str], *arguments: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(
        run_python([*MOTIF, *arguments, "--json"], environment, lab)
    )
    return document


def test_the_stage_computes_and_keeps_its_result(lab: Path, environment: dict[str, str]) -> None:
    first = motif(lab, environment, "roughness", "pfm")
    assert first["count"] == 3
    assert motif(lab, environment, "roughness", "pfm") == first
    other = motif(lab, environment, "roughness", "pfm", "--channel", "1")
    assert other["roughness"] != first["roughness"]
    with Workspace.open(lab) as workspace:
        assert workspace.counts()["derived"] == {"roughness": 2}
        result = workspace.ledger.get(str(first["roughness"]))
        arrays = workspace.ledger.arrays(result)
        assert [identity.decode() for identity in arrays["ids"]] == list(result.inputs)
        expected = [
            values[0].std() for _, values in workspace.frames(workspace.select(ids=result.inputs))
        ]
        np.testing.assert_allclose(arrays["roughness"], expected, rtol=1e-6)


def test_the_registry_knows_the_stage(lab: Path, environment: dict[str, str]) -> None:
    code = (
        "from motif.core.provenance.stages import stage, command_names; "
        "roughness = stage('roughness'); "
        "print(roughness.title, roughness.itemwise, 'roughness' in command_names())"
    )
    assert run_python(["-c", code], environment, lab).split() == ["Roughness", "True", "True"]


def test_a_marked_record_taints_the_result(lab: Path, environment: dict[str, str]) -> None:
    result = motif(lab, environment, "roughness", "pfm")["roughness"]
    with Workspace.open(lab) as workspace:
        record = workspace.record("test:a")
        asset = Asset("a", "a", "2", record.raw_fingerprint, metadata={"tags": ["error"]})
        intake = Intake(workspace, "test", "pfm", workspace.mapper())
        intake.commit((), [MetadataUpdate(asset, record, record.raw_sha256)], ())
    tainted = motif(lab, environment, "status")["tainted"]
    assert tainted["results"] == [  # type: ignore[index]
        {"id": result, "stage": "roughness", "collection": "pfm", "count": 1, "rebuild": ""}
    ]
