"""Every kind of result that commands make, published and read back with DataFed's own client."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datafed import VersionUtils
from datafed.CommandLib import API

from motif.analysis.composition.recipes import FAST
from motif.analysis.composition.study import train_composition
from motif.analysis.composition.suggestions import suggest
from motif.analysis.projection.maps import project
from motif.analysis.symmetry.embed import embed
from motif.core.errors import ConfigError
from motif.core.remarks import put_label, put_note, take_label
from motif.core.workspace import Workspace
from motif.ingest.datafed.client import DataFed
from motif.ingest.publish import bundle
from motif.ingest.publish.folder import upload_folder
from motif.ingest.publish.publishing import Published, publish
from motif.ingest.publish.results import resolve
from motif.ingest.publish.target import Target, open_target, options_of, results_target
from motif.ingest.sandbox import Sandbox
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.simulate.library import simulate_library
from motif.ingest.sync import sync

ENDPOINT = "motif#disk"
TINY = replace(FAST, spectrum_epochs=1, composition_epochs=1, joined_epochs=1, batch=8)
SOURCE = """
[sources.{name}]
kind = "datafed"
collection = "{name}"
into = "{name}"
host = "127.0.0.1"
port = {port}
server_key = "{keys}/datafed-core-key.pub"
public_key = "{keys}/ann.pub"
private_key = "{keys}/ann.priv"
endpoint = "motif#disk"
"""


@dataclass
class Lab:
    """A workspace with results of every stage, its server, and the unmodified client."""

    workspace: Workspace
    source: Target
    api: Any
    folder: Path

    def publish(self, name: str, collection: str | None = None) -> Published:
        result = resolve(self.workspace, name, collection)
        place = results_target(self.source, result.newest.collection)
        return publish(self.workspace, result, place)

    def record(self, identity: str) -> tuple[dict[str, Any], dict[str, set[str]]]:
        """Metadata of a record, and what it depends on by type."""
        data = self.api.dataView(identity)[0].data[0]
        outgoing: dict[str, set[str]] = {"der": set(), "comp": set(), "ver": set()}
        for one in data.deps:
            if one.dir == 1:
                outgoing[("der", "comp", "ver")[one.type]].add(one.id)
        return json.loads(data.metadata), outgoing

    def file(self, identity: str) -> Path:
        """Raw data of a record, fetched by the client."""
        into = self.folder / f"get-{identity[2:]}-{time.monotonic_ns()}"
        task = self.api.dataGet(identity, str(into))[0].task.id
        while self.api.taskView(task)[0].task[0].status < 3:
            time.sleep(0.01)
        (found,) = into.iterdir()
        return found

    def measured(self, collection: str) -> set[str]:
        rows = self.workspace.select(collection)
        return {self.workspace.record(row.record_id).native_id for row in rows}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    base = tmp_path_factory.mktemp("everything")
    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(base / "s", endpoints={ENDPOINT: base}, users=["ann:secret"]) as sandbox,
    ):
        patch.setattr(VersionUtils, "get_latest_stable_version", lambda _: None)
        root = base / "lab"
        Workspace.init(root).close()
        tables = [
            SOURCE.format(name=name, port=sandbox.port, keys=sandbox.folder)
            for name in ("scans", "library")
        ]
        (root / "motif.toml").write_text("".join(tables))
        with Workspace.open(root) as workspace:
            options = options_of(workspace, "scans")
            with DataFed(options.connection()) as client:
                fill(workspace, client, base)
                source = open_target(client, options)
                api = API(sandbox.client_options("ann"))
                yield Lab(workspace, source, api, base)


def fill(workspace: Workspace, client: DataFed, base: Path) -> None:
    """Six scans and a simulated library on the server; results of every stage here."""
    for name in ("scans", "library"):
        (base / name).mkdir()
        client.ensure_collection([name], aliases=[name])
    y, x = np.mgrid[:64, :64]
    for number in range(6):
        wave = np.sin(x / (3 + number)) + np.sin(y / (3 + number))
        path = base / "scans" / f"scan{number}.ibw"
        write_ibw(path, {"HeightRetrace": wave.astype(np.float32)}, size=(2e-6, 2e-6),
                  note=[("ScanSize", "2e-06")])  # fmt: skip
    simulate_library(40).write(base / "library" / "library.csv")
    for name in ("scans", "library"):
        target = open_target(client, options_of(workspace, name))
        upload_folder(base / name, target, workspace.cache)
        assert sync(workspace, name).quarantined == 0
    embed(workspace, "scans")
    project(workspace, "scans")
    train_composition(workspace, "library", members=2, folds=0, recipe=TINY)
    suggest(workspace, "library", count=3)


def test_features(lab: Lab) -> None:
    done = lab.publish("embedding")
    metadata, outgoing = lab.record(done.record)
    assert outgoing == {"der": lab.measured("scans"), "comp": set(), "ver": set()}
    told = metadata["motif"]
    assert told["stage"] == "embedding"
    assert told["parameters"]["extractor"]
    assert told["inputs"]["count"] == 6
    arrays, document = bundle.read(lab.file(done.record))
    assert arrays["vectors"].shape[0] == 6
    assert document["inputs"]["records"] == sorted(f"scans:{one}" for one in lab.measured("scans"))


def test_a_map_and_its_picture(lab: Lab) -> None:
    done = lab.publish("projection")
    metadata, outgoing = lab.record(done.record)
    assert outgoing["der"] == lab.measured("scans")
    assert metadata["motif"]["file"]["arrays"]["xy"] == {"shape": [6, 2], "dtype": "float32"}
    (picture,) = done.figures
    told, of = lab.record(picture)
    assert told["motif"]["what"] == "figure"
    assert of["der"] == {done.record}
    assert "scan0" in lab.file(picture).read_text()


def test_weights(lab: Lab) -> None:
    done = lab.publish("ensemble-member")
    metadata, outgoing = lab.record(done.record)
    assert outgoing["der"] == lab.measured("library")
    assert metadata["simulated"] is True
    assert metadata["motif"]["stage"] == "ensemble-member"
    arrays, _ = bundle.read(lab.file(done.record))
    made = resolve(lab.workspace, "ensemble-member").newest
    held = lab.workspace.ledger.arrays(made)
    assert set(arrays) == set(held)
    for name in held:
        np.testing.assert_array_equal(arrays[name], held[name])


def test_gradients_and_their_figures(lab: Lab) -> None:
    done = lab.publish("gradients")
    metadata, outgoing = lab.record(done.record)
    assert outgoing["der"] == lab.measured("library")
    assert metadata["motif"]["summary"]["members"] == 2
    assert len(done.figures) >= 3
    for figure in done.figures:
        told, of = lab.record(figure)
        assert (of["der"], told["simulated"]) == ({done.record}, True)
        assert b"<html" in lab.file(figure).read_bytes()[:200]
    arrays, _ = bundle.read(lab.file(done.record))
    assert arrays["gradient_total_mean"].shape == (40, 7)


def test_gradient_maps_with_what_they_were_made_from(lab: Lab) -> None:
    result = resolve(lab.workspace, "gradients")
    place = results_target(lab.source, "library")
    done = publish(lab.workspace, result, place, with_inputs=True, with_figures=False)
    assert len(done.inputs) == 2
    _, outgoing = lab.record(done.record)
    assert outgoing["der"] == lab.measured("library") | set(done.inputs)
    assert {lab.record(one)[0]["motif"]["stage"] for one in done.inputs} == {"ensemble-member"}


def test_suggestions(lab: Lab) -> None:
    done = lab.publish("suggestions")
    metadata, outgoing = lab.record(done.record)
    assert outgoing["der"] == lab.measured("library")
    table = metadata["motif"]["summary"]["table"]
    arrays, document = bundle.read(lab.file(done.record))
    assert len(arrays["composition"]) == len(table) == len(document["summary"]["table"])
    assert metadata["simulated"] is True


def test_models_belong_to_no_collection(lab: Lab) -> None:
    ledger = lab.workspace.ledger
    arrays = {"layer.weight": np.ones((3, 2), np.float32)}
    made = ledger.record("symmetry-model", "", {"name": "mine"}, [], arrays, {}, 1.0)
    done = lab.publish(made.id)
    metadata, outgoing = lab.record(done.record)
    assert outgoing["der"] == set()
    assert metadata["motif"]["inputs"]["count"] == 0
    assert lab.api.dataView(done.record)[0].data[0].title == f"symmetry-model ({made.id[:8]})"
    np.testing.assert_array_equal(
        bundle.read(lab.file(done.record))[0]["layer.weight"], arrays["layer.weight"]
    )


def test_labels_and_notes(lab: Lab) -> None:
    rows = sorted(lab.workspace.select("scans"), key=lambda row: row.title)
    ids = [row.id for row in rows]
    put_label(lab.workspace, ids[:3], "defect", "ann")
    put_note(lab.workspace, ids[:1], "worn tip\nsince noon", "bob")
    first = lab.publish("label")
    metadata, outgoing = lab.record(first.record)
    assert outgoing["der"] == {rows[n].record_id.partition(":")[2] for n in range(3)}
    assert metadata["motif"]["stage"] == "label"
    arrays, _ = bundle.read(lab.file(first.record))
    held = {name: [one.decode() for one in values.tolist()] for name, values in arrays.items()}
    assert sorted(zip(held["kind"], held["text"], held["who"], strict=True)) == [
        *[("label", "defect", "ann")] * 3, ("note", "worn tip\nsince noon", "bob")
    ]  # fmt: skip
    assert set(held["ids"]) == set(ids[:3])
    assert lab.publish("label").record == first.record
    take_label(lab.workspace, ids[1:3], "defect", "ann")
    second = lab.publish("label", "scans")
    assert second.version_of == first.record
    assert lab.record(second.record)[1]["ver"] == {first.record}
    assert len(bundle.read(lab.file(second.record))[0]["ids"]) == 2
    one = lab.workspace.ledger.all("label")[0]
    assert resolve(lab.workspace, one.id[:10]).id == resolve(lab.workspace, "label").id


@pytest.mark.parametrize("stage", ["embedding", "projection", "gradients", "suggestions"])
def test_twice_is_one_record_and_a_change_a_new_version(lab: Lab, stage: str) -> None:
    first = lab.publish(stage)
    again = lab.publish(stage)
    assert (again.record, again.created, again.uploaded) == (first.record, False, False)
    assert again.figures == first.figures
    old = resolve(lab.workspace, stage).newest
    arrays = dict(lab.workspace.ledger.arrays(old))
    changed = {**old.parameters, "version": "another"}
    made = lab.workspace.ledger.record(
        stage, old.collection, changed, old.inputs, arrays, dict(old.summary), 1.0
    )
    newer = lab.publish(made.id)
    assert newer.version_of == first.record
    assert lab.record(newer.record)[1]["ver"] == {first.record}


def test_the_source_goes_without_saying_where_there_is_one(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"several: scans, library; .* --source"):
        options_of(lab.workspace)
    text = (lab.workspace.root / "motif.toml").read_text()
    Workspace.init(tmp_path / "w").close()
    (tmp_path / "w" / "motif.toml").write_text(text[: text.index("[sources.library]")])
    with Workspace.open(tmp_path / "w") as opened:
        assert options_of(opened).collection == "scans"
    (tmp_path / "w" / "motif.toml").write_text("")
    with Workspace.open(tmp_path / "w") as opened, pytest.raises(ConfigError, match="none; "):
        options_of(opened)
