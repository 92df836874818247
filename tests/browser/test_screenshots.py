"""Pictures of every page for the guide: ``pytest -m screenshots tests/browser``.

They show the demonstration lab, which takes minutes to make; ``MOTIF_SCREENSHOTS`` names one that
is there already. Each is written to ``docs/screenshots`` as a PNG of few colours.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from motif.core.workspace import Workspace

pytestmark = [pytest.mark.screenshots, pytest.mark.timeout(1200)]

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
LARGEST = 150_000
"""Bytes of one picture."""
WIDTH, HEIGHT = 1280, 720

PAGES = {
    "overview": "/",
    "map": "/map?collection=pfm",
    "map-filtered": "/map?collection=pfm&where=scan_size+%3E+1+um&id={id}",
    "search": "/search?collection=pfm&id={id}",
    "measurement": "/measurement?id={id}",
    "compare": "/compare?like={id}&like={other}&like={third}",
    "composition": "/composition",
    "models": "/models",
    "jobs": "/jobs",
}


@dataclass(frozen=True)
class Shown:
    """The demonstration as it is served."""

    url: str
    ids: dict[str, str]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, served: Any) -> Iterator[Shown]:
    root = Path(os.environ.get("MOTIF_SCREENSHOTS") or tmp_path_factory.mktemp("demo") / "lab")
    if not root.exists():
        from motif.dashboard.demo import Demo
        from motif.dashboard.server.supervisor import Children

        with Children(root / "logs") as children:
            Demo(root, children).run()
    with Workspace.open(root) as workspace:
        ids = [row.id for row in workspace.select("pfm", kind="image")]
    with served(root) as url:
        yield Shown(url, dict(zip(("id", "other", "third"), ids[40:160:50], strict=False)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_picture(chromium: Any, shown: Shown, name: str, scheme: str) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": WIDTH, "height": HEIGHT})
    context.set_default_timeout(90_000)
    page = context.new_page()
    page.goto(shown.url + PAGES[name].format(**shown.ids))
    page.locator(".motif-status").wait_for(state="attached")
    if name.startswith("map"):
        page.locator('.map[data-state="drawn"]').wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)  # charts draw themselves after the page stands
    picture = smaller(page.screenshot())
    context.close()
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}-{scheme}.png").write_bytes(picture)
    assert len(picture) <= LARGEST


def smaller(shot: bytes) -> bytes:
    """The picture with as many colours as its size allows; rare ones (a legend's) are kept too."""
    whole = Image.open(io.BytesIO(shot)).convert("RGB")
    for colours in (256, 128, 64, 32):
        held = io.BytesIO()
        few = whole.quantize(
            colours, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE
        )
        few.save(held, "PNG", optimize=True)
        if held.tell() <= LARGEST:
            break
    return held.getvalue()
