"""The query box: what it offers where, used with the keyboard alone, and mistakes in place."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from motif.dashboard.components import component_assets

WORDS = """[
  { name: "material", kind: "text", about: "2 values", values: ['"PZT"', '"BiFeO3"'], units: [] },
  { name: "scan_size", kind: "number", about: "1 µm – 5 µm", values: ["1 um", "5 um"],
    units: ["nm", "um", "m"] },
  { name: "acquired_at", kind: "date", about: "", values: ["2024-01-11"], units: [] },
  { name: "simulated", kind: "flag", about: "", values: ["true", "false"], units: [] },
]"""


@pytest.fixture(scope="module")
def engine(chromium: Any) -> Any:
    """A page that holds the completion alone."""
    page = chromium.new_page()
    page.add_script_tag(
        content=f"{component_assets.text('query_box/complete.js')}\nconst WORDS = {WORDS};"
    )
    yield page
    page.close()


def offered(engine: Any, text: str) -> list[str]:
    """What is offered at the caret, which the text marks as ``|``."""
    caret = text.index("|")
    whole = text.replace("|", "")
    found = engine.evaluate(
        "([text, caret]) => completions(text, caret, WORDS).options.map(o => o.text)",
        [whole, caret],
    )
    return list(found)


@pytest.mark.parametrize(
    ("text", "expected", "absent"),
    [
        ("|", ["material", "scan_size", "not", "has", "("], ["and"]),
        ("sc|", ["scan_size"], ["material"]),
        ("size|", ["scan_size"], ["material"]),
        ("has |", ["material"], ["not", "has"]),
        ("material |", ["=", "in (", "like"], ["<="]),
        ("scan_size |", ["<=", "between"], ["like"]),
        ("simulated |", ["="], ["<", "like"]),
        ("material = |", ['"PZT"', '"BiFeO3"'], ["1 um"]),
        ("material = P|", ['"PZT"'], ['"BiFeO3"']),
        ('material = "Bi|', ['"BiFeO3"'], ['"PZT"']),
        ("scan_size <= |", ["1 um"], ['"PZT"']),
        ("scan_size <= 2 |", ["nm", "um", "and"], ['"PZT"']),
        ("scan_size <= 2 u|", ["um"], ["nm"]),
        ('material = "PZT" |', ["and", "or"], [")", "nm"]),
        ('(material = "PZT" |', ["and", "or", ")"], []),
        ('material = "PZT" and |', ["scan_size", "not"], ['"PZT"']),
        ("material in (|", ['"PZT"'], ["and"]),
        ('material in ("PZT" |', [",", ")"], ["and"]),
        ('material in ("PZT", |', ['"BiFeO3"'], []),
        ('material in ("PZT") |', ["and"], [")"]),
        ("scan_size between |", ["1 um"], []),
        ("scan_size between 1 um |", ["and"], ["or"]),
        ("scan_size between 1 um and |", ["5 um"], ["material"]),
        ("scan_size between 1 um and 5 um |", ["and", "or"], []),
        ("acquired_at >= |", ["2024-01-11"], []),
        ("acquired_at >= 2024-01-11 |", ["and"], ["nm"]),
        ('text "domain wall" |', ["and"], ["material"]),
        ('not material = "PZT" and |', ["material"], []),
    ],
)
def test_what_may_come_next(engine: Any, text: str, expected: list[str], absent: list[str]) -> None:
    found = offered(engine, text)
    assert [option for option in expected if option not in found] == [], found
    assert [option for option in absent if option in found] == [], found


def test_whatever_stands_there_nothing_breaks(engine: Any) -> None:
    odd = [
        '"',
        "'",
        "((",
        ")",
        "= =",
        "like like",
        "in in (",
        "a and",
        "\\",
        "☃ =",
        "1..2..",
        "<>!",
    ]
    for text in odd:
        for caret in range(len(text) + 1):
            offered(engine, f"{text[:caret]}|{text[caret:]}")


def test_a_query_is_written_with_the_keyboard_alone(visit: Any, lab: Any) -> None:
    visit.open("/map?collection=pfm")
    visit.drawn(shown=60)
    box = visit.page.get_by_label("Query")
    box.focus()
    keys = visit.page.keyboard
    keys.type("mat")
    expect(visit.page.get_by_role("option", name="material")).to_be_visible()
    keys.press("Tab")
    expect(box).to_have_value("material ")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(box).to_have_value("material = ")
    keys.type("pbt")
    keys.press("Tab")
    expect(box).to_have_value('material = "PbTiO3" ')
    keys.press("Escape")
    expect(visit.page.get_by_role("listbox")).to_have_count(0)
    keys.press("Enter")
    some = lab.counts['material = "PbTiO3"']
    visit.says(f"shown={some}")
    keys.press("Escape")
    expect(box).to_be_focused()


def test_tab_leaves_the_box_where_nothing_is_begun(visit: Any) -> None:
    visit.open("/map?collection=pfm")
    box = visit.page.get_by_label("Query")
    box.click()
    expect(visit.page.get_by_role("option").first).to_be_visible()
    visit.page.keyboard.press("Tab")
    expect(box).not_to_be_focused()
    expect(visit.page.get_by_role("option")).to_have_count(0)


def test_a_mistake_is_marked_and_put_right_with_one_click(visit: Any, lab: Any) -> None:
    visit.open("/map?collection=pfm&where=scan_siz+<%3D+1+um")
    expect(visit.page.locator("mark")).to_have_text("scan_siz")
    expect(visit.page.get_by_role("alert")).to_contain_text("Nothing is filtered by it")
    visit.page.get_by_role("button", name="Use scan_size").click()
    visit.says(f"shown={lab.counts['scan_size <= 1 um']}")
    expect(visit.page.get_by_label("Query")).to_have_value("scan_size <= 1 um")
    expect(visit.page.locator("mark")).to_have_count(0)
