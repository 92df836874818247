"""A record is marked in DataFed: tainted results are listed with the commands to rebuild them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from motif.analysis.composition.regression.training_recipe import FAST
from motif.analysis.composition.study.composition_study import train_composition
from motif.analysis.composition.study.suggestions import suggest
from motif.analysis.composition.training_request import TrainingRequest
from motif.analysis.projection.map_projection import project
from motif.analysis.projection.projection_request import ProjectionRequest
from motif.analysis.symmetry.embedding.fused_embedding import embed
from motif.core.cli.command_line import build
from motif.core.provenance.record_view import taint_document
from motif.core.workspace import Workspace
from motif.dashboard.pages.overview_page import notices
from motif.dashboard.state.workspace_session import WorkspaceSession
from motif.ingest.datafed.client import DataFed
from motif.ingest.publish.destination import datafed_options, open_destination
from motif.ingest.publish.folder_upload import upload_folder
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.simulate.simulated_library import simulate_library
from motif.ingest.sync.source_sync import sync

TINY = replace(FAST, spectrum_epochs=1, composition_epochs=1, joined_epochs=1, batch=8)
SOURCE = """
[sources.{name}]
kind = "datafed"
collection = "{name}"
into = "{name}"
error_tag = "bad"
host = "127.0.0.1"
port = {port}
server_key = "{keys}/datafed-core-key.pub"
public_key = "{keys}/ann.pub"
private_key = "{keys}/ann.priv"
endpoint = "motif#disk"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Sandbox(
        tmp_path / "s", endpoints={"motif#disk": tmp_path}, users=["ann:secret"]
    ) as sandbox:
        root = tmp_path / "lab"
        Workspace.init(root).close()
        names = ("scans", "library")
        (root / "motif.toml").write_text(
            "".join(SOURCE.format(name=n, port=sandbox.port, keys=sandbox.folder) for n in names)
        )
        with Workspace.open(root) as opened:
            for name in names:
                (tmp_path / name).mkdir()
            write_files(tmp_path)
            for name in names:
                options = datafed_options(opened, name)
                with DataFed(options.connection()) as client:
                    client.ensure_collection([name], aliases=[name])
                    upload_folder(tmp_path / name, open_destination(client, options), opened.cache)
                assert sync(opened, name).quarantined == 0
            yield opened


def write_files(folder: Path) -> None:
    """Eight scans, and a library in two tables of 35 samples."""
    y, x = np.mgrid[:64, :64]
    for number in range(8):
        wave = np.sin(x / (3 + number)) + np.sin(y / (3 + number))
        path = folder / "scans" / f"scan{number}.ibw"
        note = [("ScanSize", "2e-06")]
        write_ibw(path, {"HeightRetrace": wave.astype(np.float32)}, size=(2e-6, 2e-6), note=note)
    for seed in (7, 8):
        simulate_library(35, seed).write(folder / "library" / f"part{seed}.csv")


def mark(workspace: Workspace, source: str, title: str, *tags: str) -> None:
    """The owner tags a record in DataFed; the next sync notices it."""
    (record,) = (r for r in workspace.catalog.records(source) if r.file_name == title)
    with DataFed(datafed_options(workspace, source).connection()) as client:
        client.update_record(record.native_id, tags=list(tags))
    assert sync(workspace, source).updated == 1


def run(workspace: Workspace, command: str) -> str:
    motif, *arguments = shlex.split(command)
    assert motif == "motif"
    outcome = CliRunner().invoke(build(), [*arguments, "--workspace", str(workspace.root)])
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def offered(workspace: Workspace) -> dict[str, str]:
    return {result["stage"]: result["rebuild"] for result in taint_document(workspace)["results"]}


def test_maps(workspace: Workspace) -> None:
    embed(workspace, "scans")
    complete = project(workspace, ProjectionRequest("scans", seed=5))
    assert offered(workspace) == {}
    mark(workspace, "scans", "scan3.ibw", "bad")
    status = run(workspace, "motif status")
    assert 'tagged "bad"' in status
    command = offered(workspace)["projection"]
    assert f"rebuild it: {command}" in status
    assert "--seed 5" in command
    assert command.endswith('--where "not has tainted"')
    shown = [notice.remedy for notice in dashboard_notices(workspace)]
    assert command in shown
    run(workspace, command)
    assert "projection" not in offered(workspace)
    newest = workspace.ledger.latest("projection", "scans")
    assert newest.id != complete.id
    assert len(workspace.ledger.arrays(newest)["ids"]) == 7
    mark(workspace, "scans", "scan4.ibw", "bad")
    run(workspace, offered(workspace)["projection"])
    assert "projection" not in offered(workspace), "nor is it aligned to a tainted one"
    mark(workspace, "scans", "scan3.ibw")
    mark(workspace, "scans", "scan4.ibw", "good")
    assert offered(workspace) == {}
    assert workspace.ledger.tainted() == []


def test_studies(workspace: Workspace) -> None:
    train_composition(workspace, TrainingRequest("library", members=1, folds=0, recipe=TINY))
    suggest(workspace, "library", count=3)
    project(workspace, ProjectionRequest("library"))
    mark(workspace, "library", "part8.csv", "bad")
    commands = offered(workspace)
    assert commands["gradients"].startswith(
        "motif train composition library --target P --members 1"
    )
    assert set(commands) >= {"gradients", "ensemble-member", "suggestions", "projection"}
    train_composition(
        workspace,
        TrainingRequest("library", members=1, folds=0, recipe=TINY, where="not has tainted"),
    )
    for stage in ("suggestions", "projection"):
        run(workspace, commands[stage])
    assert offered(workspace) == {}
    study = workspace.ledger.latest("gradients", "library")
    assert len(workspace.ledger.arrays(study)["ids"]) == 35
    shown = run(workspace, f"motif show {study.id} --json")
    assert '"tainted": false' in shown


def test_the_command_of_a_study_is_one(workspace: Workspace, monkeypatch: Any) -> None:
    """With a short recipe in place of the real one: the command itself is under test."""
    monkeypatch.setattr("motif.analysis.composition.training_request.recipe_named", lambda _: TINY)
    train_composition(workspace, TrainingRequest("library", members=1, folds=2, seed=3))
    mark(workspace, "library", "part8.csv", "bad")
    command = offered(workspace)["gradients"]
    assert "--folds 2" in command
    assert "--seed 3" in command
    run(workspace, command)
    assert offered(workspace) == {}
    run(workspace, "motif suggest library --count 2")


def dashboard_notices(workspace: Workspace) -> list[Any]:
    return notices(WorkspaceSession(workspace), [], [], ["scans"])
