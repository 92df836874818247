"""Models: what describes the images, how steady it is, which one is in use, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from motif.analysis.symmetry import registry
from motif.analysis.symmetry.models import ModelCard, cards, compare, select
from motif.core.errors import MotifError
from motif.dashboard import state
from motif.dashboard.lab import Lab, lab
from motif.dashboard.parts import frame
from motif.dashboard.parts.held import show_errands
from motif.dashboard.parts.modelcards import show_card, show_comparison, show_measuring
from motif.dashboard.rights import may_change, require_change

REFRESH_SECONDS = 1.5
REFUSED = "model-refused"
FEWEST = 2
ERRANDS = "models "
"""How the commands begin that this page starts."""


def show() -> None:
    """Draw the page."""
    here = lab()
    frame.heading("Models", "what turns an image into features one can compare")
    if st.session_state.get(REFUSED):
        frame.refusal(st.session_state.pop(REFUSED))
    found = _cards(here)
    names = [card.name for card in found]
    chosen = [name for name in state.current().model if name in names]
    images = [name for name, kinds in here.collections().items() if kinds.get("image")]
    if not images:
        frame.empty(
            "There are no images to describe yet",
            "Models turn images into features; take some images in, then measure here how steady "
            "each model is on them.",
            ["motif ingest SOURCE", "motif demo"],
        )
    busy = _show_work(here)
    _show_cards(found, chosen, images, busy)
    if len(chosen) >= FEWEST:
        frame.subheading("Side by side", ", ".join(chosen))
        with st.spinner("Comparing whom they call neighbours"):
            show_comparison(
                here.keep(
                    ("models", here.version, tuple(chosen)),
                    lambda: compare(here.workspace, chosen),
                )
            )
    frame.status(f"models n={len(found)} compared={len(chosen)}")


def _cards(here: Lab) -> list[ModelCard]:
    """The cards; made anew when a result is stored or a model is added."""
    kept = tuple(sorted(str(place) for place in registry.folder(here.workspace).glob("*/*")))
    return here.keep(("cards", here.version, kept), lambda: cards(here.workspace))


def _show_cards(
    found: Sequence[ModelCard], chosen: Sequence[str], images: Sequence[str], busy: bool
) -> None:
    columns = st.columns(min(FEWEST, max(1, len(found))), gap="medium")
    for place, card in enumerate(found):
        with columns[place % len(columns)], st.container(border=True):
            show_card(card)
            with st.container(horizontal=True, vertical_alignment="center"):
                key = f"beside-{card.name}"
                st.session_state[key] = card.name in chosen
                st.checkbox("Compare", key=key, on_change=_beside, args=(card.name,))
                if may_change():
                    st.button(
                        "Use it", key=f"use-{card.name}", icon=":material/check:",
                        disabled=card.selected, on_click=_use, args=(card.name,),
                        help="Takes it from now on where no model is named.",
                    )  # fmt: skip
                    if images:
                        show_measuring(card, images, _measure, busy=busy)


def _show_work(here: Lab) -> bool:
    """What was started here and is at work or done; whether something is at work."""
    errands = [one for one in here.errands.recent() if one.words.startswith(ERRANDS)]
    busy = any(one.ended is None for one in errands)
    if busy:
        _follow()
    else:
        show_errands(errands)
    return busy


@st.fragment(run_every=REFRESH_SECONDS)
def _follow() -> None:
    errands = [one for one in lab().errands.recent() if one.words.startswith(ERRANDS)]
    show_errands(errands)
    if all(one.ended is not None for one in errands):
        st.rerun()


def _beside(name: str) -> None:
    view = state.current()
    rest = tuple(one for one in view.model if one != name)
    state.change(model=(*rest, name) if st.session_state[f"beside-{name}"] else rest)


def _use(name: str) -> None:
    try:
        require_change()
        select(lab().workspace, name)
    except MotifError as error:
        st.session_state[REFUSED] = str(error)


def _measure(name: str, collection: str) -> None:
    lab().errands.start("models", "measure", collection, "--model", name)
