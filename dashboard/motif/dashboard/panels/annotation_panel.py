"""Adding labels and notes to the selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import streamlit as st

from motif.core.annotations.annotation_log import (
    MAX_LENGTH,
    NOTE,
    add_label,
    add_note,
    annotations_of,
    labels_of,
    remove_label,
)
from motif.core.errors import MotifError
from motif.core.query import LABEL
from motif.core.workspace import Workspace
from motif.dashboard.auth.permissions import may_change, person, require_change
from motif.dashboard.components import page_frame
from motif.dashboard.data.number_format import ago, count
from motif.dashboard.state.workspace_session import WorkspaceSession, lab

Act: TypeAlias = Callable[[Workspace, Sequence[str], str, str], object]

REFUSED = "label-refused"


def show_labelling(ids: Sequence[str]) -> None:
    """A menu that labels `ids` or writes a note on them."""
    if not may_change():
        return
    with st.popover("Label", icon=":material/label:"):
        if st.session_state.get(REFUSED):
            page_frame.refusal(st.session_state.pop(REFUSED))
        with st.form("label-form", border=False, clear_on_submit=True):
            st.text_input("Label", key="label-text", max_chars=MAX_LENGTH[LABEL])
            with st.container(horizontal=True):
                words = count(len(ids), "measurement")
                st.form_submit_button(f"Put on {words}", on_click=_put, args=(ids,))
                st.form_submit_button("Take off", on_click=_take, args=(ids,))
        with st.form("note-form", border=False, clear_on_submit=True):
            st.text_area("Note", key="note-text", max_chars=MAX_LENGTH[NOTE], height=90)
            st.form_submit_button("Add annotation", on_click=_note, args=(ids,))


def show_labels(session: WorkspaceSession, identity: str) -> None:
    """Annotations of one measurement with their authors, and the menu to add more."""
    annotations = annotations_of(session.workspace.catalog, [identity]).get(identity, [])
    on, notes = (
        labels_of(annotations),
        [annotation for annotation in annotations if annotation.kind == NOTE],
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        page_frame.subheading("Annotations", ", ".join(on) or "none yet")
        show_labelling([identity])
    page_frame.facts([(f"{note.who}, {ago(note.at)}", note.text, note.at) for note in notes])


def _put(ids: Sequence[str]) -> None:
    _try(add_label, ids, "label-text")


def _take(ids: Sequence[str]) -> None:
    _try(remove_label, ids, "label-text")


def _note(ids: Sequence[str]) -> None:
    _try(add_note, ids, "note-text")


def _try(act: Act, ids: Sequence[str], key: str) -> None:
    try:
        require_change()
        act(lab().workspace, ids, str(st.session_state[key]), person())
    except MotifError as error:
        st.session_state[REFUSED] = str(error)
