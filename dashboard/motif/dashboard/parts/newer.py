"""What came after the moment of a view: told beside it, shown when asked for."""

from __future__ import annotations

import streamlit as st

from motif.dashboard import state
from motif.dashboard.lab import lab
from motif.dashboard.parts import assets, frame
from motif.dashboard.pins import News, Pin
from motif.dashboard.quantities import count, moment

_component = st.components.v2.component("motif.pin", js=assets.text("pin.js"))

LOOK_SECONDS = 30
"""Between two looks for something newer while a page lies open."""


def show_newer(page: str) -> None:
    """Pin the address to its moment, and offer what has come since."""
    view = state.current()
    at = view.at if Pin.parse(view.at) else str(lab().present())
    with st.sidebar:
        with st.container(key="pin"):
            # The parameters are told so that every view that names no moment is pinned.
            _component(key="pin-address", data={"at": at, "view": view.params(), "page": page})
        _offer()


@st.fragment(run_every=LOOK_SECONDS)
def _offer() -> None:
    found = lab().news(state.current().at)
    if not found:
        return
    with st.container(key="newer"):
        frame.quiet(f"{said(found)} since {moment(found.since)} UTC, the moment of this view.")
        if st.button("Show the newest", key="show-newest", icon=":material/update:"):
            state.change(at="")
            st.rerun()


def said(found: News) -> str:
    """``12 measurements came, 3 were revised``."""
    parts = [
        words
        for number, words in (
            (found.new, f"{count(found.new, 'measurement')} came"),
            (found.changed, f"{found.changed:,} were revised"),
            (found.gone, f"{found.gone:,} went"),
            (found.results, f"{count(found.results, 'result')} came"),
        )
        if number
    ]
    return ", ".join(parts)
