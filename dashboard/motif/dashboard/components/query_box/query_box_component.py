"""The query field with completion of facets, operators, values and units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from motif.dashboard.components import component_assets
from motif.dashboard.data.query_vocabulary import Mistake, Word

_component = st.components.v2.component(
    "motif.query",
    js=component_assets.text("query_box/complete.js", "query_box/query_box.js"),
    css=component_assets.text("query_box/query_box.css"),
)


def show_query(
    value: str,
    words: Sequence[Word],
    mistake: Mistake | None,
    *,
    placeholder: str,
    key: str,
    on_asked: Callable[[], None],
) -> Any:
    """Mount the box; in the callback `asked` of its session state holds the ``query``.

    Args:
        value: the query of the view.
        words: what completion offers.
        mistake: marked in the text and explained below it.
        placeholder: an example, shown while nothing is written.
        key: widget key.
        on_asked: called when Enter or a correction asks for another query.
    """
    return _component(
        key=key,
        data={
            "value": value, "words": [word.document() for word in words],
            "mistake": None if mistake is None else mistake.document(),
            "placeholder": placeholder,
        },
        on_asked_change=on_asked,
    )  # fmt: skip
