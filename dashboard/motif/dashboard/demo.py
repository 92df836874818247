"""``motif demo``: all of Motif on a simulated lab, from a DataFed server to the dashboard."""

from __future__ import annotations

import secrets
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motif.core.config.settings import FILE_NAME, load_config
from motif.core.jobs.job_runs import recording
from motif.core.workspace import Workspace
from motif.dashboard.server.supervisor import ChildFailedError, Children, say

if TYPE_CHECKING:
    from distributed import Client

    from motif.ingest.datafed.connection import Connection

USER = "demo"
ENDPOINT = "motif#demo"
SEED = 20211008
"""Seed of the image study: any number, but always the same one."""
SCANS = 300
SAMPLES = 1379
MEMBERS = 8

CONFIG = """\
# The demonstration lab: everything in it is simulated.
[sources.pfm]
kind = "datafed"
collection = "motif-pfm"
into = "pfm"
{connection}
[sources.bivo4]
kind = "datafed"
collection = "motif-bivo4"
into = "bivo4"
{connection}
[facets.pattern]
path = "record:pattern"

[facets.period]
path = "record:period_nm"
unit = "nm"

[jobs.nightly]
run = ["ingest", "embed pfm", "project pfm"]
schedule = "0 2 * * *"
"""
CONNECTION = """\
host = "127.0.0.1"
port = {port}
user = "demo"
server_key = "sandbox/datafed-core-key.pub"
public_key = "sandbox/demo.pub"
private_key = "sandbox/demo.priv"
endpoint = "motif#demo"
"""


class Demo:
    """The steps of the demonstration, each timed and recorded as a run."""

    def __init__(
        self,
        root: Path,
        children: Children,
        *,
        scans: int = SCANS,
        samples: int = SAMPLES,
        members: int = MEMBERS,
    ) -> None:
        self.root = root
        self.seconds: dict[str, float] = {}
        self._children = children
        self._scans = scans
        self._samples = samples
        self._members = members

    def run(self) -> dict[str, Any]:
        """Run every step that has not run yet; returns counts, paths and seconds."""
        with self._step("workspace", f"Workspace at {self.root}"):
            self._workspace()
        with self._step("sandbox", "Starting a DataFed sandbox, a server of our own on loopback"):
            connection = self._sandbox()
        with self._step(
            "seed", f"Simulating {self._scans} scans, {self._samples} samples; uploading"
        ):
            self._seed(connection)
        with (
            Workspace.open(self.root) as workspace,
            recording(workspace, "demo", ["demo"]) as (counts, _),
        ):
            document = self._analyse(workspace)
            counts.update(
                records=document["records"],
                quarantined=document["quarantined"],
                networks=document["composition"]["members"],
                features=document["embedding"]["count"],
                mapped=document["projection"]["count"],
            )
        return document

    def _analyse(self, workspace: Workspace) -> dict[str, Any]:
        from motif.core.jobs.compute import client_for

        with self._step("ingest", "Pulling records and files from DataFed into Zarr"):
            self._ingest(workspace)
        with client_for(workspace.config) as client:
            with self._step("composition", "Training networks on composition and spectrum"):
                composition = self._composition(workspace, client)
            with self._step("embedding", "Computing symmetry-aware features of every scan"):
                embedding = self._embedding(workspace, client)
        with self._step("symmetry", "Checking the shipped extractor on new wallpaper patterns"):
            symmetry = self._symmetry()
        with self._step("projection", "Projecting the features to a map"):
            projection = self._projection(workspace)
        counts = workspace.counts()
        return {
            "workspace": str(self.root),
            "snapshot": workspace.store.snapshot().id,
            "records": counts["records"],
            "measurements": counts["measurements"],
            "quarantined": counts["quarantined"],
            "composition": composition,
            "symmetry": symmetry,
            "embedding": embedding,
            "projection": projection,
            "seconds": {**self.seconds, "total": round(sum(self.seconds.values()), 1)},
        }

    def _workspace(self) -> None:
        if not (self.root / "store").exists():
            Workspace.init(self.root).close()

    def _sandbox(self) -> Connection:
        """Start the server on the port of the last time, or on a free one."""
        folder = self.root / "sandbox"
        port = _free_port(_last_port(self.root))
        ready = folder / "sandbox.json"
        ready.unlink(missing_ok=True)
        user = [] if (folder / f"{USER}.priv").exists() else [
            "--user", f"{USER}:{secrets.token_urlsafe(16)}"
        ]  # fmt: skip
        argv = [
            sys.executable,
            "-m",
            "motif.core.cli.command_line",
            "sandbox",
            "serve",
            str(folder),
        ]
        argv += ["--port", str(port), "--endpoint", f"{ENDPOINT}={self.root}", *user]
        self._children.start("sandbox", argv)
        self._children.wait_for("sandbox", ready.exists)
        text = CONFIG.format(connection=CONNECTION.format(port=port))
        (self.root / FILE_NAME).write_text(text, encoding="utf-8")
        from motif.ingest.datafed.datafed_source import DataFedOptions

        source = load_config(self.root / FILE_NAME).sources["pfm"]
        checked = DataFedOptions.model_validate(source.options, context=self.root)
        return checked.connection()

    def _seed(self, connection: Connection) -> None:
        from motif.ingest.simulate.seeding import seed
        from motif.ingest.simulate.simulated_lab import write_lab

        files = write_lab(self.root / "lab", scans=self._scans, samples=self._samples, seed=SEED)
        seed(connection, files)

    def _ingest(self, workspace: Workspace) -> None:
        from motif.ingest.sync.source_sync import sync

        for name in workspace.config.sources:
            summary = sync(workspace, name)
            say(f"      {name}: {summary.new} new, {summary.unchanged} unchanged, "
                f"{summary.quarantined} in quarantine")  # fmt: skip

    def _composition(self, workspace: Workspace, client: Client) -> dict[str, Any]:
        from motif.analysis.composition.study.composition_study import train_composition
        from motif.analysis.composition.training_request import TrainingRequest

        return dict(
            train_composition(
                workspace, TrainingRequest("bivo4", members=self._members), client=client
            )
        )

    def _embedding(self, workspace: Workspace, client: Client) -> dict[str, Any]:
        from motif.analysis.symmetry.embedding.fused_embedding import embed

        return dict(embed(workspace, "pfm", client=client))

    def _symmetry(self) -> dict[str, Any]:
        from motif.analysis.symmetry.learning.network_evaluation import evaluate

        return dict(evaluate())

    def _projection(self, workspace: Workspace) -> dict[str, Any]:
        from motif.analysis.projection import project
        from motif.analysis.projection.projection_request import ProjectionRequest

        made = project(workspace, ProjectionRequest("pfm"))
        return {"projection": made.id, **made.summary}

    @contextmanager
    def _step(self, name: str, sentence: str) -> Iterator[None]:
        say(f"{sentence} ...")
        started = time.perf_counter()
        yield
        self._children.check()
        self.seconds[name] = round(time.perf_counter() - started, 1)
        say(f"      {self.seconds[name]:.1f} s")


def _last_port(root: Path) -> int:
    """Port the sandbox had when this demonstration last ran; 0 for any."""
    sources = load_config(root / FILE_NAME).sources
    return int(sources["pfm"].options.get("port", 0)) if "pfm" in sources else 0


def _free_port(wanted: int) -> int:
    """`wanted` when nothing listens there, else a port that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ChildFailedError("No port is free on 127.0.0.1; end some of the programs that listen.")
