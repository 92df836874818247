"""Every kind of result that commands create, published and read back with DataFed's own client."""

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

from motif.analysis.composition.regression.training_recipe import FAST
from motif.analysis.composition.study.composition_study import train_composition
from motif.analysis.composition.study.suggestions import suggest
from motif.analysis.composition.training_request import TrainingRequest
from motif.analysis.projection.map_projection import project
from motif.analysis.projection.projection_request import ProjectionRequest
from motif.analysis.symmetry.embedding.fused_embedding import embed
from motif.core.annotations.annotation_log import add_label, add_note, remove_label
from motif.core.errors import ConfigError
from motif.core.workspace import Workspace
from motif.ingest.datafed.client import DataFed
from motif.ingest.publish import result_files
from motif.ingest.publish.destination import (
    Destination,
    datafed_options,
    open_destination,
    results_destination,
)
from motif.ingest.publish.folder_upload import upload_folder
from motif.ingest.publish.ledger_results import resolve
from motif.ingest.publish.result_publisher import Publication, publish_result
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.simulate.simulated_library import simulate_library
from motif.ingest.sync.source_sync import sync

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
    source: Destination
    api: Any
    folder: Path

    def publish(self, name: str, collection: str | None = None) -> Publication:
        result = resolve(self.workspace, name, collection)
        target = results_destination(self.source, result.newest.collection)
        return publish_result(self.workspace, result, target)

    def record(self, identity: str) -> tuple[dict[str, Any], dict[str, set[str]]]:
        """Metadata of a record, and what it depends on by type."""
        data = self.api.dataView(identity)[0].data[0]
        outgoing: dict[str, set[str]] = {"der": set(), "comp": set(), "ver": set()}
        for dependency in data.deps:
            if dependency.dir == 1:
                outgoing[("der", "comp", "ver")[dependency.type]].add(dependency.id)
        return json.loads(data.metadata), outgoing

    def file(self, identity: str) -> Path:
        """Raw data of a record, fetched by the client."""
        into = self.folder / f"get-{identity[2:]}-{time.monotonic_ns()}"
        task = self.api.dataGet(identity, str(into))[0].task.id
        while self.api.taskView(task)[0].task[0].status < 3:
            time.sleep(0.01)
        (path,) = into.iterdir()
        return path

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
            options = datafed_options(workspace, "scans")
            with DataFed(options.connection()) as client:
                fill(workspace, client, base)
                source = open_destination(client, options)
                api = API(sandbox.client_options("ann"))
                yield Lab(workspace, source, api, base)


def fill(workspace: Workspace, client: DataFed, base: Path) -> None:
    """Six scans and a simulated library on the server; results of every stage in the workspace."""
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
        target = open_destination(client, datafed_options(workspace, name))
        upload_folder(base / name, target, workspace.cache)
        assert sync(workspace, name).quarantined == 0
    embed(workspace, "scans")
    project(workspace, ProjectionRequest("scans"))
    train_composition(workspace, TrainingRequest("library", members=2, folds=0, recipe=TINY))
    suggest(workspace, "library", count=3)


def test_features(lab: Lab) -> None:
    publication = lab.publish("embedding")
    metadata, outgoing = lab.record(publication.record)
    assert outgoing == {"der": lab.measured("scans"), "comp": set(), "ver": set()}
    mark = metadata["motif"]
    assert mark["stage"] == "embedding"
    assert mark["parameters"]["extractor"]
    assert mark["inputs"]["count"] == 6
    arrays, document = result_files.read_arrays(lab.file(publication.record))
    assert arrays["vectors"].shape[0] == 6
    assert document["inputs"]["records"] == sorted(
        f"scans:{record}" for record in lab.measured("scans")
    )


def test_a_map_and_its_figures(lab: Lab) -> None:
    publication = lab.publish("projection")
    metadata, outgoing = lab.record(publication.record)
    assert outgoing["der"] == lab.measured("scans")
    assert metadata["motif"]["file"]["arrays"]["xy"] == {"shape": [6, 2], "dtype": "float32"}
    for figure in publication.figures:
        figure_metadata, of = lab.record(figure)
        assert figure_metadata["motif"]["what"] == "figure"
        assert of["der"] == {publication.record}
    files = {
        lab.file(figure).suffix: lab.file(figure).read_text() for figure in publication.figures
    }
    assert set(files) == {".html", ".svg"}
    assert "scan0" in files[".html"]
    assert files[".svg"].startswith("<?xml")


def test_weights(lab: Lab) -> None:
    publication = lab.publish("ensemble-member")
    metadata, outgoing = lab.record(publication.record)
    assert outgoing["der"] == lab.measured("library")
    assert metadata["simulated"] is True
    assert metadata["motif"]["stage"] == "ensemble-member"
    arrays, _ = result_files.read_arrays(lab.file(publication.record))
    derivation = resolve(lab.workspace, "ensemble-member").newest
    stored = lab.workspace.ledger.arrays(derivation)
    assert set(arrays) == set(stored)
    for name in stored:
        np.testing.assert_array_equal(arrays[name], stored[name])


