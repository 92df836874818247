"""Elements shared by all pages: navigation, style, titles, empty states."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import streamlit as st

from motif.dashboard.components import component_assets
from motif.dashboard.state import current_view

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

Sections: TypeAlias = "dict[str, list[StreamlitPage]]"

FAVICON = Path(__file__).with_name("favicon.png")


def style() -> None:
    """The dashboard's style sheet."""
    st.html(f"<style>{component_assets.text('style.css')}</style>")


def navigation(sections: Sections) -> None:
    """Links to the pages; each takes collection and filter along."""
    params: Any = current_view.current().carried().params()
    with st.sidebar:
        st.html('<div class="motif-brand"><b>Motif</b></div>')
        for title, pages in sections.items():
            if title:
                st.html(f'<div class="motif-section">{escape(title)}</div>')
            for page in pages:
                st.page_link(page, query_params=params, width="stretch")


def heading(title: str, about: str = "", simulated: bool = False) -> None:
    """A page's title, a secondary line next to it, and the mark of simulated data."""
    mark = '<span class="motif-simulated">simulated data</span>' if simulated else ""
    st.html(
        f'<div class="motif-heading"><h1>{escape(title)}</h1>{mark}'
        f"<span>{escape(about)}</span></div>"
    )


def subheading(title: str, about: str = "") -> None:
    """A section's title."""
    st.html(f'<div class="motif-sub"><h2>{escape(title)}</h2><span>{escape(about)}</span></div>')


def quiet(text: str) -> None:
    """A line of secondary text."""
    st.html(f'<p class="motif-quiet">{escape(text)}</p>')


def empty(title: str, text: str, commands: Sequence[str] = ()) -> None:
    """States what is missing and which commands create it."""
    lines = "".join(f"<code>{escape(command)}</code>" for command in commands)
    st.html(
        f'<div class="motif-empty"><h3>{escape(title)}</h3><p>{escape(text)}</p>'
        f"<div>{lines}</div></div>"
    )


def refusal(text: str) -> None:
    """An error message."""
    st.html(f'<div class="motif-refusal" role="alert">{escape(text)}</div>')


def facts(lines: Sequence[tuple[str, str, str]]) -> None:
    """Names and values in two columns: (name, value, tooltip)."""
    rows = "".join(
        f'<dt>{escape(name)}</dt><dd title="{escape(explanation)}">{escape(value)}</dd>'
        for name, value, explanation in lines
    )
    st.html(f'<dl class="motif-facts">{rows}</dl>')


def figures(pairs: Sequence[tuple[str, str, str]]) -> None:
    """Large numbers in a row: (name, value, explanation)."""
    cards = "".join(
        f"<div><span>{escape(name)}</span><b>{escape(value)}</b><em>{escape(explanation)}</em></div>"
        for name, value, explanation in pairs
    )
    st.html(f'<div class="motif-figures">{cards}</div>')


def status(text: str) -> None:
    """A summary of the page for screen readers and tests; hidden by the style sheet."""
    st.html(f'<div class="motif-status">{escape(text)}</div>')
