"""Why a result is like the question: the places that are, and the reasons in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from motif.analysis.symmetry.likeness import WhyAlike
from motif.core.catalog import MeasurementRow
from motif.core.errors import MotifError
from motif.dashboard import evidence, state
from motif.dashboard.lab import Lab
from motif.dashboard.links import link
from motif.dashboard.parts import assets, frame
from motif.dashboard.picture import SIZES
from motif.dashboard.thumbnails import thumbnail_url
from motif.dashboard.view import View

ALIKE = 0.5
"""Likeness of a place that is shown bright, whatever the rest is like."""

_component = st.components.v2.component(
    "motif.why", js=assets.text("why.js"), css=assets.text("why.css")
)


def show_why(here: Lab, view: View) -> None:
    """The explanation of the result the view names, beside the question."""
    with st.container(border=True, key="why"):
        with st.container(horizontal=True, vertical_alignment="center"):
            frame.subheading("Why alike", "bright where one is like something in the other")
            st.button("Close", type="tertiary", key="close-why", on_click=_close)
        try:
            rows = [here.workspace.measurement(one) for one in (view.id, view.why)]
            with st.spinner("Comparing the two pictures place by place"):
                found = evidence.why(here, view.id, view.why)
        except MotifError as error:
            frame.refusal(str(error))
            return
        left, right = st.columns([1.7, 1], gap="medium")
        with left:
            _mount(rows, found)
        with right:
            _show_reasons(found)
            those = View(collection=view.collection, like=(view.id, view.why))
            link("compare", those, "Compare them", ":material/compare:")


def _mount(rows: list[MeasurementRow], found: WhyAlike) -> Any:
    both = np.concatenate([found.map_a.ravel(), found.map_b.ravel()])
    low, high = 0.0, max(ALIKE, float(np.nanmax(both)))
    pictures = [
        {
            "title": row.title,
            "image": thumbnail_url(row.id, SIZES[1], evidence.channel_place(row, found.channel)),
            "cells": evidence.coarse(cells, low, high),
        }
        for row, cells in zip(rows, (found.map_a, found.map_b), strict=True)
    ]
    data = {"pictures": pictures, "low": f"{low:.2f}", "high": f"{high:.2f}"}
    return _component(key="why-pictures", data=data)


def _show_reasons(found: WhyAlike) -> None:
    parts = sorted(found.shares.items(), key=lambda item: -item[1])
    frame.facts(
        [
            ("compared by", found.channel, "kind of channel"),
            ("similarity", f"{found.similarity:.2f}", "1 is no difference in symmetry and texture"),
        ]
    )
    frame.quiet(f"First: {found.evidence_a.sentence}.")
    frame.quiet(f"Second: {found.evidence_b.sentence}.")
    frame.quiet(found.sentence)
    if any(found.shares.values()):
        words = ", ".join(f"{name} {100 * share:.0f} %" for name, share in parts)
        frame.quiet(f"What difference is left comes from {words}.")


def _close() -> None:
    state.change(why="")
