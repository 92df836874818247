"""A picture on which a region can be drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from motif.analysis.search.search_example import SMALLEST
from motif.dashboard.components import component_assets

_component = st.components.v2.component(
    "motif.region",
    js=component_assets.text("region/region.js"),
    css=component_assets.text("region/region.css"),
)


def show_region(
    image: str,
    title: str,
    region: Sequence[float] | None,
    shape: tuple[int, int],
    *,
    key: str,
    on_drawn: Callable[[], None],
) -> Any:
    """Mount the picture; `drawn` holds the region as shares of width and height, or None."""
    return _component(
        key=key,
        data={
            "image": image,
            "title": title,
            "aspect": shape[1] / shape[0],
            "region": None if region is None else list(region),
        },
        on_drawn_change=on_drawn,
    )


def to_pixels(region: Sequence[float], shape: tuple[int, int]) -> str:
    """Shares (x, y, width, height) as ``x,y,width,height`` in pixels of an image (y, x).

    A region too small to hold a pattern is widened about its centre.
    """
    spans = []
    for start, length, size in zip(region[:2], region[2:], shape[::-1], strict=True):
        pixels = min(size, max(SMALLEST, round(length * size)))
        middle = (start + length / 2) * size
        spans.append((min(size - pixels, max(0, round(middle - pixels / 2))), pixels))
    (x, width), (y, height) = spans
    return f"{x},{y},{width},{height}"


def to_shares(roi: str, shape: tuple[int, int]) -> list[float] | None:
    """The inverse of `to_pixels`; None if the text is not a region of the image."""
    try:
        x, y, width, height = (int(part) for part in roi.split(","))
    except ValueError:
        return None
    high, wide = shape
    if min(x, y) < 0 or min(width, height) < SMALLEST or x + width > wide or y + height > high:
        return None
    return [x / wide, y / high, width / wide, height / high]
