"""A dashboard on a small lab in a process of its own, and Chromium to look at it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--enable-unsafe-swiftshader",
]  # fmt: skip
TIMEOUT_MS = 30_000

sync_api.expect.set_options(timeout=TIMEOUT_MS)


def _small_lab() -> ModuleType:
    path = Path(__file__).parents[1] / "dashboard" / "small_lab.py"
    spec = importlib.util.spec_from_file_location("small_lab", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["small_lab"] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Lab:
    """A workspace that is served, and what is known of it."""

    url: str
    hostile: str
    """A title that would be an attack if it were not text."""
    hostile_id: str
    other_id: str
    """Some other image."""
    counts: dict[str, int]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Sixty images with features and a map, a library with a study; served on loopback."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed, so no page can be looked at")
    from motif.analysis.composition.study import train_composition
    from motif.analysis.symmetry.embed import embed

    small_lab = _small_lab()
    root = tmp_path_factory.mktemp("browser") / "lab"
    with small_lab.build(root) as workspace:
        small_lab.add_library(workspace)
        embed(workspace, "pfm", extractor="analytic")
        train_composition(workspace, "library", members=2, folds=0)
        rows = workspace.select("pfm")
        hostile_id = next(row.id for row in rows if row.title == small_lab.HOSTILE)
        other_id = next(row.id for row in rows if row.title == "scan 0004")
        questions = ('material = "PbTiO3"', "scan_size <= 1 um")
        counts = {text: len(workspace.select("pfm", text)) for text in questions}
    with _served(root) as url:
        yield Lab(url, small_lab.HOSTILE, hostile_id, other_id, counts)


@pytest.fixture(scope="session")
def served() -> type[_served]:
    """``with served(root) as url``: the server of another workspace."""
    return _served


@pytest.fixture(scope="session")
def small_lab() -> ModuleType:
    """The module that builds small workspaces."""
    return _small_lab()


@pytest.fixture(scope="session")
def port() -> int:
    """A port nobody listens on, for a server whose address has to be known before."""
    return free_port()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _served:  # noqa: N801 - used as a function
    """The server of a workspace, from its first answer to its end."""

    def __init__(self, root: Path, port: int | None = None, **environment: str) -> None:
        from motif.dashboard.serve import command

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


@pytest.fixture(scope="session")
def chromium(lab: Lab) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page in a fresh browser context, with what went wrong in it."""

    page: Any
    url: str
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)
        self.page.locator(".motif-status").wait_for(state="attached")

    def says(self, text: str) -> None:
        """Wait until the page's status line holds `text`."""
        sync_api.expect(self.page.locator(".motif-status")).to_contain_text(text)

    def drawn(self, **attributes: int) -> None:
        """Wait until the map is drawn, with these data attributes."""
        shown = self.page.locator('.map[data-state="drawn"]')
        sync_api.expect(shown).to_have_count(1)
        for name, value in attributes.items():
            sync_api.expect(shown).to_have_attribute(f"data-{name}", str(value))


@pytest.fixture
def visit(chromium: Any, lab: Lab) -> Iterator[Visit]:
    """A visitor; afterwards: no error on any page and no request to another server."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    made = Visit(page, lab.url)
    page.on("request", lambda request: made.requests.append(request.url))
    page.on("pageerror", lambda error: made.errors.append(str(error)))
    yield made
    allowed = (lab.url, lab.url.replace("http", "ws"), "data:", "blob:")
    context.close()
    assert [url for url in made.requests if not url.startswith(allowed)] == []
    assert made.errors == []
