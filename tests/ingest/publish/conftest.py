"""A sandbox, a workspace with one DataFed source on it, and some measurements in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from motif.core.workspace import Workspace
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.publish.destination import Destination, datafed_options, open_destination
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox
from motif.ingest.simulate.ibw_writer import write_ibw

ENDPOINT = "motif#disk"


def scan_file(path: Path, seed: int, note: list[tuple[str, str]] | None = None) -> None:
    rng = np.random.default_rng(seed)
    planes = {name: rng.normal(size=(8, 8)).astype(np.float32) for name in ("HeightRetrace",)}
    default = [("ScanSize", "2e-06"), ("ImagingMode", "PFM Mode")]
    write_ibw(path, planes, size=(2e-6, 2e-6), note=note or default)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(
        tmp_path / "sandbox", port=0, endpoints={ENDPOINT: tmp_path}, users=["ann:secret"]
    ) as running:
        yield running


@pytest.fixture
def workspace(sandbox: Sandbox, tmp_path: Path) -> Iterator[Workspace]:
    folder = sandbox.folder
    Workspace.init(tmp_path / "lab").close()
    (tmp_path / "lab" / "motif.toml").write_text(f"""
[sources.pfm]
kind = "datafed"
collection = "scans"
into = "pfm"
host = "127.0.0.1"
port = {sandbox.port}
server_key = "{folder}/datafed-core-key.pub"
public_key = "{folder}/ann.pub"
private_key = "{folder}/ann.priv"
endpoint = "{ENDPOINT}"
timeout = 5.0
""")
    connection = replace(
        Connection.from_client_options(sandbox.client_options("ann"), "ann"), timeout=5.0
    )
    with DataFed(connection) as client:
        client.ensure_collection(["scans"], aliases=["scans"])
    with Workspace.open(tmp_path / "lab") as opened:
        yield opened


@pytest.fixture
def target(workspace: Workspace) -> Iterator[Destination]:
    options = datafed_options(workspace, "pfm")
    with DataFed(options.connection()) as client:
        yield open_destination(client, options)


@pytest.fixture
def write_scan() -> Callable[..., None]:
    return scan_file


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "2021-10"
    (folder / "night").mkdir(parents=True)
    for number in range(4):
        scan_file(folder / f"scan{number}.ibw", number)
    scan_file(folder / "night" / "scan4.ibw", 4)
    return folder
