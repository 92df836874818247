"""Turning from one page to another with a view in hand."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

import streamlit as st

from motif.dashboard.view import View

PageName: TypeAlias = Literal[
    "overview", "map", "search", "composition", "jobs", "measurement", "compare", "models"
]

_pages: dict[PageName, Any] = {}


def register(pages: dict[PageName, Any]) -> None:
    """Tell which of Streamlit's pages has which name; the router does so in every run."""
    _pages.update(pages)


def address(page: PageName, view: View) -> str:
    """The page's URL for a view, relative to the server."""
    query = urlencode(view.params(), doseq=True)
    path = "" if page == "overview" else page
    return f"/{path}?{query}" if query else f"/{path}"


def turn_to(page: PageName, view: View) -> None:
    """Go to a page of the app with a view as its address."""
    params: Any = view.params()
    st.switch_page(_pages[page], query_params=params)


def link(
    page: PageName, view: View, label: str, icon: str | None = None, *, disabled: bool = False
) -> None:
    """A link that stays in the session; `label` holds no text of a record as it came."""
    params: Any = view.params()
    st.page_link(_pages[page], label=label, icon=icon, query_params=params, disabled=disabled)
