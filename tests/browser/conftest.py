"""A dashboard on a small lab in a process of its own, and Chromium to look at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
import serving
import small_lab as labs

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

TIMEOUT_MS = 30_000

sync_api.expect.set_options(timeout=TIMEOUT_MS)


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
    if serving.CHROMIUM is None:
        pytest.skip("Chromium is not installed, so no page can be looked at")
    from motif.analysis.composition.study.composition_study import train_composition
    from motif.analysis.composition.training_request import TrainingRequest
    from motif.analysis.symmetry.embedding.fused_embedding import embed

    root = tmp_path_factory.mktemp("browser") / "lab"
    with labs.build(root) as workspace:
        labs.add_library(workspace)
        embed(workspace, "pfm", extractor="analytic")
        train_composition(workspace, TrainingRequest("library", members=2, folds=0))
        rows = workspace.select("pfm")
        hostile_id = next(row.id for row in rows if row.title == labs.HOSTILE)
        other_id = next(row.id for row in rows if row.title == "scan 0004")
        questions = ('material = "PbTiO3"', "scan_size <= 1 um")
        counts = {text: len(workspace.select("pfm", text)) for text in questions}
    with serving.served(root) as url:
        yield Lab(url, labs.HOSTILE, hostile_id, other_id, counts)


@pytest.fixture(scope="session")
def served() -> type[serving.served]:
    """``with served(root) as url``: the server of another workspace."""
    return serving.served


@pytest.fixture(scope="session")
def small_lab() -> ModuleType:
    """The module that builds small workspaces."""
    return labs


@pytest.fixture(scope="session")
def port() -> int:
    """A port nobody listens on, for a server whose address has to be known before."""
    return serving.free_port()


@pytest.fixture(scope="session")
def chromium(lab: Lab) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=serving.CHROMIUM, args=serving.ARGUMENTS
        )
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
