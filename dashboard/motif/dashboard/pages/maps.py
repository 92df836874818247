"""Map: every measurement as a point, alike ones together; filter, hover, lasso."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from motif.core.catalog import Derivation
from motif.dashboard import colouring, state
from motif.dashboard.atlas import is_whole, newest, title
from motif.dashboard.colouring import Colouring
from motif.dashboard.drawing import Drawing, draw
from motif.dashboard.facets import FacetTable
from motif.dashboard.filters import Filtered
from motif.dashboard.lab import Lab, lab
from motif.dashboard.parts import frame
from motif.dashboard.parts.filterbar import show_filter
from motif.dashboard.parts.making import show_making, turn_to_made
from motif.dashboard.parts.map import MapUrls, show_map
from motif.dashboard.parts.mapway import show_tree, show_way
from motif.dashboard.parts.publishing import show_published, show_publishing
from motif.dashboard.parts.selection import show_selection
from motif.dashboard.placement import Placement, pack_mask
from motif.dashboard.quantities import ago, count
from motif.dashboard.view import View

COMPONENT = "map"
PICTURES = "on"
"""Value of the address where some points are shown as pictures."""


@dataclass(frozen=True)
class Shown:
    """What the map shows: one entry a point, in the order of the placement."""

    placement: Placement
    rows: NDArray[np.intp]
    """Row of each point in the facet table, -1 for measurements that are gone."""
    passing: NDArray[np.bool_]
    """Points that pass the filter."""
    mask: NDArray[np.bool_]
    """Those of them the legend shows."""
    chosen: NDArray[np.bool_]
    """Points inside the lasso, of those."""
    colours: Colouring


def show() -> None:
    """Draw the page."""
    here = lab()
    turn_to_made()
    view = state.current()
    collections = here.collections()
    if not collections:
        frame.heading("Map")
        frame.empty(
            "Nothing has been taken in yet",
            "A map shows every image as a point, alike ones together. Name a source in motif.toml, "
            "then take it in, or try the simulated lab.",
            ["motif ingest SOURCE", "motif demo"],
        )
        frame.status("map empty")
        return
    maps = {name: here.derivations("projection", name, view.at) for name in collections}
    name = view.collection if view.collection in collections else ""
    name = name or next((one for one in collections if maps[one]), next(iter(collections)))
    view = replace(view, collection=name)
    with st.sidebar:
        if len(collections) > 1:
            state.choose("Collection", list(collections), name, field="collection")
    table = here.table(name)
    filtered = show_filter(here, view, table)
    if not maps[name]:
        frame.heading("Map")
        images = "image" in collections[name]
        frame.empty(
            f"There is no map of {name} yet",
            "Its images need features first, then a projection onto the plane."
            if images
            else "Its spectra are compared as they are and need a projection onto the plane.",
            [*([f"motif embed {name}"] if images else []), f"motif project {name}"],
        )
        frame.status("map missing")
        return
    _show_map(here, view, table, filtered, maps[name])


def _show_map(
    here: Lab, view: View, table: FacetTable, filtered: Filtered, maps: list[Derivation]
) -> None:
    chosen = next((one for one in maps if one.id == view.map), newest(maps))
    offered = colouring.choices(table)
    colour = view.colour if view.colour in offered else colouring.preferred(table)
    shown = _shown(here, view, table, filtered, chosen, colour)
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        with st.container():
            frame.heading("Map", _about(chosen, maps), bool(_simulated(table)))
            show_way(view, chosen, maps)
        if len(maps) > 1:
            show_tree(view, chosen, maps)
        show_publishing(here, view.collection, chosen)
        with st.container(width=250):
            state.choose("Colour", offered, colour, field="colour", names=_words(offered))
    show_published(here)
    left, right = st.columns([2.35, 1], gap="medium")
    with left:
        _mount(here, view, shown, chosen)
    with right:
        rows, lit = shown.rows[shown.chosen], shown.rows[shown.mask]
        if chosen.parameters.get("tiles"):  # each measurement is several points
            rows, lit = np.unique(rows), np.unique(lit)
        part = rows if view.polygon else lit
        show_making(here, view, chosen, [table.ids[row] for row in part[part >= 0].tolist()])
        show_selection(
            here, view, filtered, chosen, table, rows, lit,
            lambda: _drawing(view, filtered, shown, chosen, bool(_simulated(table))),
        )  # fmt: skip
    frame.status(
        f"map n={len(shown.placement)} shown={int(shown.mask.sum())} "
        f"selected={int(shown.chosen.sum())}"
    )


def _drawing(
    view: View, filtered: Filtered, shown: Shown, chosen: Derivation, simulated: bool
) -> Drawing:
    words = [f"{int(shown.mask.sum()):,} of {len(shown.placement):,} points"]
    words += [filtered.question] if filtered.question else []
    words += [f"map {chosen.id[:12]} of {view.collection}"]
    words += ["simulated data"] if simulated else []
    return draw(
        shown.placement, shown.colours.codes, shown.mask, shown.colours.legend, view.polygon,
        title(chosen), " · ".join(words),
    )  # fmt: skip


def _shown(
    here: Lab, view: View, table: FacetTable, filtered: Filtered, chosen: Derivation, colour: str
) -> Shown:
    placement = here.placement(chosen.id)
    rows = here.keep(
        ("rows", chosen.id, view.collection, here.version),
        lambda: np.fromiter(
            (table.index.get(one, -1) for one in placement.ids), np.intp, len(placement)
        ),
    )
    trust = here.array(chosen.id, "trust")[placement.rows]
    colours = here.keep(
        ("colours", chosen.id, colour, view.collection, here.version),
        lambda: colouring.colouring(colour, table, rows, trust),
    )
    passing = np.append(filtered.mask, False)[rows]
    off = colouring.hidden_codes(colours.legend, view.hidden)
    lit = passing & ~np.isin(colours.codes, off) if off else passing
    inside = placement.inside(view.polygon) & lit if view.polygon else np.zeros_like(lit)
    return Shown(placement, rows, passing, lit, inside, colours)


def _mount(here: Lab, view: View, shown: Shown, chosen: Derivation) -> None:
    legend = shown.colours.legend
    off = colouring.hidden_codes(legend, view.hidden)
    # The browser applies the legend itself, so that a click on it is instant.
    mask = None if shown.passing.all() else here.blobs.put(pack_mask(shown.passing))
    urls = MapUrls(
        xy=f"/motif/maps/{chosen.id}/xy.bin",
        colour=f"/motif/blobs/{here.blobs.put(shown.colours.codes.tobytes())}.bin",
        mask=f"/motif/blobs/{mask}.bin" if mask else None,
        points=f"/motif/maps/{chosen.id}",
    )
    show_map(
        key=COMPONENT, map_key=chosen.id, urls=urls, bounds=shown.placement.bounds,
        legend=legend, polygon=view.polygon, hidden=off,
        current=shown.placement.positions.get(view.id, -1) if view.id else -1,
        pictures=view.pictures == PICTURES, on_pictures=_on_pictures,
        on_selection=_on_selection, on_hidden=lambda: _on_hidden(legend.labels), on_click=_on_click,
    )  # fmt: skip


def _on_selection() -> None:
    chosen = st.session_state[COMPONENT].get("selection")
    corners = chosen["polygon"] if chosen else []
    state.change(polygon=tuple((float(x), float(y)) for x, y in corners), id="")


def _on_hidden(labels: Sequence[str]) -> None:
    hidden = st.session_state[COMPONENT].get("hidden")
    places = hidden["places"] if hidden else []
    state.change(hidden=tuple(labels[place] for place in places if place < len(labels)))


def _on_pictures() -> None:
    told = st.session_state[COMPONENT].get("pictures")
    if told:
        state.change(pictures=PICTURES if told["on"] else "")


def _on_click() -> None:
    clicked = st.session_state[COMPONENT].get("clicked")
    if clicked:
        placement = lab().placement(str(clicked["map"]))
        index = int(clicked["index"])
        if 0 <= index < len(placement):
            state.change(id=placement.ids[index])


def _about(chosen: Derivation, maps: list[Derivation]) -> str:
    made = f"made {ago(chosen.created_at)}"
    whole = [one for one in maps if is_whole(one)]
    newer = len(whole) - 1 - whole.index(chosen) if chosen in whole else 0
    return f"{made} · {count(newer, 'newer map')} available" if newer else made


def _words(offered: list[str]) -> dict[str, str]:
    return {name: name.replace("_", " ").capitalize() for name in offered}


def _simulated(table: FacetTable) -> int:
    column = table.columns.get("simulated")
    if column is None or "true" not in column.labels:
        return 0
    return int((column.codes == column.labels.index("true")).sum())
