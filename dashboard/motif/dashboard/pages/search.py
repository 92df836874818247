"""Search: pick a measurement, see what is most like it, nearest first."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from motif.analysis.search import Hit, search
from motif.core.errors import NotFoundError
from motif.core.records import FacetValue
from motif.dashboard import state
from motif.dashboard.captions import SHOWN, caption
from motif.dashboard.facets import FacetTable
from motif.dashboard.filters import Filtered
from motif.dashboard.lab import Lab, lab
from motif.dashboard.links import link
from motif.dashboard.parts import frame, measurement
from motif.dashboard.parts.filterbar import show_filter
from motif.dashboard.parts.gallery import Tile, show_gallery
from motif.dashboard.parts.selection import representatives, summary, tiles
from motif.dashboard.picture import SIZES
from motif.dashboard.quantities import count
from motif.dashboard.thumbnails import thumbnail_url
from motif.dashboard.view import View

RESULTS = "results-gallery"
PICKS = "pick-gallery"
COUNTS = ("12", "24", "48", "96")
DEFAULT_COUNT = "24"
COMPARED = ("material", "mode", "operator", "instrument", "substrate", "technique", "outcome")
"""Facets worth naming when question and answer share them."""


def show() -> None:
    """Draw the page."""
    here = lab()
    view = state.current()
    collections = here.collections()
    if not collections:
        frame.heading("Search")
        frame.empty(
            "There is nothing to search yet",
            "Take in some measurements first, or try the simulated lab.",
            ["motif ingest SOURCE", "motif demo"],
        )
        frame.status("search empty")
        return
    name = _collection(here, view, list(collections))
    view = replace(view, collection=name)
    with st.sidebar:
        if len(collections) > 1:
            state.choose("Look in", list(collections), name, field="collection")
    table = here.table(name)
    filtered = show_filter(here, view, table)
    if set(collections[name]) == {"image"} and not here.derivations("embedding", name):
        frame.heading("Search")
        frame.empty(
            f"The images of {name} have no features yet",
            "A search compares features; compute them once, later ones only for new images.",
            [f"motif embed {name}"],
        )
        frame.status("search missing")
    elif view.id:
        _show_answers(here, view, table, filtered)
    else:
        _show_picks(table, filtered)


def _collection(here: Lab, view: View, names: Sequence[str]) -> str:
    if view.collection in names:
        return view.collection
    if view.id:
        try:
            return here.workspace.measurement(view.id).collection
        except NotFoundError:
            pass
    return next((name for name in names if here.derivations("embedding", name)), names[0])


def _show_picks(table: FacetTable, filtered: Filtered) -> None:
    rows = np.flatnonzero(filtered.mask)
    frame.heading("Search", "pick a measurement to find what is like it")
    typed = st.text_input(
        "Find by name", key="find-by-name", placeholder="part of a title, or a measurement's id",
        width=420,
    )  # fmt: skip
    if typed and typed.strip():
        wanted = typed.strip().lower()
        named = [
            row for row in rows.tolist()
            if wanted in table.titles[row].lower() or table.ids[row].startswith(wanted)
        ]  # fmt: skip
        rows = np.array(named, np.intp)
    if len(rows) == 0:
        frame.quiet("No measurement passes; widen the filter or the name.")
    else:
        frame.quiet(f"{count(len(rows), 'measurement')} to pick from")
        show_gallery(
            tiles(table, representatives(rows)), key=PICKS, on_pick=lambda: _on_pick(PICKS),
            tile_width=132,
        )  # fmt: skip
    frame.status(f"search picks={len(rows)}")


def _show_answers(here: Lab, view: View, table: FacetTable, filtered: Filtered) -> None:
    wanted = view.k if view.k in COUNTS else DEFAULT_COUNT
    question = caption(here.workspace, view.id)
    left, right = st.columns([1, 2.9], gap="large")
    with left:
        frame.heading("Search")
        measurement.show_picture(view.id, question.title, size=SIZES[1])
        frame.subheading(question.title)
        frame.quiet(" · ".join(question.lines))
        with st.container(horizontal=True):
            link(
                "measurement",
                replace(view.carried(), id=view.id),
                "Open",
                ":material/open_in_full:",
            )
            st.button(
                "Another", type="tertiary", key="another", on_click=lambda: state.change(id="")
            )
        st.session_state["choose-k"] = wanted
        st.segmented_control(
            "Results", COUNTS, key="choose-k", required=True, on_change=state.bound("choose-k", "k")
        )
    started = time.perf_counter()
    hits = search(
        here.workspace, view.collection, id=view.id, where=filtered.question or None, k=int(wanted)
    )
    seconds = time.perf_counter() - started
    with right:
        passing = int(filtered.mask.sum())
        frame.subheading(
            f"{len(hits)} most alike",
            f"exact, among {passing:,} of {len(table):,} measurements, {1000 * seconds:.0f} ms",
        )
        if not hits:
            frame.quiet("No measurement with features passes the filter; widen it.")
        else:
            rows = [table.index[hit.id] for hit in hits if hit.id in table.index]
            frame.quiet(summary(table, np.array(rows, np.intp)))
            own = here.workspace.facets([view.id])[view.id]
            show_gallery(
                [_tile(place, hit, table, own) for place, hit in enumerate(hits, 1)],
                key=RESULTS, on_pick=lambda: _on_pick(RESULTS), tile_width=138,
            )  # fmt: skip
            frame.quiet(
                "Distance is Euclidean between features: 0 is the same picture. "
                "Click a result to search from there."
            )
    frame.status(f"search results={len(hits)} of={passing}")


def _tile(place: int, hit: Hit, table: FacetTable, own: Mapping[str, FacetValue]) -> Tile:
    row = table.index[hit.id]
    shared = [
        name.replace("_", " ")
        for name in COMPARED
        if name in own and hit.facets.get(name) == own[name] and _varies(table, name)
    ]
    lines = [" · ".join(table.words(row, SHOWN)[:2])]
    lines.append(f"same {', '.join(shared)}" if shared else "no facet shared")
    return Tile(
        hit.id, thumbnail_url(hit.id), table.titles[row], lines, f"{place} · {hit.distance:.3g}"
    )


def _varies(table: FacetTable, name: str) -> bool:
    """Whether sharing this facet tells anything in this collection."""
    return name in table.columns and len(table.columns[name].labels) > 1


def _on_pick(gallery: str) -> None:
    picked = st.session_state[gallery].get("picked")
    if picked:
        state.change(id=str(picked))
