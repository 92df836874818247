"""The map component: a WebGL scatter that gets URLs and returns a polygon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from motif.dashboard.components import component_assets
from motif.dashboard.data.point_grid import Bounds

_component = st.components.v2.component(
    "motif.map",
    js=component_assets.text(
        *(
            f"map_view/{name}.js"
            for name in ("points", "paint", "legend_and_hover", "pictures", "gestures", "map")
        )
    ),
    css=component_assets.text("map_view/map.css"),
)


@dataclass(frozen=True)
class Legend:
    """What the colours mean: one entry a category, or the two ends of a scale."""

    title: str
    colours: Sequence[str]
    continuous: bool = False
    labels: Sequence[str] = ()
    counts: Sequence[int] = ()
    low: str = ""
    high: str = ""


@dataclass(frozen=True)
class MapUrls:
    """Addresses of the bytes the browser loads.

    Attributes:
        xy: uint16 pairs.
        colour: uint8 a point, an index into the legend's colours.
        mask: one bit a point that passes the filter; None when all do.
        points: prefix of ``/<index>.json`` and ``/<index>.webp``.
    """

    xy: str
    colour: str
    mask: str | None
    points: str


@dataclass(frozen=True)
class MapDrawing:
    """What the map shows.

    Attributes:
        key: the projection shown; comes back with a click.
        polygon: present selection in data coordinates, empty for none.
        hidden: categories switched off in the legend.
        current: the point that is open, -1 for none.
        pictures: whether some points are drawn as pictures.
    """

    key: str
    urls: MapUrls
    bounds: Bounds
    legend: Legend
    polygon: Sequence[Sequence[float]] = ()
    hidden: Sequence[int] = ()
    current: int = -1
    pictures: bool = False

    def document(self) -> dict[str, Any]:
        """The JSON form sent to the browser."""
        return {
            "key": self.key, **asdict(self.urls), "bounds": asdict(self.bounds),
            "legend": asdict(self.legend), "polygon": [list(corner) for corner in self.polygon],
            "hidden": list(self.hidden), "current": self.current, "pictures": self.pictures,
        }  # fmt: skip


@dataclass(frozen=True)
class MapEvents:
    """Callbacks of the map, each called without arguments when the state has changed."""

    selection: Callable[[], None]
    hidden: Callable[[], None]
    click: Callable[[], None]
    pictures: Callable[[], None]


def show_map(key: str, drawing: MapDrawing, events: MapEvents) -> Any:
    """Mount the map; callbacks find `selection`, `hidden`, `clicked` or `pictures` in its state.

    The view is stored in the address alone: the component reports events and keeps no state.

    Args:
        key: widget key, under which session state has the component's state.
        drawing: what is shown.
        events: what is called on a selection, a hidden category, a click, a switch to pictures.
    """
    return _component(
        key=key,
        data=drawing.document(),
        on_selection_change=events.selection,
        on_hidden_change=events.hidden,
        on_clicked_change=events.click,
        on_pictures_change=events.pictures,
    )
