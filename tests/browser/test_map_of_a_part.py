"""A map of what is chosen, made while one waits, and the way back."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect


def test_a_filtered_part_gets_a_map_of_its_own_and_a_way_back(visit: Any, lab: Any) -> None:
    some = lab.counts['material = "PbTiO3"']
    visit.open("/map?collection=pfm&f.material=PbTiO3")
    visit.drawn(shown=some)
    visit.page.get_by_role("button", name=f"New map of these {some}").click()
    expect(visit.page.get_by_role("status").first).to_be_visible()
    visit.page.wait_for_function(
        "() => /[?&]map=[0-9a-f]{32}/.test(location.href)", timeout=240_000
    )
    visit.says(f"map n={some} shown={some}")
    visit.drawn(shown=some)
    address = visit.page.url
    assert "f.material=PbTiO3" in address
    way = visit.page.locator(".st-key-way")
    expect(way.get_by_role("link")).to_have_count(2)
    way.get_by_role("link").first.click()
    visit.says("map n=60")
    visit.page.get_by_role("button", name=re.compile("2 maps")).click()
    visit.page.get_by_role("link", name=re.compile("└.*PbTiO3")).click()
    visit.says(f"map n={some} shown={some}")
    visit.open("/map?collection=pfm")
    visit.says("map n=60")
    visit.open(address.removeprefix(visit.url))
    visit.says(f"map n={some} shown={some}")
