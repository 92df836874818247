"""What a search found: a ranked wall of pictures, what they share, and what may mislead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import numpy as np
import streamlit as st

from motif.analysis.search import Alarm, Hit
from motif.core.records import FacetValue
from motif.dashboard.captions import SHOWN
from motif.dashboard.facets import FacetTable
from motif.dashboard.parts import frame
from motif.dashboard.parts.gallery import Tile, show_gallery
from motif.dashboard.parts.selection import summary
from motif.dashboard.thumbnails import thumbnail_url

COMPARED = ("material", "mode", "operator", "instrument", "substrate", "technique", "outcome")
"""Facets worth naming when question and answer share them."""


def show_wall(
    hits: Sequence[Hit],
    table: FacetTable,
    own: Mapping[str, FacetValue],
    common: str,
    *,
    key: str,
    on_pick: Callable[[], None],
) -> None:
    """The hits, nearest first, below what they are and have in common.

    Args:
        own: facets of the one measurement asked with; empty when there are several or none.
        common: what they have more often than the collection, in words.
    """
    rows = np.array([table.index[hit.id] for hit in hits if hit.id in table.index], np.intp)
    frame.quiet(summary(table, rows))
    if common:
        frame.quiet(f"In common: {common}")
    tiles = [_tile(place, hit, table, own) for place, hit in enumerate(hits, 1)]
    show_gallery(tiles, key=key, on_pick=on_pick, tile_width=138)
    if any(hit.correlation is not None for hit in hits):
        frame.quiet("Ranked by the correlation r of the pictures: 1 is the same picture.")
    else:
        frame.quiet("Distance is Euclidean between features: 0 is the same picture.")


def show_alarm(found: Alarm) -> None:
    """Whether instrument, tip, operator or session explain the answer; loud only when they do."""
    if not found.confounded:
        frame.quiet(found.sentence)
        return
    named = [one for one in (found.material, *found.confounders) if one is not None]
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{escape(one.value)}</td>"
        f"<td>{100 * one.share:.0f} %</td><td>{100 * one.chance:.0f} %</td></tr>"
        for one in named
    )
    head = "<tr><th>Facet</th><th>Value</th><th>Of the results</th><th>Of all</th></tr>"
    st.html(
        f'<div class="motif-alarm" role="alert"><b>This likeness may not be the material\'s.</b> '
        f"{escape(found.sentence)}<details><summary>Figures</summary>"
        f'<table class="motif-table">{head}{rows}</table></details></div>'
    )


def _tile(place: int, hit: Hit, table: FacetTable, own: Mapping[str, FacetValue]) -> Tile:
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
    return Tile(
        hit.id, thumbnail_url(hit.id, tile=hit.tile), table.titles[row], lines, f"{place} · {badge}"
    )  # fmt: skip


def _varies(table: FacetTable, name: str) -> bool:
    """Whether sharing this facet tells anything in this collection."""
    return name in table.columns and len(table.columns[name].labels) > 1
