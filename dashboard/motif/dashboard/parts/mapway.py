"""Where a map hangs: the way down to it, and the tree of all maps; each step is a link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from motif.core.catalog import Derivation
from motif.dashboard import atlas
from motif.dashboard.links import link
from motif.dashboard.quantities import ago
from motif.dashboard.view import View

LISTED = 60
"""Maps in the tree; older ones keep their address."""

LETTERS = 44


def show_way(view: View, chosen: Derivation, maps: Sequence[Derivation]) -> None:
    """Links from the whole map down to the one shown; nothing for a whole one."""
    way = atlas.lineage(chosen, maps)
    if len(way) < 2:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="way", gap="small"):
        for place, one in enumerate(way):
            icon = ":material/chevron_right:" if place else ":material/scatter_plot:"
            link("map", _at(view, one), _words(one), icon, disabled=one is way[-1])


def show_tree(view: View, chosen: Derivation, maps: Sequence[Derivation]) -> None:
    """A list one can unfold of every map, parts below the map they are part of."""
    with st.popover(f"{len(maps)} maps", icon=":material/account_tree:"):
        for branch in atlas.tree(maps)[:LISTED]:
            indent = "\u2003" * branch.depth + ("└ " if branch.depth else "")
            label = f"{indent}{_words(branch.map)} · {ago(branch.map.created_at)}"
            link("map", _at(view, branch.map), label, disabled=branch.map is chosen)


def _at(view: View, made: Derivation) -> View:
    return replace(view, map=made.id, polygon=(), id="")


def _words(made: Derivation) -> str:
    """Name and size of a map, without what a label would take for markup."""
    name = "".join(c for c in atlas.title(made) if c not in "[]()*_`$:~\\<>#|")
    short = name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"
    count = made.summary.get("count")
    return short if count is None else f"{short} ({count:,})"
