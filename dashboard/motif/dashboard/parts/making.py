"""Asking for a map of what is chosen, and waiting for it while going on to look."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from motif.core.catalog import Derivation
from motif.dashboard import atlas, state
from motif.dashboard.lab import Lab, lab
from motif.dashboard.parts import frame
from motif.dashboard.quantities import count, duration
from motif.dashboard.rights import may_change
from motif.dashboard.view import View

FEWEST = 3
"""Points that make a map."""

TASK = "map-task"
REFRESH_SECONDS = 0.7


def turn_to_made() -> None:
    """Make a map that has been finished the one shown; call before the view is read."""
    task = lab().workshop.task(st.session_state.get(TASK, ""))
    if task is not None and task.state == "done":
        _forget()
        state.change(at="", map=task.map, polygon=(), hidden=(), id="")


def show_making(here: Lab, view: View, parent: Derivation, ids: Sequence[str]) -> None:
    """A button that asks for a map of `ids`, or how far the one asked for is."""
    if st.session_state.get(TASK):
        _follow()
    elif may_change() and FEWEST <= len(ids) < int(parent.summary.get("count", len(ids) + 1)):
        st.button(
            f"New map of these {len(ids):,}", key="new-map", icon=":material/add_chart:",
            on_click=_ask, args=(here, view, parent, list(ids)),
            help="Lays out the chosen measurements alone, so that differences among them show.",
        )  # fmt: skip


def _ask(here: Lab, view: View, parent: Derivation, ids: list[str]) -> None:
    chosen = [", ".join(values) for name, values in sorted(view.facets.items()) if name]
    name = " · ".join([*chosen, view.where.strip()] if view.filtered else []).strip(" ·")
    if view.polygon:
        name = f"{name}, chosen" if name else f"part of {atlas.title(parent)}"
    st.session_state[TASK] = here.workshop.ask(parent.collection, parent.id, ids, name)


@st.fragment(run_every=REFRESH_SECONDS)
def _follow() -> None:
    here = lab()
    task = here.workshop.task(st.session_state.get(TASK, ""))
    if task is None or task.state == "cancelled":
        st.session_state.pop(TASK, None)
        st.rerun()
    elif task.state == "done":
        st.rerun()
    elif task.state == "failed":
        frame.refusal(task.error)
        st.button("Close", type="tertiary", key="close-map-task", on_click=_forget)
    else:
        what = "Getting ready" if task.state == "waiting" else "Laying out"
        with st.container(horizontal=True, vertical_alignment="center", key="map-progress"):
            st.html(
                f'<div class="motif-working" role="status">{what} a map of '
                f"{count(task.count, 'point')}, {duration(task.seconds)}</div>", width="stretch",
            )  # fmt: skip
            st.button("Cancel", type="tertiary", key="cancel-map", on_click=_cancel)


def _cancel() -> None:
    lab().workshop.cancel(st.session_state.get(TASK, ""))
    _forget()


def _forget() -> None:
    st.session_state.pop(TASK, None)
