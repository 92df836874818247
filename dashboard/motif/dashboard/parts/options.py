"""How an answer may differ from the plain nearest: kept apart, spread out, compared as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from motif.core.records import FacetValue
from motif.dashboard import state
from motif.dashboard.asking import FREEDOMS, options_of
from motif.dashboard.facets import FacetTable
from motif.dashboard.parts import frame
from motif.dashboard.view import View

WIDTH = 340
SAMPLE_OF = ("record", "session")
"""What has no facet of its own and can still be the same."""
WORDS = {
    "": "features alone", "exact": "pictures as they are", "rotation": "pictures, turned too",
    "rotation,mirror": "pictures, turned and mirrored too",
    "rotation,mirror,inversion": "pictures, turned, mirrored and inverted too",
}  # fmt: skip


def show_options(view: View, table: FacetTable, own: dict[str, FacetValue] | None) -> None:
    """A menu; `own` are the facets of what is asked with, None where a file tells them."""
    told = options_of(view)
    label = f"Options ({len(told)})" if told else "Options"
    names = _offered(table, own)
    with st.popover(label, icon=":material/filter_alt:"), st.container(width=WIDTH):
        _several("Not of the same", (*SAMPLE_OF, *names), "not_same", view.not_same)
        _several("Of another", names, "different", view.different)
        _slider("Diversity", view.diversity)
        _choice(view.up_to)
        _distance(view.within)
        if told:
            st.button("Plain nearest", type="tertiary", key="plain-nearest", on_click=forget)
        frame.quiet(
            "Not of the same keeps out what shares the question's value; of another also keeps "
            "out what does not tell it. Diversity spreads the answer over what there is."
        )


def forget() -> None:
    """Drop all of them."""
    state.change(not_same=(), different=(), diversity="", up_to="", within="")


def _offered(table: FacetTable, own: dict[str, FacetValue] | None) -> tuple[str, ...]:
    return tuple(
        name
        for name, column in table.columns.items()
        if column.kind == "category"
        and column.member is None
        and len(column.labels) > 1
        and (own is None or name in own)
    )


def _several(label: str, names: Sequence[str], field: str, chosen: Sequence[str]) -> None:
    key = f"search-{field}"
    st.session_state[key] = [name for name in chosen if name in names]
    st.multiselect(
        label, names, key=key, placeholder="nothing kept out", on_change=_on_several,
        args=(key, field), format_func=lambda name: name.replace("_", " "),
    )  # fmt: skip


def _on_several(key: str, field: str) -> None:
    fields: dict[str, Any] = {field: tuple(st.session_state[key])}
    state.change(**fields)


def _slider(label: str, chosen: str) -> None:
    st.session_state["search-diversity"] = float(options_of(View(diversity=chosen)).get(
        "diversity", 0.0
    ))  # fmt: skip
    st.slider(label, 0.0, 1.0, step=0.1, key="search-diversity", on_change=_on_diversity)


def _on_diversity() -> None:
    value = float(st.session_state["search-diversity"])
    # The two ways of ranking exclude each other; the one touched last counts.
    state.change(diversity=f"{value:g}" if value else "", **({"up_to": ""} if value else {}))


def _choice(chosen: str) -> None:
    st.session_state["search-up_to"] = chosen if chosen in FREEDOMS else ""
    st.selectbox(
        "Compare", FREEDOMS, key="search-up_to", format_func=WORDS.__getitem__,
        on_change=_on_choice,
    )  # fmt: skip


def _on_choice() -> None:
    value = str(st.session_state["search-up_to"])
    state.change(up_to=value, **({"diversity": ""} if value else {}))


def _distance(chosen: str) -> None:
    st.session_state["search-within"] = options_of(View(within=chosen)).get("within")
    st.number_input(
        "At most this distance", min_value=0.0, step=0.1, key="search-within",
        placeholder="any", on_change=_on_distance,
    )  # fmt: skip


def _on_distance() -> None:
    value = st.session_state["search-within"]
    state.change(within="" if value is None else f"{value:g}")
