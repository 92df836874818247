"""A wall of thumbnails that loads lazily and can be walked with the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from motif.dashboard.parts import assets

_component = st.components.v2.component(
    "motif.gallery", js=assets.text("gallery.js"), css=assets.text("gallery.css")
)


@dataclass(frozen=True)
class Tile:
    """One picture with its words; every word is shown as plain text."""

    id: str
    image: str
    title: str
    lines: Sequence[str] = ()
    badge: str = ""


def show_gallery(
    tiles: Sequence[Tile],
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
