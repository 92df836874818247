"""Records marked with an error, and what rests on them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motif.core import commands
from motif.core.intake import Intake, Renewed, Taken
from motif.core.rebuilding import asked, rebuild_command, without_marked
from motif.core.records import Asset, Measurement, Reading
from motif.core.remarks import put_label
from motif.core.taint_report import taint_document
from motif.core.workspace import Workspace


def asset(number: int, *tags: str, marks: tuple[str, ...] = ()) -> Asset:
    origin = {"tags": list(tags), "marks": list(marks)}
    return Asset(f"d/{number}", f"scan {number}", "f", "r", f"{number}.ibw", 8, {}, origin)


def spectrum(number: int) -> Measurement:
    import xarray as xr

    axis = xr.DataArray(np.arange(4.0), dims="raman_shift", attrs={"units": "1/cm"})
    data = xr.DataArray(np.full(4, float(number)), dims="raman_shift", coords={"raman_shift": axis})
    data.coords["raman_shift"].attrs["units"] = "1/cm"
    return Measurement(str(number), "spectrum", f"scan {number}", data)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    Workspace.init(tmp_path / "lab").close()
    (tmp_path / "lab" / "motif.toml").write_text(
        '[sources.s]\nkind = "folder"\npath = "x"\ninto = "pfm"\nerror_tag = "bad"\n'
    )
    with Workspace.open(tmp_path / "lab") as opened:
        taken = [Taken(asset(n), Reading([spectrum(n)]), "r", 1, f"{n}", 8) for n in range(4)]
        intake(opened).commit(taken, (), ())
        yield opened


def intake(workspace: Workspace) -> Intake:
    return Intake(workspace, "s", "pfm", workspace.mapper())


def mark(workspace: Workspace, number: int, *tags: str, marks: tuple[str, ...] = ()) -> None:
    record = workspace.record(f"s:d/{number}")
    intake(workspace).commit((), [Renewed(asset(number, *tags, marks=marks), record, "0")], ())


def derive(workspace: Workspace, stage: str, inputs: list[str], **arrays: list[str]) -> str:
    held = {name: np.array(ids, "S32") for name, ids in arrays.items()}
    held["value"] = np.zeros(1)
    return workspace.ledger.record(stage, "pfm", {}, inputs, held, {}, 0.0).id


def ids(workspace: Workspace) -> dict[int, str]:
    return {int(row.key): row.id for row in workspace.select("pfm")}


def test_taint_reaches_what_was_made_of_what_was_made(workspace: Workspace) -> None:
    row = ids(workspace)
    member = derive(workspace, "ensemble-member", [row[0], row[1]])
    gradients = derive(workspace, "gradients", [member])
    other = derive(workspace, "ensemble-member", [row[2], row[3]])
    assert workspace.ledger.tainted() == []
    mark(workspace, 1, "bad")
    assert [one.id for one in workspace.ledger.tainted()] == [member, gradients]
    workspace.reindex()
    assert [one.id for one in workspace.ledger.tainted()] == [member, gradients]
    mark(workspace, 1)
    assert workspace.ledger.tainted() == []
    mark(workspace, 3, marks=("error",))
    assert [one.id for one in workspace.ledger.tainted()] == [other]


def test_only_the_tag_the_source_names_counts(workspace: Workspace) -> None:
    mark(workspace, 0, "error", "badly")
    assert workspace.marked_records() == {}
    mark(workspace, 0, "BAD")
    assert workspace.marked_records() == {"s:d/0": 'tagged "bad"'}


def test_a_map_without_the_marked_image_is_clean(workspace: Workspace) -> None:
    """Features of one image do not depend on the images beside it."""
    row = ids(workspace)
    embedding = derive(workspace, "embedding", list(row.values()), ids=list(row.values()))
    whole = derive(workspace, "projection", [embedding], ids=list(row.values()))
    mark(workspace, 2, "bad")
    assert {one.id for one in workspace.ledger.tainted()} == {embedding, whole}
    rest = [one for number, one in row.items() if number != 2]
    parent = derive(workspace, "projection", [embedding, whole], ids=rest)
    clean = workspace.ledger.record(
        "projection", "pfm", {"where": "not has tainted"}, [embedding],
        {"ids": np.array(rest, "S32")}, {}, 0.0,
    )  # fmt: skip
    assert {one.id for one in workspace.ledger.tainted()} == {embedding, whole, parent}
    assert clean.id not in {one.id for one in workspace.ledger.tainted()}


def test_marked_measurements_can_be_asked_for(workspace: Workspace) -> None:
    assert workspace.select("pfm", "has tainted") == []
    mark(workspace, 1, "bad")
    assert [row.key for row in workspace.select("pfm", "has tainted")] == ["1"]
    assert len(workspace.select("pfm", "not has tainted")) == 3
    workspace.reindex()
    assert [row.key for row in workspace.select("pfm", "tainted = true")] == ["1"]
    mark(workspace, 1)
    assert workspace.select("pfm", "has tainted") == []


def test_a_marked_record_that_is_deleted_still_taints(workspace: Workspace) -> None:
    made = derive(workspace, "ensemble-member", [ids(workspace)[0]])
    mark(workspace, 0, "bad")
    intake(workspace).commit((), (), (), ["d/0"])
    assert [one.id for one in workspace.ledger.tainted()] == [made]


def test_each_question_is_told_until_it_is_answered_anew(workspace: Workspace) -> None:
    row = ids(workspace)
    for dims in (2, 3):
        workspace.ledger.record("projection", "pfm", {"dims": dims}, [row[0]], {}, {}, 0.0)
    mark(workspace, 0, "bad")
    told = {one["rebuild"] for one in taint_document(workspace)["results"]}
    clean = 'motif project pfm --where "not has tainted"'
    flat, deep = clean, clean.replace("pfm", "pfm --dims 3")
    assert told == {flat, deep}
    made = {"dims": 3, "where": "not has tainted"}
    workspace.ledger.record("projection", "pfm", made, [row[1]], {}, {}, 0.0)
    (left,) = taint_document(workspace)["results"]
    assert left["rebuild"] == flat


def test_the_way_out_is_offered_until_it_is_taken(workspace: Workspace) -> None:
    row = ids(workspace)
    made = derive(workspace, "projection", [row[0]], ids=[row[0]])
    mark(workspace, 0, "bad")
    (told,) = taint_document(workspace)["results"]
    assert told["id"] == made
    assert told["rebuild"] == 'motif project pfm --where "not has tainted"'
    derive(workspace, "projection", [row[1]], ids=[row[1]])
    assert taint_document(workspace)["results"] == []
    member = workspace.ledger.get(derive(workspace, "ensemble-member", [row[1]]))
    assert rebuild_command(member) == 'motif train composition pfm --where "not has tainted"'


@pytest.mark.parametrize("where", ["", 'mode = "PFM" or x > 2', "not has tainted and x > 2"])
def test_a_filter_is_kept_when_marked_ones_are_left_out(where: str) -> None:
    clean = without_marked(where)
    assert "not has tainted" in clean
    assert without_marked(clean) == clean
    if "tainted" not in where:
        assert asked(clean) == where


def test_the_same_is_asked_again(workspace: Workspace) -> None:
    parameters = {
        "version": 1, "target": "P at 1.2 V", "members": 3, "folds": 5, "recipe": "published",
        "seed": 7, "partition": 7, "where": 'substrate = "FTO"',
    }  # fmt: skip
    inputs = [ids(workspace)[0]]
    made = workspace.ledger.record("gradients", "pfm", parameters, inputs, {}, {}, 0.0)
    words = shlex.split(rebuild_command(made))
    assert words == [
        "motif", "train", "composition", "pfm", "--target", "P at 1.2 V", "--members", "3",
        "--recipe", "published", "--seed", "7",
        "--where", '(substrate = "FTO") and not has tainted',
    ]  # fmt: skip
    suggested = workspace.ledger.record("suggestions", "pfm", {}, [made.id], {}, {}, 0.0)
    assert rebuild_command(suggested) == "motif suggest pfm"


def rebuilt(
    workspace: Workspace, stage: str, summary: dict[str, str] | None = None, **asked: Any
) -> str:
    made = workspace.ledger.record(stage, "pfm", asked, [ids(workspace)[0]], {}, summary or {}, 0.0)
    return rebuild_command(made)


CLEAN = '--where "not has tainted"'


def test_the_folds_are_asked_for_again(workspace: Workspace) -> None:
    for stage in ("gradients", "composition-baselines", "learning-curve"):
        assert rebuilt(workspace, stage, partition="stratified 0").endswith(f" --stratify {CLEAN}")
        assert "--stratify" not in rebuilt(workspace, stage, partition=0)
    ordered = rebuilt(workspace, "gradients", {"shuffle_index": "orders.txt"}, partition="ab" * 16)
    assert ordered.endswith(f"{CLEAN} --shuffle-index with the file orders.txt")


def test_a_map_is_made_of_the_same_features_and_tiles(workspace: Workspace) -> None:
    told = rebuilt(
        workspace, "projection", {"feature_name": "symmetry@10nm"},
        features="ab" * 16, tiles=4, weights={"texture.phase": 2.0}, selection=False, parent="",
    )  # fmt: skip
    assert told == (
        f"motif project pfm --features symmetry@10nm --tiles 4 --weight texture.phase=2 {CLEAN}"
    )


def test_what_takes_more_than_a_command_is_said_in_words(workspace: Workspace) -> None:
    part = rebuilt(workspace, "projection", parent="cd" * 16, selection=False)
    assert part.startswith(f"make the map {'cd' * 16} anew")
    assert part.endswith(f"then motif project pfm {CLEAN} --parent with the id of the new one")
    lasso = rebuilt(workspace, "projection", parent="", selection=True)
    assert lasso.startswith("choose its points again")
    assert "motif project" not in lasso


def test_what_follows_a_study_follows_that_of_its_target(workspace: Workspace) -> None:
    target = {"target": "Tc at 0 T"}
    assert rebuilt(workspace, "suggestions", target, count=3) == (
        "motif suggest pfm --target 'Tc at 0 T' --count 3"
    )
    assert rebuilt(workspace, "integrated-gradients", target, nodes=8) == (
        "motif gradients pfm --integrated --target 'Tc at 0 T'"
    )


def test_what_people_said_is_not_tainted(workspace: Workspace) -> None:
    put_label(workspace, [ids(workspace)[0]], "odd", "ann")
    mark(workspace, 0, "bad")
    assert workspace.ledger.tainted() == []


def test_status_and_show_tell(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    row = ids(workspace)
    made = derive(workspace, "projection", [row[0]], ids=[row[0]])
    mark(workspace, 0, "bad")
    commands.status(workspace.root, as_json=True)
    assert json.loads(capsys.readouterr().out)["tainted"]["records"] == {"s:d/0": 'tagged "bad"'}
    commands.status(workspace.root)
    assert "tainted       projection of pfm; rebuild it: motif project" in capsys.readouterr().out
    commands.show("s:d/0", workspace=workspace.root, as_json=True)
    record = json.loads(capsys.readouterr().out)
    assert record["marked"] == 'tagged "bad"'
    (measurement,) = record["measurements"]
    command = 'motif project pfm --where "not has tainted"'
    assert measurement["derived"] == [
        {"id": made, "stage": "projection", "tainted": True, "rebuild": command}
    ]
    commands.show("s:d/0", workspace=workspace.root)
    shown = capsys.readouterr().out
    assert 'wrong         tagged "bad"' in shown
    assert f"(tainted; rebuild it: {command})" in shown
    commands.show(made, workspace=workspace.root, as_json=True)
    result = json.loads(capsys.readouterr().out)
    assert result["tainted"] is True
    assert result["inputs"] == [row[0]]
