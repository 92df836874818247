"""The hits of a search: ranked thumbnails, enriched facets, possible confounders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from motif.analysis.search.confounding import Alarm
from motif.analysis.search.similarity_search import Hit
from motif.core.records import FacetValue
from motif.dashboard.components import page_frame
from motif.dashboard.components.gallery.gallery_component import GalleryTile, show_gallery
from motif.dashboard.data.facet_table import FacetTable
from motif.dashboard.data.search_query import FREEDOMS, options_of
from motif.dashboard.data.thumbnails import SHOWN, thumbnail_url
from motif.dashboard.panels.selection_panel import summary
from motif.dashboard.state import current_view
from motif.dashboard.state.view_state import View

COMPARED = ("material", "mode", "operator", "instrument", "substrate", "technique", "outcome")
"""Facets named when query and hit share them."""


def show_wall(
    hits: Sequence[Hit],
    table: FacetTable,
    own: Mapping[str, FacetValue],
    common: str,
    *,
    key: str,
    on_pick: Callable[[], None],
) -> None:
    """The hits, nearest first, below a summary of what they have in common.

    Args:
        own: facets of the one measurement asked with; empty when there are several or none.
        common: what they have more often than the collection, in words.
    """
    rows = np.array([table.index[hit.id] for hit in hits if hit.id in table.index], np.intp)
    page_frame.quiet(summary(table, rows))
    if common:
        page_frame.quiet(f"In common: {common}")
    tiles = [_tile(place, hit, table, own) for place, hit in enumerate(hits, 1)]
    show_gallery(tiles, key=key, on_pick=on_pick, tile_width=138)
    if any(hit.correlation is not None for hit in hits):
        page_frame.quiet("Ranked by the correlation r of the pixels: 1 means identical images.")
    else:
        page_frame.quiet("Euclidean distance between features: 0 means identical features.")


def show_alarm(found: Alarm) -> None:
    """Whether instrument, tip, operator or session explain the hits; warns only if they do."""
    if not found.confounded:
        page_frame.quiet(found.sentence)
        return
    named = [
        confounder for confounder in (found.material, *found.confounders) if confounder is not None
    ]
    rows = "".join(
        f"<tr><td>{escape(facet.name)}</td><td>{escape(facet.value)}</td>"
        f"<td>{100 * facet.share:.0f} %</td><td>{100 * facet.chance:.0f} %</td></tr>"
        for facet in named
    )
    head = "<tr><th>Facet</th><th>Value</th><th>Of the results</th><th>Of all</th></tr>"
    st.html(
        f'<div class="motif-alarm" role="alert"><b>This similarity may not be the material\'s.</b> '
        f"{escape(found.sentence)}<details><summary>Figures</summary>"
        f'<table class="motif-table">{head}{rows}</table></details></div>'
    )


def _tile(place: int, hit: Hit, table: FacetTable, own: Mapping[str, FacetValue]) -> GalleryTile:
    row = table.index[hit.id]
    shared = [
        name.replace("_", " ")
        for name in COMPARED
        if name in own and hit.facets.get(name) == own[name] and _varies(table, name)
    ]
    lines = [" · ".join(table.words(row, SHOWN)[:2])]
    if own:
        lines.append(f"same {', '.join(shared)}" if shared else "no facet shared")
    badge = f"{hit.distance:.3g}" if hit.correlation is None else f"r {hit.correlation:.2f}"
    return GalleryTile(
        hit.id, thumbnail_url(hit.id, tile=hit.tile), table.titles[row], lines, f"{place} · {badge}"
    )  # fmt: skip


def _varies(table: FacetTable, name: str) -> bool:
    """Whether a shared value of this facet is informative in this collection."""
    return name in table.columns and len(table.columns[name].labels) > 1


WIDTH = 340
SAMPLE_OF = ("record", "session")
"""Exclusions that are not facets, such as the record."""
WORDS = {
    "": "features alone", "exact": "pixels, same orientation", "rotation": "pixels, up to rotation",
    "rotation,mirror": "pixels, up to rotation and mirror",
    "rotation,mirror,inversion": "pixels, up to rotation, mirror and inversion",
}  # fmt: skip


def show_options(view: View, table: FacetTable, own: dict[str, FacetValue] | None) -> None:
    """A menu; `own` are the facets of what is asked with, None where a file tells them."""
    options = options_of(view)
    label = f"Options ({len(options)})" if options else "Options"
    names = _offered(table, own)
    with st.popover(label, icon=":material/filter_alt:"), st.container(width=WIDTH):
        _several("Must differ in", (*SAMPLE_OF, *names), "not_same", view.not_same)
        _several("Known to differ in", names, "different", view.different)
        _slider("Diversity", view.diversity)
        _choice(view.up_to)
        _distance(view.within)
        if options:
            st.button("Reset", type="tertiary", key="plain-nearest", on_click=forget)
        page_frame.quiet(
            "Must differ in leaves out hits with the same value as the query; known "
            "to differ in also leaves out hits without a value. Diversity spreads the hits."
        )


def forget() -> None:
    """Drop all of them."""
    current_view.change(not_same=(), different=(), diversity="", up_to="", within="")


def _offered(table: FacetTable, own: dict[str, FacetValue] | None) -> tuple[str, ...]:
    return tuple(
        name
        for name, column in table.columns.items()
        if column.kind == "category"
        and column.member is None
        and len(column.labels) > 1
        and (own is None or name in own)
    )


def _several(label: str, names: Sequence[str], field: str, chosen: Sequence[str]) -> None:
    key = f"search-{field}"
    st.session_state[key] = [name for name in chosen if name in names]
    st.multiselect(
        label, names, key=key, placeholder="no exclusions", on_change=_on_several,
        args=(key, field), format_func=lambda name: name.replace("_", " "),
    )  # fmt: skip


def _on_several(key: str, field: str) -> None:
    fields: dict[str, Any] = {field: tuple(st.session_state[key])}
    current_view.change(**fields)


def _slider(label: str, chosen: str) -> None:
    st.session_state["search-diversity"] = float(options_of(View(diversity=chosen)).get(
        "diversity", 0.0
    ))  # fmt: skip
    st.slider(label, 0.0, 1.0, step=0.1, key="search-diversity", on_change=_on_diversity)


def _on_diversity() -> None:
    value = float(st.session_state["search-diversity"])
    # The two rankings exclude each other; the last choice applies.
    current_view.change(diversity=f"{value:g}" if value else "", **({"up_to": ""} if value else {}))


def _choice(chosen: str) -> None:
    st.session_state["search-up_to"] = chosen if chosen in FREEDOMS else ""
    st.selectbox(
        "Compare", FREEDOMS, key="search-up_to", format_func=WORDS.__getitem__,
        on_change=_on_choice,
    )  # fmt: skip


def _on_choice() -> None:
    value = str(st.session_state["search-up_to"])
    current_view.change(up_to=value, **({"diversity": ""} if value else {}))


def _distance(chosen: str) -> None:
    st.session_state["search-within"] = options_of(View(within=chosen)).get("within")
    st.number_input(
        "Largest distance", min_value=0.0, step=0.1, key="search-within",
        placeholder="any", on_change=_on_distance,
    )  # fmt: skip


def _on_distance() -> None:
    value = st.session_state["search-within"]
    current_view.change(within="" if value is None else f"{value:g}")
