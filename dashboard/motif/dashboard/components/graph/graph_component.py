"""The graph of the inputs of a measurement and the results derived from it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from motif.dashboard.components import component_assets
from motif.dashboard.data.provenance_graph import Graph

_component = st.components.v2.component(
    "motif.graph",
    js=component_assets.text("graph/graph.js"),
    css=component_assets.text("graph/graph.css"),
)


def show_graph(graph: Graph, *, key: str) -> Any:
    """Mount it; titles are shown as plain text, boxes with a page are links."""
    return _component(key=key, data=graph.document())
