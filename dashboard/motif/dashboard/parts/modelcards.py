"""Cards of models: what each is, how well it does, how steady it is on one's own images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from motif.analysis.symmetry.models import Comparison, ModelCard, Steadiness
from motif.dashboard.parts import frame
from motif.dashboard.quantities import ago, count

WORDS = {
    "images": "held-out patterns", "accuracy_17": "right one of 17 groups, clean",
    "accuracy_17_4_cells": "right one of 17 groups, clean, four cells in view",
    "accuracy_17_artefacts": "right one of 17 groups, with scan artefacts",
    "accuracy_17_artefacts_4_cells": "right one of 17 groups, with scan artefacts, four cells",
    "accuracy_22": "right one of 22 kinds, clean",
    "accuracy_22_artefacts": "right one of 22 kinds, with scan artefacts",
    "lattice_found": "lattices told as such, clean",
    "lattice_found_artefacts": "lattices told as such, with scan artefacts",
    "lattice_mistaken": "taken for a lattice without one, clean",
    "lattice_mistaken_artefacts": "taken for a lattice without one, with scan artefacts",
    "accuracy_22_by_kind": "right kind, clean",
    "accuracy_22_artefacts_by_kind": "right kind, with scan artefacts",
    "invariance": "change of the features",
}  # fmt: skip
"""What figures of a maker's card mean; others go by their names."""
HELD_OUT = ("accuracy_17", "accuracy_17_artefacts")
"""Those worth a line of their own, where a card has them."""
SHARES = ("accuracy_", "lattice_")
"""How figures begin that are shares of the patterns."""
CONDITIONS = frozenset({"held_out_seed", "seconds"})
"""What a card tells beside its figures."""
MADE = ("command", "seed", "images", "seconds", "hardware", "torch")
DIGITS = 12
LEAST = 0.0005
"""Changes below this are printed as nothing."""


def show_card(card: ModelCard) -> None:
    """What a model is, in a frame of its own; buttons and choices are up to the page."""
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
    frame.facts(lines)
    for one in card.measured[-1:]:
        show_steadiness(one)
    if card.limits or any(name in card.document for name in MADE):
        with st.expander("How it was made, and its limits"):
            frame.facts(
                [(name, str(card.document[name]), "") for name in MADE if name in card.document]
            )
            for limit in card.limits:
                frame.quiet(f"Limit: {limit}.")


def show_steadiness(found: Steadiness) -> None:
    """How much turning and mirroring images changes their features."""
    frame.quiet(
        f"On {count(found.images, 'image')} of {found.collection}, {ago(found.created_at)}: "
        "squared change of the features over the typical squared distance of two images."
    )
    rows = [
        (change, _change(value), _change(found.highest[change]), f"{found.counts[change]:,}")
        for change, value in found.changes.items()
    ]
    table(("What was done", "Mean", "95 % below", "Images"), rows)


def show_comparison(found: Comparison) -> None:
    """Figures side by side, and how far the models agree on what is alike."""
    for one in found.agreements:
        frame.quiet(
            f"{one.first} and {one.second} share {100 * one.shared:.0f} % of an image's ten "
            f"nearest, among {count(one.images, 'image')} of {one.collection}."
        )
    rows = [
        (_words(figure), *(_figure(figure, values.get(name)) for name in found.models))
        for figure, values in found.figures.items()
        if figure not in CONDITIONS
    ]
    if rows:
        table(("Figure", *found.models), rows)
    else:
        frame.quiet("None of them has figures yet; measure them on a collection.")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A plain table; every cell is shown as text."""
    top = "".join(f'<th scope="col">{escape(one)}</th>' for one in head)
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
        "Measure it" if len(collections) > 1 else f"Measure on {chosen}",
        key=f"measure-{card.name}", icon=":material/straighten:", disabled=busy, on_click=start,
        args=(card.name, chosen), help="Turns, mirrors and shifts up to 200 of your images and "
        "tells how little their features change.",
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