def test_gradients_and_their_figures(lab: Lab) -> None:
    publication = lab.publish("gradients")
    metadata, outgoing = lab.record(publication.record)
    assert outgoing["der"] == lab.measured("library")
    assert metadata["motif"]["summary"]["members"] == 2
    assert len(publication.figures) >= 3
    for figure in publication.figures:
        figure_metadata, of = lab.record(figure)
        assert (of["der"], figure_metadata["simulated"]) == ({publication.record}, True)
        assert b"<html" in lab.file(figure).read_bytes()[:200]
    arrays, _ = result_files.read_arrays(lab.file(publication.record))
    assert arrays["gradient_total_mean"].shape == (40, 7)


def test_gradient_maps_with_their_inputs(lab: Lab) -> None:
    result = resolve(lab.workspace, "gradients")
    target = results_destination(lab.source, "library")
    publication = publish_result(
        lab.workspace, result, target, with_inputs=True, with_figures=False
    )
    assert len(publication.inputs) == 2
    _, outgoing = lab.record(publication.record)
    assert outgoing["der"] == lab.measured("library") | set(publication.inputs)
    assert {lab.record(record)[0]["motif"]["stage"] for record in publication.inputs} == {
        "ensemble-member"
    }


def test_suggestions(lab: Lab) -> None:
    publication = lab.publish("suggestions")
    metadata, outgoing = lab.record(publication.record)
    assert outgoing["der"] == lab.measured("library")
    table = metadata["motif"]["summary"]["table"]
    arrays, document = result_files.read_arrays(lab.file(publication.record))
    assert len(arrays["composition"]) == len(table) == len(document["summary"]["table"])
    assert metadata["simulated"] is True


def test_models_belong_to_no_collection(lab: Lab) -> None:
    ledger = lab.workspace.ledger
    arrays = {"layer.weight": np.ones((3, 2), np.float32)}
    derivation = ledger.record("symmetry-model", "", {"name": "mine"}, [], arrays, {}, 1.0)
    publication = lab.publish(derivation.id)
    metadata, outgoing = lab.record(publication.record)
    assert outgoing["der"] == set()
    assert metadata["motif"]["inputs"]["count"] == 0
    assert (
        lab.api.dataView(publication.record)[0].data[0].title
        == f"symmetry-model ({derivation.id[:8]})"
    )
    np.testing.assert_array_equal(
        result_files.read_arrays(lab.file(publication.record))[0]["layer.weight"],
        arrays["layer.weight"],
    )


def test_labels_and_notes(lab: Lab) -> None:
    rows = sorted(lab.workspace.select("scans"), key=lambda row: row.title)
    ids = [row.id for row in rows]
    add_label(lab.workspace, ids[:3], "defect", "ann")
    add_note(lab.workspace, ids[:1], "worn tip\nsince noon", "bob")
    first = lab.publish("label")
    metadata, outgoing = lab.record(first.record)
    assert outgoing["der"] == {rows[n].record_id.partition(":")[2] for n in range(3)}
    assert metadata["motif"]["stage"] == "label"
    arrays, _ = result_files.read_arrays(lab.file(first.record))
    stored = {name: [text.decode() for text in values.tolist()] for name, values in arrays.items()}
    assert sorted(zip(stored["kind"], stored["text"], stored["who"], strict=True)) == [
        *[("label", "defect", "ann")] * 3, ("note", "worn tip\nsince noon", "bob")
    ]  # fmt: skip
    assert set(stored["ids"]) == set(ids[:3])
    assert lab.publish("label").record == first.record
    remove_label(lab.workspace, ids[1:3], "defect", "ann")
    second = lab.publish("label", "scans")
    assert second.version_of == first.record
    assert lab.record(second.record)[1]["ver"] == {first.record}
    assert len(result_files.read_arrays(lab.file(second.record))[0]["ids"]) == 2
    change = lab.workspace.ledger.all("label")[0]
    assert resolve(lab.workspace, change.id[:10]).id == resolve(lab.workspace, "label").id


@pytest.mark.parametrize("stage", ["embedding", "projection", "gradients", "suggestions"])
def test_a_second_publication_changes_nothing_and_a_change_is_a_new_version(
    lab: Lab, stage: str
) -> None:
    first = lab.publish(stage)
    again = lab.publish(stage)
    assert (again.record, again.created, again.uploaded) == (first.record, False, False)
    assert again.figures == first.figures
    old = resolve(lab.workspace, stage).newest
    arrays = dict(lab.workspace.ledger.arrays(old))
    changed = {**old.parameters, "version": "another"}
    derivation = lab.workspace.ledger.record(
        stage, old.collection, changed, old.inputs, arrays, dict(old.summary), 1.0
    )
    newer = lab.publish(derivation.id)
    assert newer.version_of == first.record
    assert lab.record(newer.record)[1]["ver"] == {first.record}


def test_the_only_source_need_not_be_named(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"several DataFed sources: scans, library; .* --source"):
        datafed_options(lab.workspace)
    text = (lab.workspace.root / "motif.toml").read_text()
    Workspace.init(tmp_path / "w").close()
    (tmp_path / "w" / "motif.toml").write_text(text[: text.index("[sources.library]")])
    with Workspace.open(tmp_path / "w") as opened:
        assert datafed_options(opened).collection == "scans"
    (tmp_path / "w" / "motif.toml").write_text("")
    with Workspace.open(tmp_path / "w") as opened, pytest.raises(ConfigError, match="none; "):
        datafed_options(opened)
