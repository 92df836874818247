"""The map component: a WebGL scatter that gets URLs and gives back a polygon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from motif.dashboard.parts import assets
from motif.dashboard.placement import Bounds

_component = st.components.v2.component(
    "motif.map",
    js=assets.text("points.js", "paint.js", "furniture.js", "pictures.js", "gestures.js", "map.js"),
    css=assets.text("map.css"),
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
    """Where the browser finds the bytes.

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


def show_map(
    *,
    key: str,
    map_key: str,
    urls: MapUrls,
    bounds: Bounds,
    legend: Legend,
    polygon: Sequence[Sequence[float]],
    hidden: Sequence[int],
    on_selection: Callable[[], None],
    on_hidden: Callable[[], None],
    on_click: Callable[[], None],
    on_pictures: Callable[[], None],
    current: int = -1,
    pictures: bool = False,
) -> Any:
    """Mount the map; callbacks find `selection`, `hidden`, `clicked` or `pictures` in its state.

    The view lives in the address alone: the component reports events and keeps no state there.

    Args:
        key: widget key, under which session state holds the component's state.
        map_key: the projection shown; comes back with a click.
        polygon: present selection in data coordinates, empty for none.
        hidden: categories switched off in the legend.
        current: the point that is open, -1 for none.
        pictures: whether some points are drawn as pictures.
    """
    return _component(
        key=key,
        data={
            "key": map_key, **asdict(urls), "bounds": asdict(bounds), "legend": asdict(legend),
            "polygon": [list(corner) for corner in polygon], "hidden": list(hidden),
            "current": current, "pictures": pictures,
        },
        on_selection_change=on_selection,
        on_hidden_change=on_hidden,
        on_clicked_change=on_click,
        on_pictures_change=on_pictures,
    )  # fmt: skip
