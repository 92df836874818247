"""Search by measurements, a region or a file; the most similar measurements come first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from motif.analysis.search.similarity_search import Hit
from motif.core.errors import (
    ConfigError,
    NotFoundError,
    UnreadableFileError,
    UnsuitableDataError,
)
from motif.core.records import FacetValue
from motif.dashboard.components import page_frame
from motif.dashboard.components.explain.explain_component import show_why
from motif.dashboard.components.gallery.gallery_component import show_gallery
from motif.dashboard.data.facet_table import FacetTable
from motif.dashboard.data.number_format import count
from motif.dashboard.data.search_query import (
    Upload,
    answers,
    asked_with,
    in_common,
    spelled,
    warning,
)
from motif.dashboard.data.view_filter import Filtered
from motif.dashboard.export.selection_export import Selection
from motif.dashboard.panels.annotation_panel import show_labelling
from motif.dashboard.panels.export_and_publish_panel import show_export
from motif.dashboard.panels.filter_panel import show_filter
from motif.dashboard.panels.query_panel import (
    add,
    show_question,
    show_weights,
    uploader,
    weights_of,
)
from motif.dashboard.panels.result_panel import show_alarm, show_options, show_wall
from motif.dashboard.panels.selection_panel import representatives, tiles
from motif.dashboard.state import current_view
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession, lab

RESULTS = "results-gallery"
PICKS = "pick-gallery"
COUNTS = ("12", "24", "48", "96")
DEFAULT_COUNT = "24"
CLICK = "click-on-result"
CLICKS = {"from": "Search similar", "also": "Add it", "unlike": "Less like this", "why": "Explain"}


def show() -> None:
    """Draw the page."""
    session = lab()
    view = current_view.current()
    collections = session.collections()
    if not collections:
        page_frame.heading("Search")
        page_frame.empty(
            "There is nothing to search yet",
            "Ingest some measurements first, or try the simulated lab.",
            ["motif ingest SOURCE", "motif demo"],
        )
        page_frame.status("search empty")
        return
    name = _collection(session, view, list(collections))
    view = replace(view, collection=name)
    with st.sidebar:
        if len(collections) > 1:
            current_view.choose("Look in", list(collections), name, field="collection")
    table = session.table(name)
    filtered = show_filter(session, view, table)
    if set(collections[name]) == {"image"} and not session.derivations("embedding", name, view.at):
        page_frame.heading("Search")
        page_frame.empty(
            f"The images of {name} have no features yet",
            "A search compares features; compute them once, later ones only for new images.",
            [f"motif embed {name}"],
        )
        page_frame.status("search missing")
    else:
        _show(session, view, table, filtered)


def _show(session: WorkspaceSession, view: View, table: FacetTable, filtered: Filtered) -> None:
    left, right = st.columns([1, 2.7], gap="large")
    with left:
        page_frame.heading("Search")
        asked = st.container()
        upload = uploader()
    if upload is None and not view.id and not view.like:
        with right:
            _show_picks(table, filtered)
        return
    kind = (
        None if upload is not None else session.workspace.measurement(view.id or view.like[0]).kind
    )
    with asked:
        show_question(session, view, upload)
        st.session_state["choose-k"] = wanted = view.k if view.k in COUNTS else DEFAULT_COUNT
        st.segmented_control(
            "Results", COUNTS, key="choose-k", required=True,
            on_change=current_view.bound("choose-k", "k"),
        )  # fmt: skip
        with st.container(horizontal=True, gap="xsmall"):
            show_weights(session, view, kind)
            show_options(view, table, _query_facets(session, view, upload))
    with right:
        _show_answers(session, view, upload, (table, filtered, int(wanted), kind))


def _collection(session: WorkspaceSession, view: View, names: Sequence[str]) -> str:
    if view.collection in names:
        return view.collection
    if view.id:
        try:
            return session.workspace.measurement(view.id).collection
        except NotFoundError:
            pass
    return next((name for name in names if session.derivations("embedding", name)), names[0])


def _show_picks(table: FacetTable, filtered: Filtered) -> None:
    rows = np.flatnonzero(filtered.mask)
    page_frame.subheading("Pick a measurement", "to search for similar ones")
    typed = st.text_input(
        "Find by title", key="find-by-name", placeholder="part of a title, or a measurement's id",
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
        page_frame.quiet("No measurement matches; widen the filter or the name.")
    else:
        page_frame.quiet(f"{count(len(rows), 'measurement')} to pick from")
        show_gallery(
            tiles(table, representatives(rows)), key=PICKS, on_pick=lambda: _on_pick(PICKS),
            tile_width=132,
        )  # fmt: skip
    page_frame.status(f"search picks={len(rows)}")


def _show_answers(
    session: WorkspaceSession,
    view: View,
    upload: Upload | None,
    asked: tuple[FacetTable, Filtered, int, str | None],
) -> None:
    table, filtered, wanted, kind = asked
    passing = int(filtered.mask.sum())
    weights = weights_of(session, view, kind)
    started = time.perf_counter()
    try:
        cut = filtered.total < len(table)
        rows = np.flatnonzero(filtered.mask).tolist()
        keep = frozenset(table.ids[row] for row in rows) if cut else None
        found = answers(session, view, upload, filtered.question, wanted, weights, keep)
    except (UnreadableFileError, UnsuitableDataError, ConfigError) as error:
        page_frame.refusal(str(error))
        page_frame.status("search refused")
        return
    seconds = time.perf_counter() - started
    hits = [hit for hit in found if hit.id in table.index]
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container():
            page_frame.subheading(
                f"{len(hits)} most similar",
                f"exact, among {passing:,} of {filtered.total:,} measurements, "
                f"{1000 * seconds:.0f} ms",
            )
        clicks = [
            click for click in CLICKS if click != "why" or (kind == "image" and upload is None)
        ]
        st.segmented_control(
            "Click on a result", clicks, key=CLICK, format_func=CLICKS.__getitem__,
            default="from", required=True, label_visibility="collapsed",
        )  # fmt: skip
    if hits:
        if view.why and upload is None and kind == "image":
            show_why(session, replace(view, id=asked_with(view)[0]))
        _show_hits(session, view, upload, table, filtered.question, hits)
    else:
        page_frame.quiet(
            "No measurement with features passes the filter and the options; widen them."
        )
    page_frame.status(f"search results={len(hits)} of={passing}")


def _show_hits(
    session: WorkspaceSession,
    view: View,
    upload: Upload | None,
    table: FacetTable,
    question: str,
    hits: Sequence[Hit],
) -> None:
    if session.workspace.measurement(hits[0].id).kind == "image":
        show_alarm(warning(session, view, hits, question))
    show_wall(
        hits, table, own_facets(session, view) if upload is None else {},
        spelled(in_common(session, view, hits)), key=RESULTS, on_pick=_on_result,
    )  # fmt: skip
    rows = np.array([table.index[hit.id] for hit in hits], np.intp)
    with st.container(horizontal=True, key="answer-actions"):
        show_labelling([hit.id for hit in hits])
        show_export(session, Selection(view.collection, table, rows), question, exact=False)


def _query_facets(
    session: WorkspaceSession, view: View, upload: Upload | None
) -> dict[str, FacetValue] | None:
    """All facets of the query; None where only its file has them."""
    if upload is not None:
        return None
    facets = session.workspace.facets(asked_with(view))
    return {name: value for each in facets.values() for name, value in each.items()}


def own_facets(session: WorkspaceSession, view: View) -> dict[str, FacetValue]:
    """Facets of the single query measurement; empty when there are several."""
    return session.workspace.facets([view.id])[view.id] if view.id and not view.like else {}


def _on_result() -> None:
    picked = st.session_state[RESULTS].get("picked")
    if picked:
        add(str(picked), str(st.session_state[CLICK]))


def _on_pick(gallery: str) -> None:
    picked = st.session_state[gallery].get("picked")
    if picked:
        current_view.change(id=str(picked))
