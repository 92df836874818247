"""What every page shares: navigation, style, titles, empty states."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import streamlit as st

from motif.dashboard import state
from motif.dashboard.parts import assets

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

Sections: TypeAlias = "dict[str, list[StreamlitPage]]"

FAVICON = Path(__file__).with_name("favicon.png")


def style() -> None:
    """The dashboard's style sheet."""
    st.html(f"<style>{assets.text('style.css')}</style>")


def navigation(sections: Sections) -> None:
    """Links to the pages; each takes collection and filter along."""
    params: Any = state.current().carried().params()
    with st.sidebar:
        st.html('<div class="motif-brand"><b>Motif</b></div>')
        for title, pages in sections.items():
            if title:
                st.html(f'<div class="motif-section">{escape(title)}</div>')
            for page in pages:
                st.page_link(page, query_params=params, width="stretch")


def heading(title: str, about: str = "", simulated: bool = False) -> None:
    """A page's title, a quiet line beside it, and the mark of simulated data."""
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
    """Says what is missing and which commands bring it."""
    lines = "".join(f"<code>{escape(command)}</code>" for command in commands)
    st.html(
        f'<div class="motif-empty"><h3>{escape(title)}</h3><p>{escape(text)}</p>'
        f"<div>{lines}</div></div>"
    )


def refusal(text: str) -> None:
    """An error in plain words."""
    st.html(f'<div class="motif-refusal" role="alert">{escape(text)}</div>')


def facts(lines: Sequence[tuple[str, str, str]]) -> None:
    """Names and values in two columns: (name, value, remark shown on hover)."""
    rows = "".join(
        f'<dt>{escape(name)}</dt><dd title="{escape(remark)}">{escape(value)}</dd>'
        for name, value, remark in lines
    )
    st.html(f'<dl class="motif-facts">{rows}</dl>')


def figures(pairs: Sequence[tuple[str, str, str]]) -> None:
    """Large numbers in a row: (name, value, remark)."""
    cards = "".join(
        f"<div><span>{escape(name)}</span><b>{escape(value)}</b><em>{escape(remark)}</em></div>"
        for name, value, remark in pairs
    )
    st.html(f'<div class="motif-figures">{cards}</div>')


def status(text: str) -> None:
    """What the page has shown, for those who cannot see it; hidden by the style sheet."""
    st.html(f'<div class="motif-status">{escape(text)}</div>')
