"""Uploading the simulated lab."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from motif.core.errors import SourceError
from motif.core.testing.source_tests import Memory, fetched
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.datafed_source import DataFedSource
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox
from motif.ingest.simulate.seeding import LAB, seed
from motif.ingest.simulate.simulated_lab import SimulatedFile


@pytest.fixture
def files(tmp_path: Path) -> list[SimulatedFile]:
    made = []
    for i in range(40):
        path = tmp_path / "lab" / f"scan_{i:03}.ibw"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes([i]) * (500 + i))
        made.append(SimulatedFile(path, f"Scan {i % 5}", {"n": i, "bias": float("nan")}, "PFM"))
    library = tmp_path / "lab" / "library.csv"
    library.write_text("Sample,Bi,V,P\n")
    return [*made, SimulatedFile(library, "Library", {"elements": ["Bi"]}, "BiVO4 library")]


def listed(connection: Connection, folder: Path) -> dict[str, bytes]:
    """Uploaded bytes by file name, as a workspace would get them."""
    source = DataFedSource("lab", connection, "motif-simulated-lab")
    assets = Memory(source).look()[1]
    contents = fetched(source, assets, folder)
    source.close()
    assert len({asset.file_name for asset in assets}) == len(assets)
    assert all(asset.metadata["simulated"] is True for asset in assets)
    assert all(asset.metadata["upload"]["size"] == asset.size for asset in assets)
    return {asset.file_name: contents[asset.native_id] for asset in assets}


def test_everything_is_uploaded_once(
    connection: Connection, files: list[SimulatedFile], tmp_path: Path
) -> None:
    done = seed(connection, files)
    assert (done["records"], done["created"], done["uploaded"]) == (41, 41, 41)
    assert done["bytes"] == sum(file.path.stat().st_size for file in files)
    assert set(done["collections"]) == {"PFM", "BiVO4 library"}
    with DataFed(connection) as client:
        assert client.collection("motif-simulated-lab")["title"] == LAB
        assert (
            client.collection("motif-bivo4-library")["id"] == (done["collections"]["BiVO4 library"])
        )
    again = seed(connection, files)
    assert (again["records"], again["created"], again["uploaded"]) == (41, 0, 0)
    assert listed(connection, tmp_path / "in") == {
        file.path.name: file.path.read_bytes() for file in files
    }


def test_what_failed_is_uploaded_the_next_time(
    sandbox: Sandbox, connection: Connection, files: list[SimulatedFile], tmp_path: Path
) -> None:
    sandbox.faults.fail_transfer("no space left")
    with pytest.raises(SourceError, match=r"1 of 40 files .* no space left"):
        seed(connection, files)
    assert seed(connection, files)["records"] == 41
    assert seed(connection, files)["uploaded"] == 0
    assert len(listed(connection, tmp_path / "in")) == 41


CHILD = """
import sys
from pathlib import Path
from motif.ingest.datafed.connection import Connection
from motif.ingest.simulate.seeding import seed
from motif.ingest.simulate.simulated_lab import SimulatedFile

port, sandbox, lab = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
keys = [sandbox / name for name in ("datafed-core-key.pub", "ann.pub", "ann.priv")]
connection = Connection("127.0.0.1", port, *keys, endpoint="motif#disk")
files = [SimulatedFile(path, path.stem, {}, "PFM") for path in sorted(lab.glob("*.ibw"))]
seed(connection, files)
"""


def test_a_killed_upload_is_completed(
    sandbox: Sandbox, connection: Connection, files: list[SimulatedFile], tmp_path: Path
) -> None:
    sandbox.faults.transfer_delay = 0.05
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            CHILD,
            str(connection.port),
            str(sandbox.folder),
            str(tmp_path / "lab"),
        ]
    )
    arrived = 0
    while arrived < 5 and child.poll() is None:
        time.sleep(0.02)
        arrived = sum(path.is_file() for path in (sandbox.folder / "repo").rglob("*"))
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    sandbox.faults.transfer_delay = 0.0
    scans = [SimulatedFile(f.path, f.path.stem, {}, "PFM") for f in files[:-1]]
    done = seed(connection, scans)
    assert done["created"] == 0
    assert 0 < done["uploaded"] < 40
    assert len(listed(connection, tmp_path / "in")) == 40
