"""A dashboard in a process of its own, and the Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--enable-unsafe-swiftshader",
]  # fmt: skip


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class served:  # noqa: N801 - used as a function
    """The server of a workspace, from its first answer to its end."""

    def __init__(self, root: Path, port: int | None = None, **environment: str) -> None:
        from motif.dashboard.server.server_process import command

        self._port = port or free_port()
        self._log = root.parent / "server.log"
        with self._log.open("w") as log:
            self._child = subprocess.Popen(
                command(root, port=self._port), stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            )  # fmt: skip

    def __enter__(self) -> str:
        url = f"http://127.0.0.1:{self._port}"
        for _ in range(600):
            if self._child.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5)
                return url
            except OSError:
                time.sleep(0.1)
        self._child.kill()
        pytest.fail(f"the dashboard did not start: {self._log.read_text()[-2000:]}")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process."""
        return self._child

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            self._child.kill()
