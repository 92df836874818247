"""What the mouse does on the map page, the keyboard does too."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

FOCUSED = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one && (one.getAttribute("aria-label") || one.innerText || one.value || "");
}"""


def test_facets_are_chosen_with_space_and_arrows_and_keep_the_focus(visit: Any, lab: Any) -> None:
    visit.open("/map?collection=pfm")
    visit.drawn(shown=60)
    some = lab.counts['material = "PbTiO3"']
    option = visit.page.locator('details[data-facet="material"] label', has_text="PbTiO3")
    option.locator("input").focus()
    visit.page.keyboard.press("Space")
    visit.says(f"shown={some}")
    expect(option.locator("input")).to_be_focused()
    visit.page.keyboard.press("Space")
    visit.says("shown=60")
    low = visit.page.get_by_label("Acquired at, from")
    if not low.is_visible():
        visit.page.locator('details[data-facet="acquired_at"] summary').click()
    low.focus()
    visit.page.keyboard.press("ArrowRight")
    visit.page.wait_for_url("**f.acquired_at=*")
    expect(visit.page.locator(".motif-status")).not_to_contain_text("shown=60")
    expect(low).to_be_focused()


def test_tab_goes_through_the_page_and_enter_opens_a_picture(visit: Any) -> None:
    visit.open("/map?collection=pfm")
    visit.drawn(shown=60)
    met = []
    for _ in range(80):
        visit.page.keyboard.press("Tab")
        focused = visit.page.evaluate(FOCUSED)
        met.append(focused or "")
        if met[-1].startswith("scan "):
            break
    assert any("Search" in label for label in met)
    assert any("Lasso" in label for label in met)
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator(".motif-one")).to_be_visible()
    visit.page.wait_for_url("**id=*")


def test_escape_drops_the_selection(visit: Any) -> None:
    visit.open("/map?collection=pfm")
    visit.drawn(shown=60)
    visit.page.locator('.map button[data-mode="box"]').click()
    box = visit.page.locator(".map").bounding_box()
    visit.page.mouse.move(box["x"] + 60, box["y"] + 80)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 500, box["y"] + 500, steps=6)
    visit.page.mouse.up()
    expect(visit.page.locator(".motif-status")).not_to_contain_text("selected=0")
    visit.page.locator(".map").focus()
    visit.page.keyboard.press("Escape")
    visit.says("selected=0")
