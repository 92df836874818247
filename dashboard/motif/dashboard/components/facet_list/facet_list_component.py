"""The filter panel: facets of a collection with counts that follow the filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from motif.dashboard.components import component_assets
from motif.dashboard.data.facet_table import Bins, Column, FacetTable, bins_for
from motif.dashboard.data.view_filter import Filtered, parse_range

_component = st.components.v2.component(
    "motif.facets",
    js=component_assets.text("facet_list/facet_list.js"),
    css=component_assets.text("facet_list/facet_list.css"),
)

OPTIONS = 12
"""Largest number of categories listed; the others can be named in the query text."""

TOO_MANY = 200
"""Largest number of values of a listed facet; one with more identifies rather than groups."""

OPEN = 3
"""Facets unfolded at first."""

HIDDEN = frozenset({"channels"})


def show_facets(
    table: FacetTable,
    filtered: Filtered,
    choices: Mapping[str, tuple[str, ...]],
    *,
    key: str,
    on_change: Callable[[], None],
) -> Any:
    """Mount the panel; the result's `changed` says which facet was set to what."""
    described = [
        one
        for name, column in table.columns.items()
        if name not in HIDDEN
        and (one := _described(column, filtered, choices.get(name, ()))) is not None
    ]
    return _component(
        key=key, data={"facets": described, "open": OPEN}, on_changed_change=on_change
    )


def chosen_values(table: FacetTable, change: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """A `changed` event as facet name and the values for the view."""
    name = str(change["facet"])
    if change.get("range"):
        bins = bins_for(table.columns[name])
        return name, (bins.spelled(*change["range"]),) if bins else ()
    return name, tuple(str(value) for value in change.get("values") or ())


def _described(
    column: Column, filtered: Filtered, chosen: tuple[str, ...]
) -> dict[str, Any] | None:
    label = column.name.replace("_", " ").capitalize()
    head = {"name": column.name, "label": label, "active": bool(chosen)}
    base = filtered.without(column.name)
    if column.kind != "category":
        bins = bins_for(column)
        if bins is None:
            return None
        low, high = _ends(bins, column, chosen)
        counts = bins.counts(column.values[base])
        return {**head, "edges": bins.texts(), "counts": counts, "low": low, "high": high}
    fewest = 2 if column.member is None else 1
    if not fewest <= len(column.labels) <= TOO_MANY and not chosen:
        return None
    tally = column.counts(base)
    everywhere = column.counts(filtered.typed | True)
    order = sorted(range(len(tally)), key=lambda code: (-everywhere[code], column.labels[code]))
    listed = [c for c in order if column.labels[c] in chosen or order.index(c) < OPTIONS]
    options = [
        {"value": column.labels[c], "count": int(tally[c]), "on": column.labels[c] in chosen}
        for c in listed
    ]
    return {**head, "options": options, "more": len(tally) - len(listed)}


def _ends(bins: Bins, column: Column, chosen: tuple[str, ...]) -> tuple[int, int]:
    limits = parse_range(chosen[0], column.kind) if chosen else None
    if limits is None:
        return 0, len(bins.edges) - 1
    return bins.nearest(limits[0]), bins.nearest(limits[1])
