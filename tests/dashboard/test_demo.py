"""``motif demo`` and ``motif serve`` as processes: what they print, reuse and end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

SMALL = """
import json, sys
from pathlib import Path
from motif.dashboard.server.supervisor import Children, ended_by_signals
from motif.dashboard.demo import Demo
if __name__ == "__main__":
    root = Path(sys.argv[1])
    with ended_by_signals(), Children(root / "logs") as children:
        document = Demo(root, children, scans=24, samples=160, members=2).run()
    print(json.dumps(document))
"""


def demo(root: Path, tmp_path: Path) -> dict[str, Any]:
    script = tmp_path / "small_demo.py"
    script.write_text(SMALL)
    done = subprocess.run(
        [sys.executable, str(script), str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("demo")
    return folder / "lab", demo(folder / "lab", folder)


def test_the_document_tells_counts_and_figures(finished: tuple[Path, dict[str, Any]]) -> None:
    _, document = finished
    assert document["records"] == 25
    assert document["measurements"] == {"image": 24, "spectrum": 160}
    assert document["quarantined"] == 3
    assert document["composition"]["members"] == 2
    assert -1 < document["composition"]["r2"] < 1
    assert -1 <= document["composition"]["gradient_cosine"] <= 1
    assert document["symmetry"]["accuracy_17"] > 0.9
    assert document["embedding"]["count"] == 24
    assert document["projection"]["count"] == 24
    assert {"sandbox", "seed", "ingest", "composition", "embedding", "projection", "total"} <= set(
        document["seconds"]
    )


def test_it_leaves_no_process_behind(finished: tuple[Path, dict[str, Any]]) -> None:
    root, _ = finished
    left = [p.cmdline() for p in psutil.process_iter() if str(root) in " ".join(_cmdline(p))]
    assert left == []


def _cmdline(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def test_a_second_demo_reuses_what_is_there(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    root, first = finished
    again = demo(root, tmp_path)
    assert again["records"] == first["records"]
    assert again["embedding"]["new"] == 0
    assert again["composition"]["trained"] == 0
    assert again["projection"]["projection"] == first["projection"]["projection"]


def test_serve_runs_dashboard_and_scheduler_until_it_is_ended(
    finished: tuple[Path, dict[str, Any]],
) -> None:
    root, _ = finished
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            sys.executable, "-m", "motif.core.cli.command_line", "serve", "-w", str(root),
            "--port", str(port),
        ],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert f"http://127.0.0.1:{port}" in process.stderr.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as reply:
            assert reply.status == 200
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        deadline = time.monotonic() + 10
        while any(child.is_running() for child in children) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(child.is_running() for child in children)
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
