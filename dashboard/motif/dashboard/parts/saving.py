"""Filters with a name: take one, save the present one, forget one."""

from __future__ import annotations

import streamlit as st

from motif.core.errors import MotifError
from motif.dashboard import state
from motif.dashboard.lab import Lab, lab
from motif.dashboard.parts import frame
from motif.dashboard.rights import may_change
from motif.dashboard.saved import LONGEST, Saved
from motif.dashboard.view import View

CHOSEN = "saved-filter"
NAME = "saved-name"
REFUSED = "saved-refused"


def show_saved(here: Lab, view: View) -> None:
    """A menu beside the filter's title, there when a filter is saved or can be."""
    names = list(Saved(here.workspace.root).all())
    if not names and not (view.filtered and may_change()):
        return
    with st.popover("Saved", icon=":material/bookmark:", type="tertiary"):
        if st.session_state.get(REFUSED):
            frame.refusal(st.session_state.pop(REFUSED))
        if names:
            st.selectbox("Saved", names, key=CHOSEN)
            with st.container(horizontal=True):
                st.button("Use it", key="use-saved", on_click=_use)
                if may_change():
                    st.button("Forget it", key="forget-saved", type="tertiary", on_click=_forget)
        if view.filtered and may_change():
            with st.form("save-filter", border=False, clear_on_submit=True):
                st.text_input("Save the present filter as", key=NAME, max_chars=LONGEST)
                st.form_submit_button("Save", on_click=_save, args=(view,))


def _use() -> None:
    view = Saved(lab().workspace.root).all().get(str(st.session_state[CHOSEN]))
    if view is not None:
        state.change(collection=view.collection, where=view.where, facets=view.facets, polygon=())


def _forget() -> None:
    Saved(lab().workspace.root).forget(str(st.session_state[CHOSEN]))


def _save(view: View) -> None:
    try:
        Saved(lab().workspace.root).save(str(st.session_state[NAME]), view)
    except MotifError as error:
        st.session_state[REFUSED] = str(error)
