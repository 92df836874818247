"""Models: cards, measured on one's own images while one waits, side by side, one in use."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect


def test_a_model_is_measured_on_ones_own_images(visit: Any) -> None:
    visit.open("/models")
    visit.says("models n=")
    expect(visit.page.get_by_text("in use")).to_have_count(1)
    visit.page.get_by_role("button", name="Measure on pfm").first.click()
    expect(visit.page.get_by_text(re.compile(r"motif models measure pfm"))).to_be_visible()
    expect(visit.page.get_by_text("quarter turn").first).to_be_visible(timeout=240_000)


def test_models_are_compared_side_by_side_by_link(visit: Any) -> None:
    visit.open("/models")
    boxes = visit.page.get_by_role("checkbox", name="Compare")
    visit.page.get_by_text("Compare", exact=True).nth(0).click()
    visit.page.wait_for_function("() => location.search.includes('model=')")
    visit.says("compared=1")
    visit.page.get_by_text("Compare", exact=True).nth(1).click()
    visit.says("compared=2")
    expect(visit.page.get_by_text("Side by side")).to_be_visible()
    address = visit.page.url
    visit.open(address.removeprefix(visit.url))
    visit.says("compared=2")
    expect(boxes.first).to_be_checked()


def test_another_model_is_put_to_use(visit: Any) -> None:
    visit.open("/models")
    free = visit.page.get_by_role("button", name="Use it").and_(
        visit.page.locator("button:not([disabled])")
    )
    expect(free).not_to_have_count(0)
    free.first.click()
    used = visit.page.locator(".motif-collection", has_text="in use").locator("b")
    expect(used).to_have_text(["analytic"])
