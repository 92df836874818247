"""Models: the extractors of images, their invariance, which one is in use, compared."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from motif.analysis.symmetry.models import model_registry
from motif.analysis.symmetry.models.model_cards_data import ModelCard, cards, compare, select
from motif.core.errors import MotifError
from motif.dashboard.auth.permissions import may_change, require_change
from motif.dashboard.components import page_frame
from motif.dashboard.panels.model_cards import show_card, show_comparison, show_measuring
from motif.dashboard.panels.quarantine_panel import show_background_commands
from motif.dashboard.state import current_view
from motif.dashboard.state.workspace_session import WorkspaceSession, lab

REFRESH_SECONDS = 1.5
REFUSED = "model-refused"
FEWEST = 2
COMMAND_PREFIX = "models "
"""First words of the commands that this page starts."""


def show() -> None:
    """Draw the page."""
    session = lab()
    page_frame.heading("Models", "feature extractors for images")
    if st.session_state.get(REFUSED):
        page_frame.refusal(st.session_state.pop(REFUSED))
    found = _cards(session)
    names = [card.name for card in found]
    chosen = [name for name in current_view.current().model if name in names]
    images = [name for name, kinds in session.collections().items() if kinds.get("image")]
    if not images:
        page_frame.empty(
            "There are no images yet",
            "Models turn images into features; ingest some images, then measure here how invariant "
            "each model is on them.",
            ["motif ingest SOURCE", "motif demo"],
        )
    busy = _show_work(session)
    _show_cards(found, chosen, images, busy)
    if len(chosen) >= FEWEST:
        page_frame.subheading("Side by side", ", ".join(chosen))
        with st.spinner("Comparing their nearest neighbours"):
            show_comparison(
                session.keep(
                    ("models", session.version, tuple(chosen)),
                    lambda: compare(session.workspace, chosen),
                )
            )
    page_frame.status(f"models n={len(found)} compared={len(chosen)}")


def _cards(session: WorkspaceSession) -> list[ModelCard]:
    """The model cards; recomputed when a result is stored or a model is added."""
    kept = tuple(
        sorted(str(place) for place in model_registry.folder(session.workspace).glob("*/*"))
    )
    return session.keep(("cards", session.version, kept), lambda: cards(session.workspace))


def _show_cards(
    found: Sequence[ModelCard], chosen: Sequence[str], images: Sequence[str], busy: bool
) -> None:
    columns = st.columns(min(FEWEST, max(1, len(found))), gap="medium")
    for place, card in enumerate(found):
        with columns[place % len(columns)], st.container(border=True):
            show_card(card)
            with st.container(horizontal=True, vertical_alignment="center"):
                key = f"compare-{card.name}"
                st.session_state[key] = card.name in chosen
                st.checkbox("Compare", key=key, on_change=_toggle_comparison, args=(card.name,))
                if may_change():
                    st.button(
                        "Use it", key=f"use-{card.name}", icon=":material/check:",
                        disabled=card.selected, on_click=_use, args=(card.name,),
                        help="Use this model where no other is named.",
                    )  # fmt: skip
                    if images:
                        show_measuring(card, images, _measure, busy=busy)


def _show_work(session: WorkspaceSession) -> bool:
    """Show the background commands of this page; returns whether one is running."""
    commands = [
        command
        for command in session.background_commands.recent()
        if command.words.startswith(COMMAND_PREFIX)
    ]
    busy = any(command.ended is None for command in commands)
    if busy:
        _follow()
    else:
        show_background_commands(commands)
    return busy


@st.fragment(run_every=REFRESH_SECONDS)
def _follow() -> None:
    commands = [
        command
        for command in lab().background_commands.recent()
        if command.words.startswith(COMMAND_PREFIX)
    ]
    show_background_commands(commands)
    if all(command.ended is not None for command in commands):
        st.rerun()


def _toggle_comparison(name: str) -> None:
    view = current_view.current()
    rest = tuple(one for one in view.model if one != name)
    current_view.change(model=(*rest, name) if st.session_state[f"compare-{name}"] else rest)


def _use(name: str) -> None:
    try:
        require_change()
        select(lab().workspace, name)
    except MotifError as error:
        st.session_state[REFUSED] = str(error)


def _measure(name: str, collection: str) -> None:
    lab().background_commands.start("models", "measure", collection, "--model", name)
