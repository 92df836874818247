"""Representatives drawn on the map, and the map by keyboard."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from motif.dashboard.components import component_assets

SETUP = """
  let seed = 5;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const n = 3000, places = Array.from({ length: n }, () => [900 * random(), 600 * random()]);
"""


def run(chromium: Any, body: str) -> Any:
    page = chromium.new_page()
    try:
        return page.evaluate(
            f"() => {{ {component_assets.text('map_view/pictures.js')} {SETUP} {body} }}"
        )
    finally:
        page.close()


def test_no_picture_lies_over_another_and_gaps_are_filled(chromium: Any) -> None:
    found = run(
        chromium,
        """
        const odd = (i) => i % 2 === 1;
        const chosen = representatives(n, (i) => places[i], odd, [900, 600]);
        let over = 0, free = 0;
        for (const a of chosen) for (const b of chosen)
          if (a < b && Math.max(Math.abs(places[a][0] - places[b][0]),
                                Math.abs(places[a][1] - places[b][1])) < MIN_DISTANCE) over++;
        for (let i = 1; i < n; i += 2) {
          const [x, y] = places[i];
          if (x < 30 || y < 30 || x > 870 || y > 570) continue;
          if (chosen.every((c) => Math.max(Math.abs(places[c][0] - x),
                                           Math.abs(places[c][1] - y)) >= MIN_DISTANCE)) free++;
        }
        return [chosen.length, over, free, chosen.every(odd)];
        """,
    )
    count, over, free, eligible = found
    assert 20 < count <= 70
    assert over == 0
    assert free == 0
    assert eligible


def test_pictures_are_drawn_on_request_and_kept_in_the_address(visit: Any, lab: Any) -> None:
    visit.open("/map?collection=pfm")
    visit.drawn(shown=60)
    pictures = visit.page.locator(".pictures img")
    expect(pictures).to_have_count(0)
    button = visit.page.get_by_role("button", name="Pictures", exact=True)
    button.click()
    expect(pictures).not_to_have_count(0)
    visit.page.wait_for_function("() => location.search.includes('pictures=on')")
    expect(button).to_have_attribute("aria-pressed", "true")
    image = pictures.first
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    box = image.bounding_box()
    visit.page.mouse.click(box["x"] + 50, box["y"] + 8)
    visit.page.wait_for_function("() => /[?&]id=[0-9a-f]{32}/.test(location.search)")
    address = visit.page.url
    visit.open(address.removeprefix(visit.url))
    expect(pictures).not_to_have_count(0)
    some = lab.counts['material = "PbTiO3"']
    visit.open("/map?collection=pfm&pictures=on&f.material=PbTiO3")
    visit.drawn(shown=some)
    everything = visit.page.locator(".map").get_attribute("data-pictures")
    assert 0 < int(everything) <= some


def test_a_point_is_looked_at_and_opened_with_the_keyboard(visit: Any) -> None:
    visit.open("/map?collection=pfm")
    visit.drawn(shown=60)
    canvas = visit.page.locator(".map")
    canvas.focus()
    canvas.press("Enter")
    expect(visit.page.locator(".tip b")).to_have_text(re.compile("scan|<img"))
    canvas.press("Enter")
    visit.page.wait_for_function("() => /[?&]id=[0-9a-f]{32}/.test(location.search)")


def test_a_map_being_made_is_cancelled_and_the_next_one_is_made(visit: Any, lab: Any) -> None:
    some = 60 - lab.counts['material = "PbTiO3"']
    visit.open("/map?collection=pfm&where=material+%21%3D+%22PbTiO3%22")
    visit.drawn(shown=some)
    make = visit.page.get_by_role("button", name=f"New map of these {some}")
    make.click()
    visit.page.locator(".st-key-map-progress").get_by_role("button", name="Cancel").click()
    expect(make).to_be_visible()
    make.click()
    visit.page.wait_for_function(
        "() => /[?&]map=[0-9a-f]{32}/.test(location.href)", timeout=240_000
    )
    visit.says(f"map n={some} shown={some}")


def test_the_map_is_saved_as_a_figure(visit: Any, lab: Any) -> None:
    from pathlib import Path

    some = lab.counts['material = "PbTiO3"']
    visit.open("/map?collection=pfm&colour=material&f.material=PbTiO3")
    visit.drawn(shown=some)
    visit.page.get_by_role("button", name="Export").click()
    beginnings = {"SVG": b"<?xml", "PDF": b"%PDF-1.4", "PNG": b"\x89PNG"}
    for name, beginning in beginnings.items():
        with visit.page.expect_download() as download:
            visit.page.get_by_role("button", name=name, exact=True).click()
        data = Path(download.value.path()).read_bytes()
        assert data.startswith(beginning), name
        if name == "SVG":
            text = data.decode()
            assert text.count("<use ") == 60 + 1  # a dot for each point, and one in the legend
            assert f"PbTiO3 ({some})" in text
            assert "simulated" in text
            assert f"{some} of 60 points" in text
