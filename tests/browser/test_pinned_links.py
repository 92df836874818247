"""A link shows the same after more data were added; newer data are offered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from motif.core.catalog.intake import Intake
from motif.core.facets.facet_rules import Mapper
from motif.core.workspace import Workspace


@dataclass(frozen=True)
class Growing:
    """A served workspace that takes in more while somebody looks."""

    root: Path
    url: str
    small_lab: Any

    def grow(self, numbers: range) -> None:
        with Workspace.open(self.root) as workspace:
            taken = [self.small_lab._taken(n, self.small_lab._image(n)) for n in numbers]
            Intake(workspace, "microscope", "pfm", Mapper({})).commit(taken, (), ())
            self.small_lab.add_map(workspace, "pfm", seed=numbers.start)


@pytest.fixture
def growing(tmp_path: Path, small_lab: Any, served: Any) -> Iterator[Growing]:
    small_lab.build(tmp_path / "lab", images=12).close()
    with served(tmp_path / "lab") as url:
        yield Growing(tmp_path / "lab", url, small_lab)


def open_page(page: Any, address: str, says: str) -> None:
    page.goto(address)
    expect(page.locator(".motif-status")).to_contain_text(says)


def test_a_copied_link_shows_the_same_later_and_offers_newer_data(
    chromium: Any, growing: Growing
) -> None:
    first = chromium.new_page()
    open_page(first, f"{growing.url}/map?collection=pfm", "n=12 shown=12")
    first.wait_for_url("**at=*")
    first.locator('details[data-facet="operator"] label', has_text="xu").click()
    expect(first.locator(".motif-status")).to_contain_text("shown=4")
    link = first.url
    assert "at=" in link
    growing.grow(range(12, 24))
    second = chromium.new_context().new_page()
    open_page(second, link, "n=12 shown=4")
    offer = second.get_by_role("button", name="Show the newest")
    expect(second.get_by_text("12 new, 1 new result")).to_be_visible()
    second.reload()
    expect(second.locator(".motif-status")).to_contain_text("n=12 shown=4")
    second.get_by_test_id("stSidebar").get_by_role("link", name="Search").click()
    expect(second.locator(".motif-empty")).to_be_visible()  # no features then, nor now
    assert "at=" in second.url
    second.go_back()
    expect(second.locator(".motif-status")).to_contain_text("n=12 shown=4")
    offer.click()
    expect(second.locator(".motif-status")).to_contain_text("n=24 shown=8")
    expect(offer).to_have_count(0)
    second.wait_for_url("**at=*")
    assert second.url != link
    second.go_back()
    expect(second.locator(".motif-status")).to_contain_text("n=12 shown=4")
    third = chromium.new_page()
    open_page(third, f"{growing.url}/map?collection=pfm", "n=24 shown=24")
    for page in (first, second, third):
        page.close()
