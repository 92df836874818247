"""The source of `docs/extending/source.md`, installed and run as its reader would."""

import json
from pathlib import Path

import numpy as np
import pytest
from plugins import install_plugin, run_python

from motif.ingest.simulate.ibw_writer import write_ibw

PAGE = Path(__file__).parents[2] / "docs" / "extending" / "source.md"
MOTIF = ["-m", "motif.core.cli.command_line"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    folder = tmp_path_factory.mktemp("plugin")
    return install_plugin(PAGE, folder), folder


def test_the_source_of_the_page_passes_its_tests(
    environment: tuple[dict[str, str], Path],
) -> None:
    variables, folder = environment
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    output = run_python([*arguments, "test_eln_source.py"], variables, folder / "plugin")
    assert " passed" in output
    passed = int(output.split(" passed")[0].rsplit(maxsplit=1)[-1])
    assert passed >= 20


def test_motif_ingests_through_the_source_of_the_page(
    environment: tuple[dict[str, str], Path], tmp_path: Path
) -> None:
    variables, _ = environment
    export = tmp_path / "export"
    (export / "raw").mkdir(parents=True)
    scan = export / "raw" / "scan.ibw"
    planes = {"HeightRetrace": np.ones((8, 8), np.float32)}
    write_ibw(scan, planes, size=(1e-6, 1e-6), note=[("ScanSize", "1e-06")])
    entry = {
        "id": "E-1", "title": "a film", "file": "raw/scan.ibw", "size": scan.stat().st_size,
        "modified": "2024", "metadata": {"material": "BaTiO3"},
    }  # fmt: skip
    (export / "index.json").write_text(json.dumps([entry]))
    lab = tmp_path / "lab"
    run_python([*MOTIF, "init", str(lab)], variables, tmp_path)
    with (lab / "motif.toml").open("a") as config:
        config.write('\n[sources.notebook]\nkind = "eln"\npath = "../export"\ninto = "pfm"\n')
    summary = json.loads(run_python([*MOTIF, "ingest", "notebook", "--json"], variables, lab))
    assert (summary["new"], summary["quarantined"]) == (1, 0)
    again = json.loads(run_python([*MOTIF, "ingest", "notebook", "--json"], variables, lab))
    assert again["unchanged"] == 1
