"""Turning from one page to another with a view in hand."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

import streamlit as st

from motif.dashboard.view import View

PageName: TypeAlias = Literal["overview", "map", "search", "composition", "jobs", "measurement"]


def address(page: PageName, view: View) -> str:
    """The page's URL for a view, relative to the server."""
    query = urlencode(view.params(), doseq=True)
    path = "" if page == "overview" else page
    return f"/{path}?{query}" if query else f"/{path}"


def turn_to(page: Any, view: View) -> None:
    """Go to a page of the app with a view as its address."""
    params: Any = view.params()
    st.switch_page(page, query_params=params)
