"""The map in a real browser: draw, filter, lasso, hover, click, legend, back button."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import expect


def box_of(visit: Any) -> Any:
    return visit.page.locator(".map").bounding_box()


def drag_lasso(visit: Any, corners: list[tuple[float, float]]) -> None:
    """Draw with the mouse through corners given as shares of the map's width and height."""
    box = box_of(visit)
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    visit.page.locator('.map button[data-mode="lasso"]').click()
    visit.page.mouse.move(*places[0])
    visit.page.mouse.down()
    for place in places[1:]:
        visit.page.mouse.move(*place, steps=8)
    visit.page.mouse.up()


def point_on_screen(visit: Any) -> tuple[float, float]:
    """Some shown point: the centre of the canvas's first strongly coloured pixel."""
    shot = visit.page.locator(".map").screenshot()
    pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    spread[:60], spread[:, int(0.7 * spread.shape[1]) :] = 0, 0
    rows, columns = np.nonzero(spread > 110)
    assert len(rows) > 100, "no coloured points were drawn"
    box = box_of(visit)
    return box["x"] + float(columns[0]), box["y"] + float(rows[0]) + 2


def test_a_filter_a_lasso_and_the_way_back(visit: Any, lab: Any) -> None:
    visit.open("/map?collection=pfm")
    visit.drawn(shown=60)
    visit.says("shown=60")
    some = lab.counts['material = "PbTiO3"']
    visit.page.locator('details[data-facet="material"] label', has_text="PbTiO3").click()
    visit.says(f"shown={some}")
    visit.drawn(shown=some)
    assert "f.material=PbTiO3" in visit.page.url
    drag_lasso(visit, [(0.02, 0.12), (0.7, 0.12), (0.7, 0.95), (0.02, 0.95)])
    visit.says("selected=")
    expect(visit.page.locator(".motif-status")).not_to_contain_text("selected=0")
    # What the browser counts inside the lasso is what Python counts.
    inside = re.search(r"selected=(\d+)", visit.page.locator(".motif-status").inner_text())
    assert inside is not None
    visit.drawn(selected=int(inside[1]))
    with_lasso = visit.page.url
    visit.page.go_back()
    visit.says(f"shown={some} selected=0")
    visit.page.go_back()
    visit.says("shown=60 selected=0")
    visit.open(with_lasso.removeprefix(visit.url))
    visit.says(f"shown={some} selected={inside[1]}")


def test_resting_on_a_point_shows_it_and_a_click_opens_it(visit: Any) -> None:
    visit.open("/map?collection=pfm")
    visit.drawn(shown=60)
    visit.page.mouse.move(*point_on_screen(visit))
    card = visit.page.locator(".tip")
    expect(card.locator("b")).to_have_text(re.compile("scan|<img"))
    expect(card.locator("span", has_text="simulated")).to_have_count(1)
    loaded = "image => image.complete && image.naturalWidth"
    assert card.locator("img").evaluate(f"image => image.decode().then(() => ({loaded})(image))")
    visit.page.mouse.down()
    visit.page.mouse.up()
    expect(visit.page.locator(".motif-one")).to_be_visible()
    assert re.search(r"[?&]id=[0-9a-f]{32}", visit.page.url)


def test_a_legend_entry_switches_its_points_off_and_on(visit: Any, lab: Any) -> None:
    visit.open("/map?collection=pfm&colour=material")
    visit.drawn(shown=60)
    rest = 60 - lab.counts['material = "PbTiO3"']
    entry = visit.page.locator(".legend button", has_text="PbTiO3")
    entry.click()
    visit.says(f"shown={rest}")
    visit.drawn(shown=rest)
    expect(entry).to_have_attribute("aria-pressed", "false")
    assert "hide=PbTiO3" in visit.page.url
    entry.click()
    visit.says("shown=60")


def test_the_keyboard_moves_and_zooms_the_map(visit: Any) -> None:
    visit.open("/map?collection=pfm")
    visit.drawn(shown=60)
    canvas = visit.page.locator(".map")
    before = canvas.screenshot()
    canvas.focus()
    visit.page.keyboard.press("+")
    visit.page.wait_for_timeout(400)  # the map settles by a timer of its own
    assert canvas.screenshot() != before


def test_the_dark_theme_reaches_the_map(chromium: Any, lab: Any) -> None:
    page = chromium.new_page(color_scheme="dark", viewport={"width": 1440, "height": 900})
    page.goto(f"{lab.url}/map?collection=pfm")
    page.locator('.map[data-state="drawn"]').wait_for()
    pixels = np.asarray(Image.open(io.BytesIO(page.locator(".map").screenshot())).convert("L"))
    page.close()
    assert np.median(pixels) < 60
