"""Records marked with an error, and the results that rest on them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motif.core.annotations.annotation_log import add_label
from motif.core.catalog.intake import Intake, MetadataUpdate, NewRecord
from motif.core.cli import commands
from motif.core.provenance.rebuild_commands import exclude_tainted, original_filter, rebuild_command
from motif.core.provenance.record_view import taint_document
from motif.core.records import Asset, Measurement, Reading
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
        new = [NewRecord(asset(n), Reading([spectrum(n)]), "r", 1, f"{n}", 8) for n in range(4)]
        intake(opened).commit(new, (), ())
        yield opened


def intake(workspace: Workspace) -> Intake:
    return Intake(workspace, "s", "pfm", workspace.mapper())


def mark(workspace: Workspace, number: int, *tags: str, marks: tuple[str, ...] = ()) -> None:
    record = workspace.record(f"s:d/{number}")
    update = MetadataUpdate(asset(number, *tags, marks=marks), record, "0")
    intake(workspace).commit((), [update], ())


def derive(workspace: Workspace, stage: str, inputs: list[str], **arrays: list[str]) -> str:
    stored = {name: np.array(ids, "S32") for name, ids in arrays.items()}
    stored["value"] = np.zeros(1)
    return workspace.ledger.record(stage, "pfm", {}, inputs, stored, {}, 0.0).id


def tainted_ids(workspace: Workspace) -> list[str]:
    return [derivation.id for derivation in workspace.ledger.tainted()]


def ids(workspace: Workspace) -> dict[int, str]:
    return {int(row.key): row.id for row in workspace.select("pfm")}


def test_taint_spreads_over_several_steps(workspace: Workspace) -> None:
    row = ids(workspace)
    member = derive(workspace, "ensemble-member", [row[0], row[1]])
    gradients = derive(workspace, "gradients", [member])
    other = derive(workspace, "ensemble-member", [row[2], row[3]])
    assert workspace.ledger.tainted() == []
    mark(workspace, 1, "bad")
    assert tainted_ids(workspace) == [member, gradients]
    workspace.reindex()
    assert tainted_ids(workspace) == [member, gradients]
    mark(workspace, 1)
    assert workspace.ledger.tainted() == []
    mark(workspace, 3, marks=("error",))
    assert tainted_ids(workspace) == [other]


def test_only_the_tag_the_source_names_counts(workspace: Workspace) -> None:
    mark(workspace, 0, "error", "badly")
    assert workspace.marked_records() == {}
    mark(workspace, 0, "BAD")
    assert workspace.marked_records() == {"s:d/0": 'tagged "bad"'}


def test_a_map_without_the_marked_image_is_clean(workspace: Workspace) -> None:
    """Features of one image do not depend on other images."""
    row = ids(workspace)
    embedding = derive(workspace, "embedding", list(row.values()), ids=list(row.values()))
    whole = derive(workspace, "projection", [embedding], ids=list(row.values()))
    mark(workspace, 2, "bad")
    assert set(tainted_ids(workspace)) == {embedding, whole}
    rest = [one for number, one in row.items() if number != 2]
    parent = derive(workspace, "projection", [embedding, whole], ids=rest)
    clean = workspace.ledger.record(
        "projection", "pfm", {"where": "not has tainted"}, [embedding],
        {"ids": np.array(rest, "S32")}, {}, 0.0,
    )  # fmt: skip
    assert set(tainted_ids(workspace)) == {embedding, whole, parent}
    assert clean.id not in set(tainted_ids(workspace))


def test_queries_find_marked_measurements(workspace: Workspace) -> None:
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
    assert tainted_ids(workspace) == [made]


def test_each_request_is_listed_until_it_is_repeated(workspace: Workspace) -> None:
    row = ids(workspace)
    for dims in (2, 3):
        workspace.ledger.record("projection", "pfm", {"dims": dims}, [row[0]], {}, {}, 0.0)
    mark(workspace, 0, "bad")
    commands_listed = {each["rebuild"] for each in taint_document(workspace)["results"]}
    clean = 'motif project pfm --where "not has tainted"'
    flat, deep = clean, clean.replace("pfm", "pfm --dims 3")
    assert commands_listed == {flat, deep}
    parameters = {"dims": 3, "where": "not has tainted"}
    workspace.ledger.record("projection", "pfm", parameters, [row[1]], {}, {}, 0.0)
    (left,) = taint_document(workspace)["results"]
    assert left["rebuild"] == flat


def test_a_tainted_result_is_listed_until_it_is_replaced(workspace: Workspace) -> None:
    row = ids(workspace)
    tainted = derive(workspace, "projection", [row[0]], ids=[row[0]])
    mark(workspace, 0, "bad")
    (listed,) = taint_document(workspace)["results"]
    assert listed["id"] == tainted
    assert listed["rebuild"] == 'motif project pfm --where "not has tainted"'
    derive(workspace, "projection", [row[1]], ids=[row[1]])
    assert taint_document(workspace)["results"] == []
    member = workspace.ledger.get(derive(workspace, "ensemble-member", [row[1]]))
    assert rebuild_command(member) == 'motif train composition pfm --where "not has tainted"'


@pytest.mark.parametrize("where", ["", 'mode = "PFM" or x > 2', "not has tainted and x > 2"])
def test_a_filter_is_kept_when_marked_measurements_are_excluded(where: str) -> None:
    clean = exclude_tainted(where)
    assert "not has tainted" in clean
    assert exclude_tainted(clean) == clean
    if "tainted" not in where:
        assert original_filter(clean) == where


def test_the_command_repeats_the_parameters(workspace: Workspace) -> None:
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
    workspace: Workspace, stage: str, summary: dict[str, str] | None = None, **parameters: Any
) -> str:
    inputs = [ids(workspace)[0]]
    result = workspace.ledger.record(stage, "pfm", parameters, inputs, {}, summary or {}, 0.0)
    return rebuild_command(result)


CLEAN = '--where "not has tainted"'


def test_the_command_repeats_the_folds(workspace: Workspace) -> None:
    for stage in ("gradients", "composition-baselines", "learning-curve"):
        assert rebuilt(workspace, stage, partition="stratified 0").endswith(f" --stratify {CLEAN}")
        assert "--stratify" not in rebuilt(workspace, stage, partition=0)
    ordered = rebuilt(workspace, "gradients", {"shuffle_index": "orders.txt"}, partition="ab" * 16)
    assert ordered.endswith(f"{CLEAN} --shuffle-index with the file orders.txt")


def test_the_command_repeats_features_and_tiles(workspace: Workspace) -> None:
    command = rebuilt(
        workspace, "projection", {"feature_name": "symmetry@10nm"},
        features="ab" * 16, tiles=4, weights={"texture.phase": 2.0}, selection=False, parent="",
    )  # fmt: skip
    assert command == (
        f"motif project pfm --features symmetry@10nm --tiles 4 --weight texture.phase=2 {CLEAN}"
    )


def test_a_sentence_states_what_a_command_cannot(workspace: Workspace) -> None:
    part = rebuilt(workspace, "projection", parent="cd" * 16, selection=False)
    assert part.startswith(f"rebuild the map {'cd' * 16}, of which this is a part")
    assert part.endswith(f"then run motif project pfm {CLEAN} --parent with the id of the new map")
    lasso = rebuilt(workspace, "projection", parent="", selection=True)
    assert lasso.startswith("choose its points again")
    assert "motif project" not in lasso


def test_results_of_a_study_are_rebuilt_with_its_target(workspace: Workspace) -> None:
    target = {"target": "Tc at 0 T"}
    assert rebuilt(workspace, "suggestions", target, count=3) == (
        "motif suggest pfm --target 'Tc at 0 T' --count 3"
    )
    assert rebuilt(workspace, "integrated-gradients", target, nodes=8) == (
        "motif gradients pfm --integrated --target 'Tc at 0 T'"
    )


def test_labels_are_not_tainted(workspace: Workspace) -> None:
    add_label(workspace, [ids(workspace)[0]], "odd", "ann")
    mark(workspace, 0, "bad")
    assert workspace.ledger.tainted() == []


def test_status_and_show_list_tainted_results(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
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
