"""Model cards: description, accuracy, and invariance on the workspace's own images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from motif.analysis.symmetry.models.model_cards_data import (
    Comparison,
    InvarianceMeasurement,
    ModelCard,
)
from motif.dashboard.components import page_frame
from motif.dashboard.data.number_format import ago, count

WORDS = {
    "images": "held-out patterns", "accuracy_17": "right one of 17 groups, clean",
    "accuracy_17_4_cells": "right one of 17 groups, clean, four cells in view",
    "accuracy_17_artefacts": "right one of 17 groups, with scan artefacts",
    "accuracy_17_artefacts_4_cells": "right one of 17 groups, with scan artefacts, four cells",
    "accuracy_22": "right one of 22 kinds, clean",
    "accuracy_22_artefacts": "right one of 22 kinds, with scan artefacts",
    "lattice_found": "lattices recognised, clean",
    "lattice_found_artefacts": "lattices recognised, with scan artefacts",
    "lattice_mistaken": "classified as a lattice without having one, clean",
    "lattice_mistaken_artefacts": "classified as a lattice without having one, with scan artefacts",
    "accuracy_22_by_kind": "right kind, clean",
    "accuracy_22_artefacts_by_kind": "right kind, with scan artefacts",
    "invariance": "change of the features",
}  # fmt: skip
"""Labels of the figures of a model card; others are shown by their names."""
HELD_OUT = ("accuracy_17", "accuracy_17_artefacts")
"""Figures shown in the first lines of a card."""
SHARES = ("accuracy_", "lattice_")
"""Prefixes of figures that are shares of the patterns."""
CONDITIONS = frozenset({"held_out_seed", "seconds"})
"""Other entries of a card that are shown."""
MADE = ("command", "seed", "images", "seconds", "hardware", "torch")
DIGITS = 12
LEAST = 0.0005
"""Changes below this are printed as zero."""


def show_card(card: ModelCard) -> None:
    """The card of one model; the page adds buttons and choices."""
    mark = '<span class="motif-chosen">in use</span>' if card.selected else ""
    st.html(
        f'<div class="motif-collection"><b>{escape(card.name)}</b>{mark}'
        f"<span>{escape(card.kind)}</span><em>{escape(card.what)}</em></div>"
    )
    used = ", ".join(f"{count(n, 'image')} of {name}" for name, n in card.embedded.items())
    lines = [("describes", used or "no images yet", "images that have features by it")]
    lines += [
        (WORDS[figure], f"{100 * card.figures[figure]:.1f} %", "on held-out patterns")
        for figure in HELD_OUT
        if figure in card.figures
    ]
    if card.sha256:
        lines.append(("weights", f"SHA-256 {card.sha256[:DIGITS]}…", card.sha256))
    page_frame.facts(lines)
    for report in card.measured[-1:]:
        show_invariance(report)
    if card.limits or any(name in card.document for name in MADE):
        with st.expander("Training and limits"):
            page_frame.facts(
                [(name, str(card.document[name]), "") for name in MADE if name in card.document]
            )
            for limit in card.limits:
                page_frame.quiet(f"Limit: {limit}.")


def show_invariance(found: InvarianceMeasurement) -> None:
    """How much turning and mirroring images changes their features."""
    page_frame.quiet(
        f"On {count(found.images, 'image')} of {found.collection}, {ago(found.created_at)}: "
        "squared change of the features over the typical squared distance of two images."
    )
    rows = [
        (change, _change(value), _change(found.highest[change]), f"{found.counts[change]:,}")
        for change, value in found.changes.items()
    ]
    table(("What was done", "Mean", "95 % below", "Images"), rows)


def show_comparison(found: Comparison) -> None:
    """A table of figures by model, and how far the models agree on nearest neighbours."""
    for agreement in found.agreements:
        page_frame.quiet(
            f"{agreement.first} and {agreement.second} share {100 * agreement.shared:.0f} % of "
            "an image's ten nearest, among "
            f"{count(agreement.images, 'image')} of {agreement.collection}."
        )
    rows = [
        (_words(figure), *(_figure(figure, values.get(name)) for name in found.models))
        for figure, values in found.figures.items()
        if figure not in CONDITIONS
    ]
    if rows:
        table(("Figure", *found.models), rows)
    else:
        page_frame.quiet("None of them has been measured yet; measure them on a collection.")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A plain table; every cell is shown as text."""
    top = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    st.html(f'<table class="motif-table motif-numbers"><tr>{top}</tr>{body}</table>')


def show_measuring(
    card: ModelCard, collections: Sequence[str], start: Callable[[str, str], None], *, busy: bool
) -> None:
    """A button that measures a model on one of the collections of images."""
    if len(collections) == 1:
        chosen = collections[0]
    else:
        chosen = str(
            st.selectbox(
                "On", collections, key=f"measure-on-{card.name}", width=170,
                label_visibility="collapsed",
            )
        )  # fmt: skip
    st.button(
        "Measure" if len(collections) > 1 else f"Measure on {chosen}",
        key=f"measure-{card.name}", icon=":material/straighten:", disabled=busy, on_click=start,
        args=(card.name, chosen),
        help="Turns, mirrors and shifts up to 200 of your images and reports how little "
        "their features change.",
    )  # fmt: skip


def _words(figure: str) -> str:
    whole, _, part = figure.partition(".")
    words = WORDS.get(whole) or whole.replace("_", " ")
    return f"{words}: {part}" if part else words


def _change(value: float) -> str:
    return "0" if value < LEAST else f"{value:.3f}"


def _figure(figure: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if figure.startswith(SHARES) else f"{value:.4g}"
