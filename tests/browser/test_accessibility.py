"""No page holds a serious barrier that axe-core can find, in light and in dark.

axe judges by the Web Content Accessibility Guidelines 2.2, levels A and AA; nothing is excepted.
"""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}
SERIOUS = ("serious", "critical")
PAGES = {
    "overview": "/",
    "map": "/map?collection=pfm",
    "map with a filter and a point": "/map?collection=pfm&f.material=PbTiO3&id={id}",
    "map with a mistaken query": "/map?collection=pfm&where=opertor+%3D+1",
    "search": "/search?collection=pfm",
    "answers": "/search?collection=pfm&id={id}",
    "composition": "/composition",
    "models": "/models",
    "jobs": "/jobs",
    "measurement": "/measurement?id={id}",
    "compare": "/compare?like={id}&like={other}",
}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_barrier(chromium: Any, lab: Any, name: str) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(lab.url + PAGES[name].format(id=lab.hostile_id, other=lab.other_id))
    page.locator(".motif-status").wait_for(state="attached")
    if name.startswith("map"):
        page.locator('.map[data-state="drawn"]').wait_for()
    page.evaluate(AXE_SCRIPT)
    left = [text for scheme in ("light", "dark") for text in barriers(page, scheme)]
    context.close()
    assert left == []


def barriers(page: Any, scheme: str) -> list[str]:
    """The serious findings on a page in one of its two looks."""
    page.emulate_media(color_scheme=scheme)
    background = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    wanted = {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 20, 22)"}[scheme]
    page.wait_for_function(f"wanted => {background} === wanted", arg=wanted)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    found = page.evaluate("options => axe.run(document, options)", RULES)
    assert len(found["passes"]) > 10
    return [
        f"{scheme}: {violation['id']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]
