"""Putting labels and notes on what is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import streamlit as st

from motif.core.errors import MotifError
from motif.core.workspace import Workspace
from motif.dashboard import labels
from motif.dashboard.lab import Lab, lab
from motif.dashboard.parts import frame
from motif.dashboard.quantities import ago, count
from motif.dashboard.rights import may_change

Act: TypeAlias = Callable[[Workspace, str, Sequence[str], str], None]

REFUSED = "label-refused"


def show_labelling(collection: str, ids: Sequence[str]) -> None:
    """A menu that labels `ids` or writes a note on them."""
    if not may_change():
        return
    with st.popover("Label", icon=":material/label:"):
        if st.session_state.get(REFUSED):
            frame.refusal(st.session_state.pop(REFUSED))
        with st.form("label-form", border=False, clear_on_submit=True):
            st.text_input("Label", key="label-text", max_chars=labels.LONGEST_LABEL)
            with st.container(horizontal=True):
                words = count(len(ids), "measurement")
                st.form_submit_button(f"Put on {words}", on_click=_put, args=(collection, ids))
                st.form_submit_button("Take off", on_click=_take, args=(collection, ids))
        with st.form("note-form", border=False, clear_on_submit=True):
            st.text_area("Note", key="note-text", max_chars=labels.LONGEST_NOTE, height=90)
            st.form_submit_button("Write it down", on_click=_note, args=(collection, ids))


def show_labels(here: Lab, collection: str, identity: str) -> None:
    """Labels and notes of one measurement, with who wrote them, and the menu to add some."""
    made = here.derivations(labels.STAGE, collection)
    on = sorted(labels.labels_on(made).get(identity, ()))
    notes = labels.notes_on(made).get(identity, [])
    with st.container(horizontal=True, vertical_alignment="center"):
        frame.subheading("Labels and notes", ", ".join(on) or "none yet")
        show_labelling(collection, [identity])
    frame.facts([(f"{note.who}, {ago(note.at)}", note.text, note.at) for note in notes])


def _put(collection: str, ids: Sequence[str]) -> None:
    _try(labels.put_label, collection, ids, "label-text")


def _take(collection: str, ids: Sequence[str]) -> None:
    _try(labels.take_label, collection, ids, "label-text")


def _note(collection: str, ids: Sequence[str]) -> None:
    _try(labels.put_note, collection, ids, "note-text")


def _try(act: Act, collection: str, ids: Sequence[str], key: str) -> None:
    try:
        act(lab().workspace, collection, ids, str(st.session_state[key]))
    except MotifError as error:
        st.session_state[REFUSED] = str(error)
