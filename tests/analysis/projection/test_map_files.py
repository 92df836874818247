"""Maps have names, notes and a tree, and leave as files others can read."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from motif.analysis import map_commands
from motif.analysis.projection import (
    annotate,
    export_map,
    map_of,
    map_summaries,
    name_of,
    note_of,
    project,
    rename,
)
from motif.analysis.projection.projection_request import ProjectionRequest
from motif.core.errors import ConfigError, MotifError, NotFoundError, UnsuitableDataError
from motif.core.records import Facet, Measurement
from motif.core.testing.fill_workspace import fill
from motif.core.workspace import Workspace

SVG = "{http://www.w3.org/2000/svg}"

cli = typer.Typer()
cli.add_typer(map_commands.app, name="maps")
cli.command("project")(map_commands.project)


def run(workspace: Workspace, *arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(cli, [*arguments, "--workspace", str(workspace.root), "--json"])
    if isinstance(result.exception, MotifError):
        raise result.exception
    assert result.exit_code == 0, result.output
    document: dict[str, object] = json.loads(result.output)
    return document


def text(workspace: Workspace, *arguments: str) -> str:
    result = CliRunner().invoke(cli, [*arguments, "--workspace", str(workspace.root)])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_newest_name_and_note_are_valid_and_the_map_stays(workspace: Workspace) -> None:
    made = project(workspace, ProjectionRequest("lib"))
    assert (name_of(workspace, made), note_of(workspace, made)) == ("lib", "")
    for name in ("first", "second", "first"):
        rename(workspace, made, f"  {name} ")
        assert name_of(workspace, made) == name
    annotate(workspace, made, "look at the corner")
    assert (name_of(workspace, made), note_of(workspace, made)) == ("first", "look at the corner")
    annotate(workspace, made, "")
    assert note_of(workspace, made) == ""
    assert len(workspace.ledger.all("map-note")) == 5
    assert workspace.ledger.get(made.id).summary["name"] == "lib"
    workspace.reindex()
    assert name_of(workspace, made) == "first"
    with pytest.raises(ConfigError, match="1 to 200 characters"):
        rename(workspace, made, " ")
    with pytest.raises(ConfigError, match="at most 20,000"):
        annotate(workspace, made, "x" * 20_001)


def test_maps_are_listed_as_a_tree(workspace: Workspace) -> None:
    whole = project(workspace, ProjectionRequest("lib"))
    part = project(
        workspace,
        ProjectionRequest("lib", parent=whole.id, where='material = "BiVO4"', name="part"),
    )
    other = project(workspace, ProjectionRequest("lib", seed=2))
    found = map_summaries(workspace, "lib")
    assert [one.id for one in found] == [whole.id, part.id, other.id]
    assert [one.children for one in found] == [1, 0, 0]
    assert map_of(workspace, part.id[:8]).id == part.id
    with pytest.raises(NotFoundError, match="motif maps list"):
        map_of(workspace, "zzzzzz")
    with pytest.raises(NotFoundError):
        map_of(workspace, whole.id, "elsewhere")


def test_the_commands_agree_on_one_map(workspace: Workspace, samples: list[Measurement]) -> None:
    made = str(run(workspace, "project", "lib")["projection"])
    assert run(workspace, "maps", "rename", made, "my map")["name"] == "my map"
    assert run(workspace, "maps", "note", made, "a note")["note"] == "a note"
    shown = run(workspace, "maps", "show", made[:10])
    assert (shown["name"], shown["note"], shown["ancestors"]) == ("my map", "a note", [])
    (listed,) = run(workspace, "maps", "list", "lib")["maps"]  # type: ignore[misc]
    assert listed["id"] == made
    assert run(workspace, "maps", "recompute", made)["identical"] is True
    groups = run(workspace, "maps", "clusters", made, "--smallest", "10")["clusters"]
    assert {one["name"] for one in groups} == {"BiVO4", "PbTiO3", "BiFeO3"}  # type: ignore[attr-defined]
    assert len(run(workspace, "maps", "outliers", made, "-k", "3")["outliers"]) == 3  # type: ignore[arg-type]
    assert run(workspace, "maps", "duplicates", made, "--within", "0")["pairs"] == []
    fill(workspace, "lib", {"second": samples[90:]})
    placed = run(workspace, "project", "lib", "--place-new", made)["placed"]
    assert len(placed) == 12  # type: ignore[arg-type]
    refit = str(run(workspace, "project", "lib")["projection"])
    document = run(workspace, "maps", "moved", refit)
    assert (document["before"], document["shared"]) == (made, 90)
    assert "my map" in text(workspace, "maps", "list")
    assert "a note" in text(workspace, "maps", "show", made)
    assert "last bit" in text(workspace, "maps", "recompute", made)
    for command in ("clusters", "outliers", "duplicates", "moved"):
        assert text(workspace, "maps", command, refit).strip()


def test_tables_have_coordinates_and_facets(workspace: Workspace, tmp_path: Path) -> None:
    made = project(workspace, ProjectionRequest("lib"))
    arrays = workspace.ledger.arrays(made)
    assert export_map(workspace, made, tmp_path / "map.csv") == 90
    with (tmp_path / "map.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"].encode() for row in rows] == arrays["ids"].tolist()
    np.testing.assert_allclose([float(row["x"]) for row in rows], arrays["xy"][:, 0], rtol=1e-6)
    facets = workspace.facets([rows[0]["id"]])[rows[0]["id"]]
    assert rows[0]["material"] == facets["material"]
    parquet = pytest.importorskip("pyarrow.parquet")
    some = [row["id"] for row in rows[:7]]
    assert export_map(workspace, made, tmp_path / "map.parquet", ids=some) == 7
    table = parquet.read_table(tmp_path / "map.parquet")
    assert table.column("id").to_pylist() == some
    assert table.schema.metadata[b"motif.map"].decode() == made.id
    with pytest.raises(ConfigError, match=r"choose one of \.csv, \.parquet, \.svg, \.pdf, \.png"):
        export_map(workspace, made, tmp_path / "map.xlsx")
    with pytest.raises(UnsuitableDataError, match="on the map"):
        export_map(workspace, made, tmp_path / "map.csv", ids=["0" * 32])
    with pytest.raises(ConfigError, match="cannot be written"):
        export_map(workspace, made, tmp_path / "nowhere" / "map.csv")


def test_pictures_show_every_point_in_the_colour_of_its_value(
    workspace: Workspace, tmp_path: Path
) -> None:
    made = project(workspace, ProjectionRequest("lib"))
    run(workspace, "maps", "export", made.id, str(tmp_path / "map.svg"), "--colour", "material")
    root = ET.parse(tmp_path / "map.svg").getroot()
    points = root.findall(f".//{SVG}g[@id='points']//{SVG}use")
    assert len(points) == 90
    assert len({point.get("style") for point in points}) == 3
    labels = [label.text for label in root.iter(f"{SVG}text")]
    assert {"lib", "90 measurements of lib", "material", "BiVO4 (30)"} <= set(labels)
    where = 'material = "BiVO4"'
    document = run(
        workspace, "maps", "export", made.id, str(tmp_path / "map.png"), "--where", where
    )
    assert document["count"] == 30
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (2000, 1600)
        assert len(picture.getcolors(1 << 20) or ()) > 1
    run(workspace, "maps", "export", made.id, str(tmp_path / "map.pdf"))
    assert (tmp_path / "map.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ConfigError, match='has the facet "colour"'):
        run(workspace, "maps", "export", made.id, str(tmp_path / "map.svg"), "--colour", "colour")


def test_text_that_a_spreadsheet_would_run_stays_text(
    workspace: Workspace, samples: list[Measurement], tmp_path: Path
) -> None:
    odd = [
        Measurement(one.key, "spectrum", one.title, one.data, [Facet("comment", "=1+1", "test")])
        for one in samples[:5]
    ]
    fill(workspace, "odd", {"a": odd})
    export_map(workspace, project(workspace, ProjectionRequest("odd")), tmp_path / "odd.csv")
    assert "'=1+1" in (tmp_path / "odd.csv").read_text(encoding="utf-8")
