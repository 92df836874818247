"""Search, composition, jobs and the rest in a real browser; hostile metadata stay text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect


def test_search_from_pick_to_ranked_answers(visit: Any) -> None:
    visit.open("/search?collection=pfm")
    visit.says("picks=60")
    visit.page.locator(".wall button").nth(5).click()
    visit.says("results=24 of=60")
    badges = visit.page.locator(".wall em").all_inner_texts()
    distances = [float(text.split("·")[1]) for text in badges]
    assert distances == sorted(distances)
    first = visit.page.url
    visit.page.locator(".wall button").first.click()
    visit.page.wait_for_function("before => location.href !== before", arg=first)
    visit.says("results=24")
    visit.page.get_by_role("radio", name="12").click()
    visit.says("results=12")
    assert "k=12" in visit.page.url


def test_search_keeps_to_the_filter_carried_from_the_map(visit: Any, lab: Any) -> None:
    visit.open("/map?collection=pfm&f.material=PbTiO3")
    visit.drawn()
    visit.page.get_by_test_id("stSidebar").get_by_role("link", name="Search").click()
    some = lab.counts['material = "PbTiO3"']
    visit.says(f"picks={some}")
    assert "f.material=PbTiO3" in visit.page.url


def test_composition_draws_arrows_and_opens_a_sample(visit: Any) -> None:
    visit.open("/composition")
    visit.says("samples=60 shown=60")
    chart = visit.page.get_by_test_id("stPlotlyChart")
    expect(chart).to_have_count(2)
    expect(chart.first.locator(".scatterlayer .point").nth(30)).to_be_attached()
    expect(visit.page.get_by_text("It would rise with")).to_be_visible()
    visit.page.get_by_role("tab", name="Elements").click()
    expect(visit.page.get_by_text("Pearson coefficient")).to_be_visible()
    visit.page.get_by_role("tab", name="First layer").click()
    expect(visit.page.get_by_text("The order of the units")).to_be_visible()


def test_composition_picks_the_sample_that_is_clicked(visit: Any) -> None:
    visit.open("/composition")
    points = visit.page.get_by_test_id("stPlotlyChart").first.locator(".scatterlayer .point")
    expect(points.nth(30)).to_be_attached()
    # Points are drawn over one another, so the click goes where the mouse would.
    box = points.nth(30).bounding_box()
    visit.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visit.page.wait_for_function("() => /[?&]id=[0-9a-f]{32}/.test(location.href)")
    visit.says("samples=60")


@pytest.mark.parametrize(
    "path",
    [
        "/", "/map?collection=pfm&id={id}", "/map?collection=pfm&f.purpose={hostile}",
        "/search?collection=pfm", "/search?id={id}", "/measurement?id={id}", "/jobs",
        "/composition?collection=library", "/models", "/map?collection=pfm&pictures=on",
        "/search?collection=pfm&id={id}&why={other}", "/compare?like={id}&like={other}",
    ],
)  # fmt: skip
def test_a_hostile_title_does_nothing(visit: Any, lab: Any, path: str) -> None:
    from urllib.parse import quote

    hostile = quote(lab.hostile)
    visit.open(path.format(id=lab.hostile_id, other=lab.other_id, hostile=hostile))
    if "/map" in path:
        visit.drawn()
    assert visit.page.evaluate("window.hacked") is None
    assert visit.page.locator("img[src='x']").count() == 0
    assert not [url for url in visit.requests if url.endswith("/x")]
    if "{id}" in path:
        expect(visit.page.get_by_text(lab.hostile).first).to_be_attached()


def test_a_measurement_shows_its_channels_and_finds_words_in_its_header(
    visit: Any, lab: Any
) -> None:
    visit.open(f"/measurement?id={lab.hostile_id}")
    visit.page.locator(".wall button", has_text="Height").click()
    visit.page.wait_for_function("() => location.search.includes('channel=0')")
    expect(visit.page.locator(".picture img")).to_have_attribute("src", re.compile("channel=0"))
    visit.page.get_by_label("Search the header").fill("ScanSize")
    visit.page.keyboard.press("Enter")
    visit.says(lab.hostile_id)


def test_jobs_say_why_a_file_could_not_be_read(visit: Any) -> None:
    visit.open("/jobs")
    visit.says("quarantined=1")
    expect(visit.page.get_by_text("The file ends after 1 byte").first).to_be_visible()


def test_pictures_are_asked_for_once(visit: Any) -> None:
    visit.open("/search?collection=pfm")
    visit.says("picks=60")
    first = visit.page.locator(".wall img").first
    first.evaluate("image => image.decode()")
    source = first.get_attribute("src")
    caching = visit.page.evaluate(
        "url => fetch(url).then(reply => reply.headers.get('cache-control'))", source
    )
    assert "immutable" in caching
