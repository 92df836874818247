"""The graph of where something comes from and what was made of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from motif.dashboard.lineage import Graph
from motif.dashboard.parts import assets

_component = st.components.v2.component(
    "motif.graph", js=assets.text("graph.js"), css=assets.text("graph.css")
)


def show_graph(graph: Graph, *, key: str) -> Any:
    """Mount it; titles are shown as plain text, boxes with a page are links."""
    return _component(key=key, data=graph.document())
