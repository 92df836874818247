"""The commands ``motif search`` and ``motif project`` as one types them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from motif.analysis import commands, map_commands
from motif.core.catalog.database import MeasurementRow
from motif.core.errors import ConfigError, MotifError
from motif.core.workspace import Workspace

app = typer.Typer()
app.command("search")(commands.search)
app.command("project")(map_commands.project)


def run(workspace: Workspace, *arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "--workspace", str(workspace.root)])
    if isinstance(result.exception, MotifError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_search_prints_one_document(workspace: Workspace, library: list[MeasurementRow]) -> None:
    one = library[0]
    out = run(workspace, "search", "lib", "--id", one.id, "-k", "5", "--json",
              "--where", 'operator != "wu"')  # fmt: skip
    results = json.loads(out)["results"]
    assert len(results) == 5
    assert all(set(hit) == {"id", "record", "distance", "facets"} for hit in results)
    assert one.id not in {hit["id"] for hit in results}
    assert {hit["facets"]["operator"] for hit in results} <= {"xu", "li"}
    kept = json.loads(
        run(workspace, "search", "lib", "--id", one.id, "--include-query", "--json",
            "--weight", "composition=3", "--weight", "spectrum=0.5")
    )["results"]  # fmt: skip
    assert (kept[0]["id"], kept[0]["distance"]) == (one.id, 0)


def test_search_prints_a_table_for_people(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    lines = run(workspace, "search", "lib", "--id", library[0].id, "-k", "3").splitlines()
    assert len(lines) == 4
    assert "material" in lines[0]
    nothing = run(
        workspace, "search", "lib", "--id", library[0].id, "--where", 'operator = "nobody"'
    )
    assert "loosen the filter" in nothing


def test_search_tells_what_hits_share_and_what_may_confound_them(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    one = library[0].id
    out = run(workspace, "search", "lib", "--id", one, "-k", "8", "--json")
    document = json.loads(out)
    assert set(document) == {"results", "facets_of_answer", "alarm"}
    alarm = document["alarm"]
    assert (alarm["hits"], alarm["pool"], alarm["confounded"]) == (8, 59, False)
    assert {each["name"] for each in alarm["confounders"]} == {"operator"}
    options = ("--different", "operator", "--not-same", "record", "--diverse", "0.5")
    others = json.loads(run(workspace, "search", "lib", "--id", one, "--json", *options))["results"]
    operator = workspace.facets([one])[one]["operator"]
    assert operator not in {hit["facets"]["operator"] for hit in others}
    assert library[0].record_id not in {hit["record"] for hit in others}
    with pytest.raises(ConfigError, match="nothing pictures may differ in"):
        run(workspace, "search", "lib", "--id", one, "--up-to", "colour")


def test_a_weight_is_a_part_and_a_number(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    with pytest.raises(ConfigError, match='"spectrum" is not a weight'):
        run(workspace, "search", "lib", "--id", library[0].id, "--weight", "spectrum")


def test_project_prints_what_it_made(workspace: Workspace, library: list[MeasurementRow]) -> None:
    document = json.loads(run(workspace, "project", "lib", "--json"))
    assert document["count"] == 60
    assert workspace.ledger.get(document["projection"]).stage == "projection"
    assert {"trustworthiness", "neighbourhood_preservation", "name", "seconds"} <= set(document)
    part = run(workspace, "project", "lib", "--parent", document["projection"],
               "--where", 'operator = "xu"', "--preset", "published")  # fmt: skip
    assert "of 20 measurements" in part


def test_importing_the_commands_loads_nothing_heavy() -> None:
    heavy = {"torch", "faiss", "umap", "sklearn", "xarray", "zarr", "sqlalchemy", "scipy", "numpy"}
    code = (
        "import sys, motif.analysis.commands, motif.analysis.map_commands; "
        f"sys.exit(str({heavy} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.stderr.strip() == "set()"
