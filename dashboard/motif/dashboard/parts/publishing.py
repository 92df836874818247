"""Writing what was made or labelled to DataFed, from a page."""

from __future__ import annotations

import streamlit as st

from motif.core.catalog import Derivation
from motif.core.remarks import STAGE as LABELS
from motif.dashboard.lab import Lab, lab
from motif.dashboard.parts import frame
from motif.dashboard.parts.held import show_errands
from motif.dashboard.rights import may_change

KIND = "datafed"
ERRANDS = "publish "
"""How the commands begin that are started here."""
REFRESH_SECONDS = 1.5


def show_publishing(here: Lab, collection: str, made: Derivation | None = None) -> None:
    """A menu for editors, there when a DataFed source is declared: labels, and a map if given."""
    sources = _sources(here, collection)
    if not sources or not may_change():
        return
    with st.popover("Publish", icon=":material/cloud_upload:"):
        frame.quiet("Writes a record to DataFed that depends on the records it was made from.")
        source = sources[0]
        if len(sources) > 1:
            source = str(st.selectbox("Through", sources, key="publish-through"))
        with st.container(horizontal=True):
            if made is not None:
                st.button(
                    "This map", key="publish-map", on_click=_publish,
                    args=(made.id, collection, source),
                )  # fmt: skip
            st.button(
                "Labels and notes", key="publish-labels", on_click=_publish,
                args=(LABELS, collection, source),
                disabled=not here.derivations(LABELS, collection),
                help=f"All that are on measurements of {collection} now.",
            )  # fmt: skip


def show_published(here: Lab) -> None:
    """What becomes of it; nothing where nothing was published a moment ago."""
    if any(one.words.startswith(ERRANDS) for one in here.errands.recent()):
        _follow()


@st.fragment(run_every=REFRESH_SECONDS)
def _follow() -> None:
    found = [one for one in lab().errands.recent() if one.words.startswith(ERRANDS)]
    show_errands(found)
    if not found:
        st.rerun()


def _sources(here: Lab, collection: str) -> list[str]:
    """DataFed sources of motif.toml, those of the collection first."""
    declared = here.config.sources
    found = [name for name, source in declared.items() if source.kind == KIND]
    return sorted(found, key=lambda name: declared[name].into != collection)


def _publish(result: str, collection: str, source: str) -> None:
    lab().errands.start("publish", result, "--collection", collection, "--source", source)
