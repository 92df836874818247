"""Map: every measurement as a point, similar ones near each other; filter, hover, lasso."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from motif.analysis.projection.map_figure import MapFigure
from motif.core.catalog.database import Derivation
from motif.dashboard.components import page_frame
from motif.dashboard.components.map_view.map_component import (
    MapDrawing,
    MapEvents,
    MapUrls,
    show_map,
)
from motif.dashboard.data import point_colours
from motif.dashboard.data.facet_table import FacetTable
from motif.dashboard.data.number_format import ago, count
from motif.dashboard.data.point_colours import Colouring
from motif.dashboard.data.point_grid import Placement, pack_mask
from motif.dashboard.data.view_filter import Filtered
from motif.dashboard.export.selection_export import map_image
from motif.dashboard.panels.export_and_publish_panel import show_published, show_publishing
from motif.dashboard.panels.filter_panel import show_filter
from motif.dashboard.panels.map_navigation_panel import (
    is_whole,
    newest,
    show_making,
    show_tree,
    show_way,
    title,
    turn_to_made,
)
from motif.dashboard.panels.selection_panel import show_selection
from motif.dashboard.state import current_view
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession, lab

COMPONENT = "map"
PICTURES = "on"
"""Value of the address where some points are shown as pictures."""


@dataclass(frozen=True)
class Shown:
    """The content of the map: one entry per point, in the order of the placement."""

    placement: Placement
    rows: NDArray[np.intp]
    """Row of each point in the facet table, -1 for measurements that are gone."""
    passing: NDArray[np.bool_]
    """Points that pass the filter."""
    mask: NDArray[np.bool_]
    """Points that pass the filter and are not hidden in the legend."""
    chosen: NDArray[np.bool_]
    """Points of `shown` inside the lasso."""
    colours: Colouring


def show() -> None:
    """Draw the page."""
    session = lab()
    turn_to_made()
    view = current_view.current()
    collections = session.collections()
    if not collections:
        page_frame.heading("Map")
        page_frame.empty(
            "Nothing has been ingested yet",
            "A map shows every image as a point, similar ones near each other. Add a source to "
            "motif.toml and ingest it, or try the simulated lab.",
            ["motif ingest SOURCE", "motif demo"],
        )
        page_frame.status("map empty")
        return
    maps = {name: session.derivations("projection", name, view.at) for name in collections}
    name = view.collection if view.collection in collections else ""
    name = name or next(
        (collection for collection in collections if maps[collection]), next(iter(collections))
    )
    view = replace(view, collection=name)
    with st.sidebar:
        if len(collections) > 1:
            current_view.choose("Collection", list(collections), name, field="collection")
    table = session.table(name)
    filtered = show_filter(session, view, table)
    if not maps[name]:
        page_frame.heading("Map")
        images = "image" in collections[name]
        page_frame.empty(
            f"There is no map of {name} yet",
            "Its images need features first, then a projection onto the plane."
            if images
            else "Its spectra are compared as they are and need a projection onto the plane.",
            [*([f"motif embed {name}"] if images else []), f"motif project {name}"],
        )
        page_frame.status("map missing")
        return
    _show_map(session, view, table, filtered, maps[name])


def _show_map(
    session: WorkspaceSession,
    view: View,
    table: FacetTable,
    filtered: Filtered,
    maps: list[Derivation],
) -> None:
    chosen = next((map_ for map_ in maps if map_.id == view.map), newest(maps))
    offered = point_colours.choices(table)
    colour = view.colour if view.colour in offered else point_colours.preferred(table)
    shown = _shown(session, view, table, filtered, chosen, colour)
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        with st.container():
            page_frame.heading("Map", _about(chosen, maps), bool(_simulated(table)))
            show_way(view, chosen, maps)
        if len(maps) > 1:
            show_tree(view, chosen, maps)
        show_publishing(session, view.collection, chosen)
        with st.container(width=250):
            current_view.choose("Colour", offered, colour, field="colour", names=_words(offered))
    show_published(session)
    left, right = st.columns([2.35, 1], gap="medium")
    with left:
        _mount(session, view, shown, chosen)
    with right:
        rows, lit = shown.rows[shown.chosen], shown.rows[shown.mask]
        if chosen.parameters.get("tiles"):  # each measurement is several points
            rows, lit = np.unique(rows), np.unique(lit)
        part = rows if view.polygon else lit
        show_making(session, view, chosen, [table.ids[row] for row in part[part >= 0].tolist()])
        show_selection(
            session, view, filtered, chosen, table, rows, lit,
            lambda: _image(view, filtered, shown, chosen, bool(_simulated(table))),
        )  # fmt: skip
    page_frame.status(
        f"map n={len(shown.placement)} shown={int(shown.mask.sum())} "
        f"selected={int(shown.chosen.sum())}"
    )


def _image(
    view: View, filtered: Filtered, shown: Shown, chosen: Derivation, simulated: bool
) -> MapFigure:
    """The map as currently shown, as a file."""
    facts = [f"{int(shown.mask.sum()):,} of {len(shown.placement):,} points"]
    facts += [filtered.question] if filtered.question else []
    facts += [f"map {chosen.id[:12]} of {view.collection}"]
    return map_image(
        shown.placement, shown.colours.codes, shown.mask, shown.colours.legend,
        polygon=view.polygon, title=title(chosen), subtitle=" · ".join(facts),
        simulated=simulated,
    )  # fmt: skip


def _shown(
    session: WorkspaceSession,
    view: View,
    table: FacetTable,
    filtered: Filtered,
    chosen: Derivation,
    colour: str,
) -> Shown:
    placement = session.placement(chosen.id)
    rows = session.keep(
        ("rows", chosen.id, view.collection, session.version),
        lambda: np.fromiter(
            (table.index.get(identity, -1) for identity in placement.ids), np.intp, len(placement)
        ),
    )
    trust = session.array(chosen.id, "trust")[placement.rows]
    colours = session.keep(
        ("colours", chosen.id, colour, view.collection, session.version),
        lambda: point_colours.colouring(colour, table, rows, trust),
    )
    passing = np.append(filtered.mask, False)[rows]
    off = point_colours.hidden_codes(colours.legend, view.hidden)
    lit = passing & ~np.isin(colours.codes, off) if off else passing
    inside = placement.inside(view.polygon) & lit if view.polygon else np.zeros_like(lit)
    return Shown(placement, rows, passing, lit, inside, colours)


def _mount(session: WorkspaceSession, view: View, shown: Shown, chosen: Derivation) -> None:
    legend = shown.colours.legend
    off = point_colours.hidden_codes(legend, view.hidden)
    # The browser applies the legend itself, so that a click on it is instant.
    mask = None if shown.passing.all() else session.blobs.put(pack_mask(shown.passing))
    urls = MapUrls(
        xy=f"/motif/maps/{chosen.id}/xy.bin",
        colour=f"/motif/blobs/{session.blobs.put(shown.colours.codes.tobytes())}.bin",
        mask=f"/motif/blobs/{mask}.bin" if mask else None,
        points=f"/motif/maps/{chosen.id}",
    )
    drawing = MapDrawing(
        chosen.id, urls, shown.placement.bounds, legend, view.polygon, off,
        current=shown.placement.positions.get(view.id, -1) if view.id else -1,
        pictures=view.pictures == PICTURES,
    )  # fmt: skip
    events = MapEvents(_on_selection, lambda: _on_hidden(legend.labels), _on_click, _on_pictures)
    show_map(COMPONENT, drawing, events)


def _on_selection() -> None:
    chosen = st.session_state[COMPONENT].get("selection")
    corners = chosen["polygon"] if chosen else []
    current_view.change(polygon=tuple((float(x), float(y)) for x, y in corners), id="")


def _on_hidden(labels: Sequence[str]) -> None:
    hidden = st.session_state[COMPONENT].get("hidden")
    places = hidden["places"] if hidden else []
    current_view.change(hidden=tuple(labels[place] for place in places if place < len(labels)))


def _on_pictures() -> None:
    shown = st.session_state[COMPONENT].get("pictures")
    if shown:
        current_view.change(pictures=PICTURES if shown["on"] else "")


def _on_click() -> None:
    clicked = st.session_state[COMPONENT].get("clicked")
    if clicked:
        placement = lab().placement(str(clicked["map"]))
        index = int(clicked["index"])
        if 0 <= index < len(placement):
            current_view.change(id=placement.ids[index])


def _about(chosen: Derivation, maps: list[Derivation]) -> str:
    made = f"made {ago(chosen.created_at)}"
    whole = [map_ for map_ in maps if is_whole(map_)]
    newer = len(whole) - 1 - whole.index(chosen) if chosen in whole else 0
    return f"{made} · {count(newer, 'newer map')} available" if newer else made


def _words(offered: list[str]) -> dict[str, str]:
    return {name: name.replace("_", " ").capitalize() for name in offered}


def _simulated(table: FacetTable) -> int:
    column = table.columns.get("simulated")
    if column is None or "true" not in column.labels:
        return 0
    return int((column.codes == column.labels.index("true")).sum())
