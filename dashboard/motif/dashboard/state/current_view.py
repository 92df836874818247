"""The view of the page being drawn: the browser's address is the only place it is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

import streamlit as st

from motif.dashboard.state.view_state import View


def current() -> View:
    """The view the address names."""
    return View.from_params({name: st.query_params.get_all(name) for name in st.query_params})


def go(view: View) -> None:
    """Make `view` the address; the browser's back button returns to the one before."""
    st.query_params.from_dict(view.params())


def change(**fields: Any) -> None:
    """Go to the present view with some fields changed."""
    go(replace(current(), **fields))


def bound(key: str, field: str) -> Callable[[], None]:
    """A callback that moves a widget's new value into a field of the view."""

    def moved() -> None:
        value = st.session_state[key]
        change(**{field: "" if value is None else str(value)})

    return moved


def choose(
    label: str,
    options: Sequence[str],
    chosen: str,
    *,
    field: str,
    names: dict[str, str] | None = None,
    help_text: str | None = None,
) -> None:
    """A select box that shows, and when used changes, one field of the view."""
    key = f"choose-{field}"
    words = names or {}
    st.session_state[key] = chosen
    st.selectbox(
        label, options, key=key, on_change=bound(key, field), help=help_text,
        format_func=lambda option: words.get(option, option),
    )  # fmt: skip


PageName: TypeAlias = Literal[
    "overview", "map", "search", "composition", "jobs", "measurement", "compare", "models"
]

_pages: dict[PageName, Any] = {}


def register(pages: dict[PageName, Any]) -> None:
    """Register Streamlit's pages by name; the router does so in every run."""
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
    """A link that stays in the session; `label` must not contain unescaped text of a record."""
    params: Any = view.params()
    st.page_link(_pages[page], label=label, icon=icon, query_params=params, disabled=disabled)
