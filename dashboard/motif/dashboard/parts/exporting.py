"""Taking what is chosen along."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from motif.dashboard import export
from motif.dashboard.drawing import Drawing
from motif.dashboard.drawing_files import as_pdf, as_png, as_svg
from motif.dashboard.export import Selection
from motif.dashboard.lab import Lab
from motif.dashboard.parts import frame

WRITERS = {
    "SVG": (as_svg, "image/svg+xml"), "PDF": (as_pdf, "application/pdf"),
    "PNG": (as_png, "image/png"),
}  # fmt: skip


def show_export(
    here: Lab,
    chosen: Selection,
    question: str,
    *,
    exact: bool,
    picture: Callable[[], Drawing] | None = None,
) -> None:
    """A menu with the selection as CSV, as Parquet and as Python, and the map as a figure.

    All of them are made when asked for.
    """
    with st.popover("Export", icon=":material/download:"):
        frame.quiet("Facets in SI units, place on the map, labels and notes of what is chosen.")
        with st.container(horizontal=True):
            st.download_button(
                "CSV", lambda: export.as_csv(here, chosen), file_name="motif.csv",
                mime="text/csv", key="export-csv", on_click="ignore",
            )  # fmt: skip
            st.download_button(
                "Parquet", lambda: export.as_parquet(here, chosen), file_name="motif.parquet",
                mime="application/vnd.apache.parquet", key="export-parquet", on_click="ignore",
            )  # fmt: skip
        if picture is not None:
            frame.quiet("The map as it is coloured, filtered and outlined now.")
            with st.container(horizontal=True):
                for name, (write, mime) in WRITERS.items():
                    st.download_button(
                        name, partial(_file, write, picture),
                        file_name=f"motif-map.{name.lower()}", mime=mime, key=f"export-{name}",
                        on_click="ignore",
                    )  # fmt: skip
        frame.quiet("The same in a notebook:")
        st.code(export.snippet(here, chosen, question, exact), language="python", height=240)


def _file(write: Callable[[Drawing], bytes], picture: Callable[[], Drawing]) -> bytes:
    return write(picture())
