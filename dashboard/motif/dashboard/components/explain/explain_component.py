"""Why a result is similar to the query: the similar regions, and the reasons in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from motif.analysis.symmetry.models.similarity_maps import SimilarityExplanation
from motif.core.catalog.database import MeasurementRow
from motif.core.errors import MotifError
from motif.dashboard.components import component_assets, page_frame
from motif.dashboard.data import symmetry_evidence
from motif.dashboard.data.measurement_picture import SIZES
from motif.dashboard.data.thumbnails import thumbnail_url
from motif.dashboard.state import current_view
from motif.dashboard.state.current_view import link
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession

ALIKE = 0.5
"""Similarity from which a region is always shown bright."""

_component = st.components.v2.component(
    "motif.explain",
    js=component_assets.text("explain/explain.js"),
    css=component_assets.text("explain/explain.css"),
)


def show_why(session: WorkspaceSession, view: View) -> None:
    """The explanation of the result the view names, next to the query."""
    with st.container(border=True, key="why"):
        with st.container(horizontal=True, vertical_alignment="center"):
            page_frame.subheading(
                "Explain", "bright where a region of one image is similar to a region of the other"
            )
            st.button("Close", type="tertiary", key="close-why", on_click=_close)
        try:
            rows = [session.workspace.measurement(identity) for identity in (view.id, view.why)]
            with st.spinner("Comparing the two images region by region"):
                found = symmetry_evidence.why(session, view.id, view.why)
        except MotifError as error:
            page_frame.refusal(str(error))
            return
        left, right = st.columns([1.7, 1], gap="medium")
        with left:
            _mount(rows, found)
        with right:
            _show_reasons(found)
            those = View(collection=view.collection, like=(view.id, view.why))
            link("compare", those, "Compare", ":material/compare:")


def _mount(rows: list[MeasurementRow], found: SimilarityExplanation) -> Any:
    both = np.concatenate([found.map_a.ravel(), found.map_b.ravel()])
    low, high = 0.0, max(ALIKE, float(np.nanmax(both)))
    pictures = [
        {
            "title": row.title,
            "image": thumbnail_url(
                row.id, SIZES[1], symmetry_evidence.channel_place(row, found.channel)
            ),
            "cells": symmetry_evidence.coarse(cells, low, high),
        }
        for row, cells in zip(rows, (found.map_a, found.map_b), strict=True)
    ]
    data = {"pictures": pictures, "low": f"{low:.2f}", "high": f"{high:.2f}"}
    return _component(key="why-pictures", data=data)


def _show_reasons(found: SimilarityExplanation) -> None:
    parts = sorted(found.shares.items(), key=lambda item: -item[1])
    page_frame.facts(
        [
            ("compared by", found.channel, "kind of channel"),
            ("similarity", f"{found.similarity:.2f}", "1 means the same symmetry and texture"),
        ]
    )
    page_frame.quiet(f"First: {found.evidence_a.sentence}.")
    page_frame.quiet(f"Second: {found.evidence_b.sentence}.")
    page_frame.quiet(found.sentence)
    if any(found.shares.values()):
        words = ", ".join(f"{name} {100 * share:.0f} %" for name, share in parts)
        page_frame.quiet(f"The remaining difference comes from {words}.")


def _close() -> None:
    current_view.change(why="")
