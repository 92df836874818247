"""Putting labels and notes on what is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import streamlit as st

from motif.core.errors import MotifError
from motif.core.query import LABEL
from motif.core.remarks import (
    LONGEST,
    NOTE,
    labels_of,
    put_label,
    put_note,
    remarks_on,
    take_label,
)
from motif.core.workspace import Workspace
from motif.dashboard.lab import Lab, lab
from motif.dashboard.parts import frame
from motif.dashboard.people import person
from motif.dashboard.quantities import ago, count
from motif.dashboard.rights import may_change, require_change

Act: TypeAlias = Callable[[Workspace, Sequence[str], str, str], object]

REFUSED = "label-refused"


def show_labelling(ids: Sequence[str]) -> None:
    """A menu that labels `ids` or writes a note on them."""
    if not may_change():
        return
    with st.popover("Label", icon=":material/label:"):
        if st.session_state.get(REFUSED):
            frame.refusal(st.session_state.pop(REFUSED))
        with st.form("label-form", border=False, clear_on_submit=True):
            st.text_input("Label", key="label-text", max_chars=LONGEST[LABEL])
            with st.container(horizontal=True):
                words = count(len(ids), "measurement")
                st.form_submit_button(f"Put on {words}", on_click=_put, args=(ids,))
                st.form_submit_button("Take off", on_click=_take, args=(ids,))
        with st.form("note-form", border=False, clear_on_submit=True):
            st.text_area("Note", key="note-text", max_chars=LONGEST[NOTE], height=90)
            st.form_submit_button("Write it down", on_click=_note, args=(ids,))


def show_labels(here: Lab, identity: str) -> None:
    """Labels and notes of one measurement, with who wrote them, and the menu to add some."""
    said = remarks_on(here.workspace.catalog, [identity]).get(identity, [])
    on, notes = labels_of(said), [one for one in said if one.kind == NOTE]
    with st.container(horizontal=True, vertical_alignment="center"):
        frame.subheading("Labels and notes", ", ".join(on) or "none yet")
        show_labelling([identity])
    frame.facts([(f"{note.who}, {ago(note.at)}", note.text, note.at) for note in notes])


def _put(ids: Sequence[str]) -> None:
    _try(put_label, ids, "label-text")


def _take(ids: Sequence[str]) -> None:
    _try(take_label, ids, "label-text")


def _note(ids: Sequence[str]) -> None:
    _try(put_note, ids, "note-text")


def _try(act: Act, ids: Sequence[str], key: str) -> None:
    try:
        require_change()
        act(lab().workspace, ids, str(st.session_state[key]), person())
    except MotifError as error:
        st.session_state[REFUSED] = str(error)
