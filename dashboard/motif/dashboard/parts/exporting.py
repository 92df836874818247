"""Taking what is chosen along."""

from __future__ import annotations

import streamlit as st

from motif.dashboard import export
from motif.dashboard.export import Selection
from motif.dashboard.lab import Lab
from motif.dashboard.parts import frame


def show_export(here: Lab, chosen: Selection, question: str, *, exact: bool) -> None:
    """A menu with the selection as CSV, as Parquet and as Python; made when asked for."""
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
        frame.quiet("The same in a notebook:")
        st.code(export.snippet(here, chosen, question, exact), language="python", height=240)
