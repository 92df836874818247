"""The figure of `docs/extending/figure.md`, installed and drawn as its reader would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plugins import install_plugin, run_python

from motif.core.workspace import Workspace

PAGE = Path(__file__).parents[2] / "docs" / "extending" / "figure.md"
DRAW = """
import json, sys
from pathlib import Path
from motif.core.workspace import Workspace
from motif.ingest.publish.result_files import write_figures

with Workspace.open(sys.argv[1]) as workspace:
    result = workspace.ledger.latest("clusters", "lib")
    paths, failures = write_figures(workspace, result, Path(sys.argv[2]))
document = {"paths": {name: str(path) for name, path in paths.items()}, "failures": failures}
print(json.dumps(document))
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A workspace with clusters of a map whose names look like mathematics and HTML."""
    import numpy as np

    root = tmp_path / "lab"
    with Workspace.init(root) as workspace:
        clusters = [{"name": "$\\alpha$ <b>", "count": 30}, {"name": "BiVO4", "count": 12}]
        arrays = {"ids": np.array([b"0" * 32])}
        workspace.ledger.record("clusters", "lib", {}, [], arrays, {"clusters": clusters}, 0.0)
    return root


def test_the_figures_of_the_page_are_drawn_for_publishing(lab: Path, tmp_path: Path) -> None:
    environment = install_plugin(PAGE, tmp_path)
    folders = [tmp_path / "first", tmp_path / "second"]
    written = []
    for folder in folders:
        folder.mkdir()
        output = run_python(["-c", DRAW, str(lab), str(folder)], environment, tmp_path)
        document = json.loads(output)
        assert document["failures"] == []
        assert sorted(document["paths"]) == ["sizes", "sizes-picture"]
        written.append({name: Path(path) for name, path in document["paths"].items()})
    picture = written[0]["sizes-picture"].read_text(encoding="utf-8")
    assert written[0]["sizes-picture"].suffix == ".svg"
    assert "$\\alpha$ &lt;b&gt;" in picture
    page = written[0]["sizes"]
    assert page.suffix == ".html"
    assert "Clusters of lib" in page.read_text(encoding="utf-8")
    for name in written[0]:
        assert written[0][name].read_bytes() == written[1][name].read_bytes()
