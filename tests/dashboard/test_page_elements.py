"""Elements shared by all pages: text of records is escaped wherever it is shown."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from motif.dashboard.components import charts, page_frame

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def html(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """HTML written to the page."""
    written: list[str] = []
    monkeypatch.setattr(page_frame.st, "html", written.append)
    return written


def test_a_heading_escapes_its_texts(html: list[str]) -> None:
    page_frame.heading(HOSTILE, HOSTILE)
    assert "<img" not in html[0]
    assert "&lt;img" in html[0]


def test_only_simulated_data_carry_the_mark(html: list[str]) -> None:
    page_frame.heading("Map")
    page_frame.heading("Map", simulated=True)
    assert ["simulated data" in text for text in html] == [False, True]


def test_every_element_escapes_its_texts(html: list[str]) -> None:
    page_frame.subheading(HOSTILE, HOSTILE)
    page_frame.quiet(HOSTILE)
    page_frame.empty(HOSTILE, HOSTILE, [HOSTILE])
    page_frame.refusal(HOSTILE)
    page_frame.facts([(HOSTILE, HOSTILE, HOSTILE)])
    page_frame.figures([(HOSTILE, HOSTILE, HOSTILE)])
    page_frame.status(HOSTILE)
    assert len(html) == 7
    assert not any("<img" in text for text in html)


def test_an_empty_page_lists_its_commands(html: list[str]) -> None:
    page_frame.empty("There is no map", "Create one.", ["motif embed pfm", "motif project pfm"])
    assert "<code>motif embed pfm</code><code>motif project pfm</code>" in html[0]


def test_an_error_is_announced_to_screen_readers(html: list[str]) -> None:
    page_frame.refusal("The file is empty.")
    assert 'role="alert"' in html[0]


@pytest.mark.parametrize(
    ("name", "unit", "title"),
    [("size", "", "size"), ("size", "m**2", "size (m²)"), ("<b>", "", "&lt;b&gt;")],
)
def test_an_axis_title_has_its_unit_and_no_markup(name: str, unit: str, title: str) -> None:
    assert charts.with_unit(name, unit) == title


@pytest.mark.parametrize("dark", [False, True])
def test_charts_follow_the_theme(monkeypatch: pytest.MonkeyPatch, dark: bool) -> None:
    monkeypatch.setattr(charts, "is_dark", lambda: dark)
    figure = charts.styled(go.Figure(go.Scatter(x=[0, 1], y=[0, 1])), 240)
    assert figure.layout.height == 240
    assert figure.layout.font.color == charts.ink()
    assert charts.accent() == (charts.TEAL_ON_DARK if dark else charts.TEAL)
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_a_figure_of_the_analysis_takes_the_background_of_the_page() -> None:
    figure = charts.clear(go.Figure(layout={"paper_bgcolor": "white", "font": {"family": "Serif"}}))
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.font.family == charts.FONT
