"""Searches by a region drawn on the picture, by several, and by a file of one's own."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

TABLE = b"not a format any reader knows"


def test_a_region_is_drawn_and_taken_away(visit: Any, lab: Any) -> None:
    visit.open(f"/search?id={lab.hostile_id}")
    visit.says("results=24")
    picture = visit.page.locator(".frame")
    picture.locator("img").evaluate("image => image.decode()")
    box = picture.bounding_box()
    visit.page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.9 * box["height"], steps=4)
    visit.page.mouse.up()
    visit.page.wait_for_function("() => location.search.includes('roi=')")
    expect(visit.page.get_by_text("Compared by the region")).to_be_visible()
    visit.says("results=24")
    picture.press("Escape")
    visit.page.wait_for_function("() => !location.search.includes('roi=')")


def test_results_are_added_to_the_question(visit: Any, lab: Any) -> None:
    visit.open(f"/search?id={lab.hostile_id}")
    visit.says("results=24")
    visit.page.get_by_role("radio", name="Add it").click()
    visit.page.locator(".wall button").first.click()
    visit.page.wait_for_function("() => location.search.includes('like=')")
    expect(visit.page.get_by_text("Similar to these 2")).to_be_visible()


def test_a_file_nobody_can_read_is_refused_in_words(visit: Any) -> None:
    visit.open("/search?collection=pfm")
    visit.says("picks=60")
    file = {"name": "notes.xyz", "mimeType": "application/octet-stream", "buffer": TABLE}
    visit.page.locator('input[type="file"]').set_input_files(file)
    visit.says("search refused")
    expect(visit.page.locator(".motif-refusal")).to_be_visible()
