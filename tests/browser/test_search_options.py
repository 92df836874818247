"""Options of a search, the warning of a confounder, and the explanation of a result."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect


def test_options_exclude_results_and_stay_in_the_address(visit: Any, lab: Any) -> None:
    visit.open(f"/search?collection=pfm&id={lab.hostile_id}")
    visit.says("results=24")
    visit.page.get_by_role("button", name="Options").click()
    box = visit.page.get_by_role("combobox", name="Known to differ in")
    box.click()
    visit.page.get_by_role("option", name="material").click()
    visit.page.wait_for_function("() => location.search.includes('different=material')")
    visit.says("search results=")
    visit.open(f"/search?collection=pfm&id={lab.hostile_id}&different=material&diversity=0.5")
    visit.says("results=24")
    expect(visit.page.get_by_role("button", name="Options (2)")).to_be_visible()
    own = visit.page.locator(".wall button", has_text="PbTiO3")
    expect(own).to_have_count(0)


def test_pictures_are_compared_as_such(visit: Any, lab: Any) -> None:
    visit.open(f"/search?collection=pfm&id={lab.hostile_id}&up_to=rotation&k=12")
    visit.says("results=12")
    badges = visit.page.locator(".wall em").all_inner_texts()
    found = [float(text.partition("r ")[2]) for text in badges]
    assert found == sorted(found, reverse=True)


def test_an_option_the_question_cannot_answer_is_refused_in_words(visit: Any, lab: Any) -> None:
    visit.open(f"/search?collection=pfm&id={lab.hostile_id}&not_same=sample")
    visit.says("search refused")
    expect(visit.page.locator(".motif-refusal")).to_contain_text("sample")


def test_a_result_is_explained(visit: Any, lab: Any) -> None:
    visit.open(f"/search?collection=pfm&id={lab.hostile_id}")
    visit.says("results=24")
    visit.page.get_by_role("radio", name="Explain").click()
    visit.page.locator(".wall button").first.click()
    visit.page.wait_for_function("() => location.search.includes('why=')")
    panel = visit.page.locator(".why")
    expect(panel.locator("img")).to_have_count(2)
    expect(panel.locator("canvas")).to_have_count(2)
    expect(panel.locator("figcaption").first).to_have_text(lab.hostile)
    expect(visit.page.get_by_text(re.compile(r"^(In common|Different): "))).to_be_visible()
    panel.get_by_label("Images without overlay").check()
    expect(panel.locator("canvas").first).to_be_hidden()
    visit.page.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)
    assert "why=" not in visit.page.url
