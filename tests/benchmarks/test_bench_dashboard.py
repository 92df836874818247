"""The dashboard in Chromium on large workspaces: first paint, filter, hover, gallery, lasso.

Wall times of a machine that does other work at the same time; its load is reported with them. The
targets therefore carry a slack, the figures do not. ``MOTIF_BENCH_POINTS=25000,1000000`` chooses
the sizes.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import big_lab
import pytest
import serving

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

SIZES = [int(n) for n in os.environ.get("MOTIF_BENCH_POINTS", "25000").split(",")]
TARGETS = {"first paint": 2.0, "filter": 0.5, "hover": 0.15, "gallery": 1.0}
"""Seconds, for 25,000 points on a machine with nothing else to do."""
BUSY = 4.0
"""Slack of the targets: cores are shared and WebGL is computed by them too."""
TRIALS = 5

DESCRIBED = "batch+%3D+%22first%22"

DEEP = """
(() => {
  const seek = (root, selector) => {
    const found = root.querySelector(selector);
    if (found) return found;
    for (const one of root.querySelectorAll("*"))
      if (one.shadowRoot) { const inner = seek(one.shadowRoot, selector); if (inner) return inner; }
    return null;
  };
  window.deep = (selector) => seek(document, selector);
  window.until = (holds) => new Promise((done, fail) => {
    const start = performance.now();
    const look = () => {
      const seconds = (performance.now() - start) / 1000;
      if (holds()) done(seconds);
      else if (seconds > 120) fail(new Error(`waited in vain for ${holds}`));
      else setTimeout(look, 4);
    };
    look();
  });
})()
"""
DRAWN = "until(() => deep('.map[data-state=\"drawn\"]'))"
FILTERED = """(() => {
  const map = deep(".map"), before = map.dataset.shown;
  deep('details[data-facet="material"] input').click();
  return until(() => deep(".map").dataset.shown !== before);
})()"""
SEEN = """until(() => {
  const image = deep(".tip img");
  return image && !deep(".tip").hidden && image.complete && image.naturalWidth;
})"""
GALLERY = """until(() => {
  const wall = deep(".wall");
  if (!wall) return false;
  const seen = (image) => image.getBoundingClientRect().top < innerHeight;
  const images = [...wall.querySelectorAll("img")].filter(seen);
  return images.length > 5 && images.every((i) => i.complete && i.naturalWidth);
})"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if serving.CHROMIUM is None:
        pytest.skip("Chromium is not installed, so no page can be looked at")
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=serving.CHROMIUM, args=serving.ARGUMENTS)


@pytest.fixture(scope="module", params=SIZES)
def big(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Number of points and address of a served workspace."""
    root = tmp_path_factory.mktemp("big") / "lab"
    big_lab.build(root, request.param)
    with serving.served(root) as url:
        yield request.param, url
    shutil.rmtree(root)


@pytest.fixture
def page(chromium: Any, big: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(300_000)
    context.add_init_script(DEEP)
    yield context.new_page()
    context.close()


def median(work: Callable[[], float], trials: int = TRIALS) -> float:
    return statistics.median(work() for _ in range(trials))


def opened(page: Any, url: str, ready: str) -> float:
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.evaluate(ready)
    return time.perf_counter() - started


def settled(page: Any) -> None:
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(300)


def judge(report: Any, points: int, figures: dict[str, float]) -> None:
    stated = {name.replace(" ", "_"): f"{value:.2f} s" for name, value in figures.items()}
    report(f"dashboard, {points:,} points, load {os.getloadavg()[0]:.1f}", **stated)
    if points <= 25_000:
        late = {n: v for n, v in figures.items() if n in TARGETS and v > BUSY * TARGETS[n]}
        assert late == {}


def test_the_map(page: Any, chromium: Any, big: Any, report: Any) -> None:
    points, url = big
    address = f"{url}/map?collection=spm"
    first = opened(page, address, DRAWN)
    again = median(lambda: opened(page, address, DRAWN), 3)
    settled(page)
    visitor = chromium.new_context(viewport={"width": 1440, "height": 900})
    visitor.add_init_script(DEEP)
    unknown = opened(visitor.new_page(), address, DRAWN)
    visitor.close()

    def filtered() -> float:
        seconds = float(page.evaluate(FILTERED))
        settled(page)
        return seconds

    filter_seconds = median(filtered)
    if "f.material" in page.url:
        filtered()
    judge(
        report, points,
        {"after the start": first, "empty cache": unknown, "first paint": again,
         "filter": filter_seconds, "hover": median(lambda: hovered(page)),
         "pan frame": panned(page), "lasso": lassoed(page)},
    )  # fmt: skip


def hovered(page: Any) -> float:
    """From the pointer's arrival over some point to its picture, the rest included."""
    box = page.locator(".map").bounding_box()
    middle = box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    for step in range(400):
        page.mouse.move(middle[0] + (7 * step) % 300 - 150, middle[1] + (13 * step) % 300 - 150)
        if page.evaluate('deep(".map").classList.contains("over")'):
            return float(page.evaluate(SEEN))
    raise AssertionError("no point was found under the pointer")


def panned(page: Any) -> float:
    """Longest of the quickest nine tenths of frames while the map is dragged."""
    box = page.locator(".map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.locator('.map button[data-mode="pan"]').click()
    page.evaluate(
        "window.frames_ = []; window.last_ = performance.now(); window.go_ = true;"
        "const tick = (t) => { frames_.push(t - last_); last_ = t;"
        " if (go_) requestAnimationFrame(tick); };"
        "requestAnimationFrame(tick);"
    )
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(30):
        page.mouse.move(x + 4 * step, y + 2 * step)
    page.mouse.up()
    page.evaluate("window.go_ = false")
    frames = sorted(page.evaluate("frames_"))
    page.keyboard.press("0")
    return float(frames[int(0.9 * (len(frames) - 1))]) / 1000


def lassoed(page: Any) -> float:
    """From the end of a lasso around half of the map to the answer of the page."""
    box = page.locator(".map").bounding_box()
    page.locator('.map button[data-mode="lasso"]').click()
    corners = [(0.1, 0.15), (0.6, 0.15), (0.6, 0.9), (0.1, 0.9)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()
    return float(
        page.evaluate(
            "until(() => { const s = document.querySelector('.motif-status');"
            " return s && /selected=[1-9]/.test(s.textContent); })"
        )
    )


def test_the_gallery(page: Any, big: Any, report: Any) -> None:
    points, url = big
    address = f"{url}/search?collection=spm&where={DESCRIBED}"
    opened(page, address, GALLERY)
    settled(page)
    page.evaluate('deep(".wall button").click()')
    page.wait_for_url("**id=*")
    settled(page)
    seconds = []
    for _ in range(3):
        chosen(page, "12", "=== 12")
        seconds.append(chosen(page, "96", "> 90"))
    judge(report, points, {"gallery": statistics.median(seconds)})


def chosen(page: Any, number: str, images: str) -> float:
    """From asking for so many results to those of their pictures that are in sight."""
    page.get_by_role("radio", name=number, exact=True).click()
    enough = f'if (!(deep(".wall").querySelectorAll("img").length {images})) return false;'
    seconds = float(page.evaluate(GALLERY.replace("const seen", enough + " const seen")))
    settled(page)
    return seconds
