"""Publishing results and annotations to DataFed, and exporting the selection."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from motif.analysis.projection.map_figure import MapFigure, figure_bytes, map_figure
from motif.core.annotations.annotation_log import STAGE as LABELS
from motif.core.catalog.database import Derivation
from motif.dashboard.auth.permissions import may_change
from motif.dashboard.components import page_frame
from motif.dashboard.export import selection_export
from motif.dashboard.export.selection_export import Selection
from motif.dashboard.panels.quarantine_panel import show_background_commands
from motif.dashboard.state.workspace_session import WorkspaceSession, lab

KIND = "datafed"
COMMAND_PREFIX = "publish "
"""First words of the commands that this menu starts."""
REFRESH_SECONDS = 1.5


def show_publishing(
    session: WorkspaceSession, collection: str, made: Derivation | None = None
) -> None:
    """A menu for editors, there when a DataFed source is declared: labels, and a map if given."""
    sources = _sources(session, collection)
    if not sources or not may_change():
        return
    with st.popover("Publish", icon=":material/cloud_upload:"):
        page_frame.quiet(
            "Write a record to DataFed that depends on the records this result was made from."
        )
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
                "Annotations", key="publish-labels", on_click=_publish,
                args=(LABELS, collection, source),
                disabled=not session.derivations(LABELS, collection),
                help=f"All that are on measurements of {collection} now.",
            )  # fmt: skip


def show_published(session: WorkspaceSession) -> None:
    """Progress of a publication; nothing when none was started recently."""
    if any(
        command.words.startswith(COMMAND_PREFIX) for command in session.background_commands.recent()
    ):
        _follow()


@st.fragment(run_every=REFRESH_SECONDS)
def _follow() -> None:
    found = [
        command
        for command in lab().background_commands.recent()
        if command.words.startswith(COMMAND_PREFIX)
    ]
    show_background_commands(found)
    if not found:
        st.rerun()


def _sources(session: WorkspaceSession, collection: str) -> list[str]:
    """DataFed sources of motif.toml, those of the collection first."""
    declared = session.config.sources
    found = [name for name, source in declared.items() if source.kind == KIND]
    return sorted(found, key=lambda name: declared[name].into != collection)


def _publish(result: str, collection: str, source: str) -> None:
    lab().background_commands.start(
        "publish", result, "--collection", collection, "--source", source
    )


IMAGE_TYPES = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}


def show_export(
    session: WorkspaceSession,
    chosen: Selection,
    question: str,
    *,
    exact: bool,
    picture: Callable[[], MapFigure] | None = None,
) -> None:
    """A menu with the selection as CSV, as Parquet and as Python, and the map as a figure.

    Each is created when it is requested.
    """
    with st.popover("Export", icon=":material/download:"):
        page_frame.quiet("Facets in SI units, map coordinates and annotations of the selection.")
        with st.container(horizontal=True):
            st.download_button(
                "CSV", lambda: selection_export.as_csv(session, chosen), file_name="motif.csv",
                mime="text/csv", key="export-csv", on_click="ignore",
            )  # fmt: skip
            st.download_button(
                "Parquet", lambda: selection_export.as_parquet(session, chosen),
                file_name="motif.parquet", mime="application/vnd.apache.parquet",
                key="export-parquet", on_click="ignore",
            )  # fmt: skip
        if picture is not None:
            page_frame.quiet("The map with its current colours, filter and selection.")
            with st.container(horizontal=True):
                for file_format, mime in IMAGE_TYPES.items():
                    name = file_format.upper()
                    st.download_button(
                        name, partial(_image_file, file_format, picture),
                        file_name=f"motif-map.{file_format}", mime=mime, key=f"export-{name}",
                        on_click="ignore",
                    )  # fmt: skip
        page_frame.quiet("The same selection in a notebook:")
        st.code(
            selection_export.snippet(session, chosen, question, exact),
            language="python",
            height=240,
        )


def _image_file(file_format: str, picture: Callable[[], MapFigure]) -> bytes:
    return figure_bytes(map_figure(picture()), file_format)
