"""One measurement: its axes, the profile of a line, its nearest, where it comes from."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect


def test_a_line_is_drawn_and_its_profile_shown(visit: Any, lab: Any) -> None:
    visit.open(f"/measurement?id={lab.hostile_id}")
    picture = visit.page.locator(".picture")
    picture.locator("img").evaluate("image => image.decode()")
    expect(visit.page.locator(".scan .below span")).not_to_have_count(0)
    expect(visit.page.locator(".scan .below em")).to_have_text("x (µm)")
    box = picture.bounding_box()
    visit.page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.6 * box["height"], steps=4)
    visit.page.mouse.up()
    visit.page.wait_for_function("() => location.search.includes('line=')")
    expect(visit.page.get_by_test_id("stPlotlyChart")).to_be_visible()
    expect(visit.page.get_by_text(re.compile(r"nm long, from"))).to_be_visible()
    with_line = visit.page.url
    picture.press("Escape")
    visit.page.wait_for_function("() => !location.search.includes('line=')")
    expect(visit.page.get_by_test_id("stPlotlyChart")).to_have_count(0)
    visit.open(with_line.removeprefix(visit.url))
    expect(visit.page.get_by_test_id("stPlotlyChart")).to_be_visible()


def test_a_line_is_drawn_with_the_keyboard(visit: Any, lab: Any) -> None:
    visit.open(f"/measurement?id={lab.hostile_id}")
    picture = visit.page.locator(".picture")
    picture.focus()
    picture.press("ArrowDown")
    picture.press("Shift+ArrowUp")
    picture.press("Enter")
    visit.page.wait_for_function("() => location.search.includes('line=0.000%2C0.520%2C1.000')")
    expect(visit.page.get_by_test_id("stPlotlyChart")).to_be_visible()


def test_it_leads_to_its_nearest_and_to_its_record(visit: Any, lab: Any) -> None:
    visit.open(f"/measurement?id={lab.hostile_id}")
    graph = visit.page.locator(".graph")
    expect(graph.locator(".node.here b")).to_have_text(lab.hostile)
    expect(graph.locator(".node")).not_to_have_count(0)
    expect(graph.locator("svg path").first).to_have_attribute("d", re.compile("^M"))
    assert visit.page.locator("img[src='x']").count() == 0
    nearest = visit.page.get_by_text("by features; a click opens one")
    expect(nearest).to_be_visible()
    visit.page.locator(".wall button", has_text="scan ").first.click()
    visit.page.wait_for_function("id => !location.search.includes(id)", arg=lab.hostile_id)
