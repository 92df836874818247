"""A gallery of thumbnails with lazy loading and keyboard navigation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from motif.dashboard.components import component_assets

_component = st.components.v2.component(
    "motif.gallery",
    js=component_assets.text("gallery/gallery.js"),
    css=component_assets.text("gallery/gallery.css"),
)


@dataclass(frozen=True)
class GalleryTile:
    """One thumbnail with its caption, shown as plain text."""

    id: str
    image: str
    title: str
    lines: Sequence[str] = ()
    badge: str = ""


def show_gallery(
    tiles: Sequence[GalleryTile],
    *,
    key: str,
    on_pick: Callable[[], None],
    current: str = "",
    tile_width: int = 128,
) -> Any:
    """Mount the gallery; the result's `picked` is the id of the tile clicked in this run."""
    return _component(
        key=key,
        data={
            "items": [asdict(tile) for tile in tiles], "current": current, "tile": tile_width,
        },
        on_picked_change=on_pick,
    )  # fmt: skip
