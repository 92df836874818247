"""Search: ask with measurements, a region or a file; see what is most alike, nearest first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from motif.analysis.search import Hit
from motif.core.errors import (
    ConfigError,
    NotFoundError,
    UnreadableFileError,
    UnsuitableDataError,
)
from motif.core.records import FacetValue
from motif.dashboard import state
from motif.dashboard.asking import Upload, answers, asked_with, in_common, spelled, warning
from motif.dashboard.export import Selection
from motif.dashboard.facets import FacetTable
from motif.dashboard.filters import Filtered
from motif.dashboard.lab import Lab, lab
from motif.dashboard.parts import frame
from motif.dashboard.parts.answers import show_alarm, show_wall
from motif.dashboard.parts.asked import add, show_question, show_weights, uploader, weights_of
from motif.dashboard.parts.exporting import show_export
from motif.dashboard.parts.filterbar import show_filter
from motif.dashboard.parts.gallery import show_gallery
from motif.dashboard.parts.labelling import show_labelling
from motif.dashboard.parts.options import show_options
from motif.dashboard.parts.selection import representatives, tiles
from motif.dashboard.parts.why import show_why
from motif.dashboard.quantities import count
from motif.dashboard.view import View

RESULTS = "results-gallery"
PICKS = "pick-gallery"
COUNTS = ("12", "24", "48", "96")
DEFAULT_COUNT = "24"
CLICK = "click-on-result"
CLICKS = {"from": "Search from it", "also": "Add it", "unlike": "Away from it", "why": "Why alike"}


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
    if set(collections[name]) == {"image"} and not here.derivations("embedding", name, view.at):
        frame.heading("Search")
        frame.empty(
            f"The images of {name} have no features yet",
            "A search compares features; compute them once, later ones only for new images.",
            [f"motif embed {name}"],
        )
        frame.status("search missing")
    else:
        _show(here, view, table, filtered)


def _show(here: Lab, view: View, table: FacetTable, filtered: Filtered) -> None:
    left, right = st.columns([1, 2.7], gap="large")
    with left:
        frame.heading("Search")
        asked = st.container()
        upload = uploader()
    if upload is None and not view.id and not view.like:
        with right:
            _show_picks(table, filtered)
        return
    kind = None if upload is not None else here.workspace.measurement(view.id or view.like[0]).kind
    with asked:
        show_question(here, view, upload)
        st.session_state["choose-k"] = wanted = view.k if view.k in COUNTS else DEFAULT_COUNT
        st.segmented_control(
            "Results", COUNTS, key="choose-k", required=True,
            on_change=state.bound("choose-k", "k"),
        )  # fmt: skip
        with st.container(horizontal=True, gap="xsmall"):
            show_weights(here, view, kind)
            show_options(view, table, _told(here, view, upload))
    with right:
        _show_answers(here, view, upload, (table, filtered, int(wanted), kind))


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
    frame.subheading("Pick a measurement", "to find what is like it")
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


def _show_answers(
    here: Lab,
    view: View,
    upload: Upload | None,
    asked: tuple[FacetTable, Filtered, int, str | None],
) -> None:
    table, filtered, wanted, kind = asked
    passing = int(filtered.mask.sum())
    weights = weights_of(here, view, kind)
    started = time.perf_counter()
    try:
        cut = filtered.total < len(table)
        rows = np.flatnonzero(filtered.mask).tolist()
        keep = frozenset(table.ids[row] for row in rows) if cut else None
        found = answers(here, view, upload, filtered.question, wanted, weights, keep)
    except (UnreadableFileError, UnsuitableDataError, ConfigError) as error:
        frame.refusal(str(error))
        frame.status("search refused")
        return
    seconds = time.perf_counter() - started
    hits = [hit for hit in found if hit.id in table.index]
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container():
            frame.subheading(
                f"{len(hits)} most alike",
                f"exact, among {passing:,} of {filtered.total:,} measurements, "
                f"{1000 * seconds:.0f} ms",
            )
        clicks = [one for one in CLICKS if one != "why" or (kind == "image" and upload is None)]
        st.segmented_control(
            "A click on a result", clicks, key=CLICK, format_func=CLICKS.__getitem__,
            default="from", required=True, label_visibility="collapsed",
        )  # fmt: skip
    if hits:
        if view.why and upload is None and kind == "image":
            show_why(here, replace(view, id=asked_with(view)[0]))
        _show_hits(here, view, upload, table, filtered.question, hits)
    else:
        frame.quiet("No measurement with features passes the filter and the options; widen them.")
    frame.status(f"search results={len(hits)} of={passing}")


def _show_hits(
    here: Lab,
    view: View,
    upload: Upload | None,
    table: FacetTable,
    question: str,
    hits: Sequence[Hit],
) -> None:
    if here.workspace.measurement(hits[0].id).kind == "image":
        show_alarm(warning(here, view, hits, question))
    show_wall(
        hits, table, own_facets(here, view) if upload is None else {},
        spelled(in_common(here, view, hits)), key=RESULTS, on_pick=_on_result,
    )  # fmt: skip
    rows = np.array([table.index[hit.id] for hit in hits], np.intp)
    with st.container(horizontal=True, key="answer-actions"):
        show_labelling([hit.id for hit in hits])
        show_export(here, Selection(view.collection, table, rows), question, exact=False)


def _told(here: Lab, view: View, upload: Upload | None) -> dict[str, FacetValue] | None:
    """Every facet the question tells; None where only its file does."""
    if upload is not None:
        return None
    facets = here.workspace.facets(asked_with(view))
    return {name: value for each in facets.values() for name, value in each.items()}


def own_facets(here: Lab, view: View) -> dict[str, FacetValue]:
    """Facets of the one measurement asked with; none when there are several."""
    return here.workspace.facets([view.id])[view.id] if view.id and not view.like else {}


def _on_result() -> None:
    picked = st.session_state[RESULTS].get("picked")
    if picked:
        add(str(picked), str(st.session_state[CLICK]))


def _on_pick(gallery: str) -> None:
    picked = st.session_state[gallery].get("picked")
    if picked:
        state.change(id=str(picked))
