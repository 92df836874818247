"""The ancestors of a map and the tree of all maps; each entry is a link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from motif.analysis.projection.projection_request import ProjectionRequest
from motif.core.catalog.database import Derivation
from motif.dashboard.auth.permissions import may_change
from motif.dashboard.components import component_assets, page_frame
from motif.dashboard.data.number_format import ago, count, duration, moment
from motif.dashboard.panels import map_navigation_panel
from motif.dashboard.state import current_view
from motif.dashboard.state.current_view import link
from motif.dashboard.state.pinned_view import News, Pin
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession, lab

LISTED = 60
"""Largest number of maps in the tree; older ones keep their address."""

LETTERS = 44


def show_way(view: View, chosen: Derivation, maps: Sequence[Derivation]) -> None:
    """Links from the map of the whole collection down to the one shown; nothing for a whole map."""
    way = map_navigation_panel.lineage(chosen, maps)
    if len(way) < 2:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="way", gap="small"):
        for place, step in enumerate(way):
            icon = ":material/chevron_right:" if place else ":material/scatter_plot:"
            link("map", _at(view, step), _words(step), icon, disabled=step is way[-1])


def show_tree(view: View, chosen: Derivation, maps: Sequence[Derivation]) -> None:
    """An expandable list of all maps; maps of a selection below the map it was made on."""
    with st.popover(f"{len(maps)} maps", icon=":material/account_tree:"):
        for branch in map_navigation_panel.tree(maps)[:LISTED]:
            indent = "\u2003" * branch.depth + ("└ " if branch.depth else "")
            label = f"{indent}{_words(branch.map)} · {ago(branch.map.created_at)}"
            link("map", _at(view, branch.map), label, disabled=branch.map is chosen)


def _at(view: View, made: Derivation) -> View:
    return replace(view, map=made.id, polygon=(), id="")


def _words(made: Derivation) -> str:
    """Name and size of a map, without what a label would take for markup."""
    name = "".join(c for c in map_navigation_panel.title(made) if c not in "[]()*_`$:~\\<>#|")
    short = name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"
    count = made.summary.get("count")
    return short if count is None else f"{short} ({count:,})"


_component = st.components.v2.component("motif.pin", js=component_assets.text("pin.js"))

LOOK_SECONDS = 30
"""Seconds between two checks for newer data while a page is open."""


def show_newer(page: str) -> None:
    """Pin the address to its moment, and offer newer data."""
    view = current_view.current()
    at = view.at if Pin.parse(view.at) else str(lab().present())
    with st.sidebar:
        with st.container(key="pin"):
            # The parameters are given so that every view that names no moment is pinned.
            _component(key="pin-address", data={"at": at, "view": view.params(), "page": page})
        _offer()


@st.fragment(run_every=LOOK_SECONDS)
def _offer() -> None:
    found = lab().news(current_view.current().at)
    if not found:
        return
    with st.container(key="newer"):
        page_frame.quiet(
            f"{changes_text(found)} since {moment(found.since)} UTC, the moment of this view."
        )
        if st.button("Show the newest", key="show-newest", icon=":material/update:"):
            current_view.change(at="")
            st.rerun()


def changes_text(found: News) -> str:
    """``12 new, 3 updated, 2 deleted, 1 new result``."""
    parts = [
        text
        for number, text in (
            (found.new, f"{found.new:,} new"),
            (found.changed, f"{found.changed:,} updated"),
            (found.gone, f"{found.gone:,} deleted"),
            (found.results, f"{count(found.results, 'new result')}"),
        )
        if number
    ]
    return ", ".join(parts)


FEWEST = 3
"""Smallest number of points of a map."""

TASK = "map-task"
REFRESH_SECONDS = 0.7


def turn_to_made() -> None:
    """Show a projection that has finished; call before the view is read."""
    task = lab().projections.task(st.session_state.get(TASK, ""))
    if task is not None and task.state == "done":
        _forget()
        current_view.change(at="", map=task.map, polygon=(), hidden=(), id="")


def show_making(
    session: WorkspaceSession, view: View, parent: Derivation, ids: Sequence[str]
) -> None:
    """A button that requests a projection of `ids`, or the progress of the requested one."""
    if st.session_state.get(TASK):
        _follow()
    elif may_change() and FEWEST <= len(ids) < int(parent.summary.get("count", len(ids) + 1)):
        st.button(
            f"New map of these {len(ids):,}", key="new-map", icon=":material/add_chart:",
            on_click=_ask, args=(session, view, parent, list(ids)),
            help=("Project the selected measurements alone, so that differences among them become "
                 "visible."),
        )  # fmt: skip


def _ask(session: WorkspaceSession, view: View, parent: Derivation, ids: list[str]) -> None:
    chosen = [", ".join(values) for name, values in sorted(view.facets.items()) if name]
    name = " · ".join([*chosen, view.where.strip()] if view.filtered else []).strip(" ·")
    if view.polygon:
        name = f"{name}, chosen" if name else f"part of {map_navigation_panel.title(parent)}"
    st.session_state[TASK] = session.projections.submit(
        ProjectionRequest(parent.collection, parent=parent.id, ids=tuple(ids), name=name)
    )


@st.fragment(run_every=REFRESH_SECONDS)
def _follow() -> None:
    session = lab()
    task = session.projections.task(st.session_state.get(TASK, ""))
    if task is None or task.state == "cancelled":
        st.session_state.pop(TASK, None)
        st.rerun()
    elif task.state == "done":
        st.rerun()
    elif task.state == "failed":
        page_frame.refusal(task.error)
        st.button("Close", type="tertiary", key="close-map-task", on_click=_forget)
    else:
        what = "Starting" if task.state == "waiting" else "Projecting"
        with st.container(horizontal=True, vertical_alignment="center", key="map-progress"):
            st.html(
                f'<div class="motif-working" role="status">{what} a map of '
                f"{count(task.count, 'point')}, {duration(task.seconds)}</div>", width="stretch",
            )  # fmt: skip
            st.button("Cancel", type="tertiary", key="cancel-map", on_click=_cancel)


def _cancel() -> None:
    lab().projections.cancel(st.session_state.get(TASK, ""))
    _forget()


def _forget() -> None:
    st.session_state.pop(TASK, None)


@dataclass(frozen=True)
class Branch:
    """A map and its depth in the tree."""

    map: Derivation
    depth: int
    title: str


def is_whole(made: Derivation) -> bool:
    """Whether a map shows its collection rather than a selection from it."""
    return not made.parameters.get("parent") and not made.parameters.get("selection")


def newest(maps: Sequence[Derivation]) -> Derivation:
    """The default map: the last one of the whole collection, unfiltered."""
    whole = [map_ for map_ in maps if is_whole(map_)]
    unfiltered = [map_ for map_ in whole if not map_.parameters.get("where")]
    return (unfiltered or whole or list(maps))[-1]


def title(made: Derivation) -> str:
    """The title of a map."""
    return str(made.summary.get("name") or made.parameters.get("where") or made.collection)


def lineage(made: Derivation, maps: Sequence[Derivation]) -> list[Derivation]:
    """The ancestors of a map: the whole one first, itself last."""
    by_id = {map_.id: map_ for map_ in maps}
    way = [made]
    while (parent := by_id.get(str(way[-1].parameters.get("parent", "")))) is not None:
        way.append(parent)
    return way[::-1]


def tree(maps: Sequence[Derivation]) -> list[Branch]:
    """All maps, each followed by those of its parts; the newest whole map first."""
    by_parent: dict[str, list[Derivation]] = {}
    known = {map_.id for map_ in maps}
    for map_ in maps:
        parent = str(map_.parameters.get("parent", ""))
        by_parent.setdefault(parent if parent in known else "", []).append(map_)
    branches: list[Branch] = []

    def hang(ones: Sequence[Derivation], depth: int) -> None:
        for map_ in ones:
            branches.append(Branch(map_, depth, title(map_)))
            hang(by_parent.get(map_.id, []), depth + 1)

    hang(by_parent.get("", [])[::-1], 0)
    return branches
