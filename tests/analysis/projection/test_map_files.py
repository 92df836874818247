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

from motif.analysis import commands
from motif.analysis.map_commands import app as maps
from motif.analysis.projection import annotate, cards, export, name_of, note_of, project, rename
from motif.analysis.projection.notes import map_of
from motif.core.errors import ConfigError, MotifError, NotFoundError, UnsuitableDataError
from motif.core.records import Facet, Measurement
from motif.core.testing.filling import fill
from motif.core.workspace import Workspace

cli = typer.Typer()
cli.add_typer(maps, name="maps")
cli.command("project")(commands.project)


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


def test_the_newest_name_and_note_hold_and_the_map_stays(workspace: Workspace) -> None:
    made = project(workspace, "lib")
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
    whole = project(workspace, "lib")
    part = project(workspace, "lib", parent=whole.id, where='material = "BiVO4"', name="part")
    other = project(workspace, "lib", seed=2)
    found = cards(workspace, "lib")
    assert [one.id for one in found] == [whole.id, part.id, other.id]
    assert [one.children for one in found] == [1, 0, 0]
    assert map_of(workspace, part.id[:8]).id == part.id
    with pytest.raises(NotFoundError, match="motif maps list"):
        map_of(workspace, "zzzzzz")
    with pytest.raises(NotFoundError):
        map_of(workspace, whole.id, "elsewhere")


def test_the_commands_speak_of_one_map(workspace: Workspace, samples: list[Measurement]) -> None:
    made = str(run(workspace, "project", "lib")["projection"])
    assert run(workspace, "maps", "rename", made, "my map")["name"] == "my map"
    assert run(workspace, "maps", "note", made, "a note")["note"] == "a note"
    shown = run(workspace, "maps", "show", made[:10])
    assert (shown["name"], shown["note"], shown["way_back"]) == ("my map", "a note", [])
    (listed,) = run(workspace, "maps", "list", "lib")["maps"]  # type: ignore[misc]
    assert listed["id"] == made
    assert run(workspace, "maps", "redo", made)["identical"] is True
    groups = run(workspace, "maps", "clusters", made, "--smallest", "10")["clusters"]
    assert {one["name"] for one in groups} == {"BiVO4", "PbTiO3", "BiFeO3"}  # type: ignore[attr-defined]
    assert len(run(workspace, "maps", "outliers", made, "-k", "3")["outliers"]) == 3  # type: ignore[arg-type]
    assert run(workspace, "maps", "duplicates", made, "--within", "0")["pairs"] == []
    fill(workspace, "lib", {"second": samples[90:]})
    placed = run(workspace, "project", "lib", "--place-new", made)["placed"]
    assert len(placed) == 12  # type: ignore[arg-type]
    refit = str(run(workspace, "project", "lib")["projection"])
    told = run(workspace, "maps", "moved", refit)
    assert (told["before"], told["shared"]) == (made, 90)
    assert "my map" in text(workspace, "maps", "list")
    assert "a note" in text(workspace, "maps", "show", made)
    assert "last bit" in text(workspace, "maps", "redo", made)
    for command in ("clusters", "outliers", "duplicates", "moved"):
        assert text(workspace, "maps", command, refit).strip()


def test_tables_hold_coordinates_and_facets(workspace: Workspace, tmp_path: Path) -> None:
    made = project(workspace, "lib")
    arrays = workspace.ledger.arrays(made)
    assert export(workspace, made, tmp_path / "map.csv") == 90
    with (tmp_path / "map.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"].encode() for row in rows] == arrays["ids"].tolist()
    np.testing.assert_allclose([float(row["x"]) for row in rows], arrays["xy"][:, 0], rtol=1e-6)
    facets = workspace.facets([rows[0]["id"]])[rows[0]["id"]]
    assert rows[0]["material"] == facets["material"]
    parquet = pytest.importorskip("pyarrow.parquet")
    some = [row["id"] for row in rows[:7]]
    assert export(workspace, made, tmp_path / "map.parquet", ids=some) == 7
    table = parquet.read_table(tmp_path / "map.parquet")
    assert table.column("id").to_pylist() == some
    assert table.schema.metadata[b"motif.map"].decode() == made.id
    with pytest.raises(ConfigError, match="change its ending"):
        export(workspace, made, tmp_path / "map.xlsx")
    with pytest.raises(UnsuitableDataError, match="on the map"):
        export(workspace, made, tmp_path / "map.csv", ids=["0" * 32])
    with pytest.raises(ConfigError, match="cannot be written"):
        export(workspace, made, tmp_path / "nowhere" / "map.csv")


def test_pictures_show_every_point_in_the_colour_of_its_value(
    workspace: Workspace, tmp_path: Path
) -> None:
    made = project(workspace, "lib")
    run(workspace, "maps", "export", made.id, str(tmp_path / "map.svg"), "--colour", "material")
    root = ET.parse(tmp_path / "map.svg").getroot()
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 90 + 3
    assert len({circle.get("fill") for circle in circles}) == 3
    where = 'material = "BiVO4"'
    told = run(workspace, "maps", "export", made.id, str(tmp_path / "map.png"), "--where", where)
    assert told["count"] == 30
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (1200, 1200)
        assert len(picture.getcolors(1 << 20) or ()) > 1


def test_text_a_spreadsheet_would_run_is_only_text(
    workspace: Workspace, samples: list[Measurement], tmp_path: Path
) -> None:
    odd = [
        Measurement(one.key, "spectrum", one.title, one.data, [Facet("remark", "=1+1", "test")])
        for one in samples[:5]
    ]
    fill(workspace, "odd", {"a": odd})
    export(workspace, project(workspace, "odd"), tmp_path / "odd.csv")
    assert "'=1+1" in (tmp_path / "odd.csv").read_text(encoding="utf-8")
