"""Overview: what the workspace holds, how fresh it is, and what needs attention."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st
from sqlalchemy import select

from motif.core import schema
from motif.core.catalog import Run
from motif.dashboard import state
from motif.dashboard.attention import Notice, notices
from motif.dashboard.captions import SHOWN
from motif.dashboard.lab import Lab, lab
from motif.dashboard.links import link, turn_to
from motif.dashboard.pages.jobs import counts_text
from motif.dashboard.parts import frame
from motif.dashboard.parts.gallery import Tile, show_gallery
from motif.dashboard.quantities import ago
from motif.dashboard.thumbnails import thumbnail_url
from motif.dashboard.view import View

LATEST = "latest-gallery"
LATEST_COUNT = 16
SOURCE = '[sources.lab]\nkind = "folder"\npath = "/data/microscope"\ninto = "images"'
"""What declares a source, as an empty workspace shows it."""


def show() -> None:
    """Draw the page."""
    here = lab()
    picked = st.session_state.get(LATEST, {}).get("picked")
    if picked:
        turn_to("measurement", View(id=str(picked)))
    collections = here.collections()
    root = here.workspace.root
    frame.heading(root.name, str(root.parent))
    if not collections:
        frame.empty(
            "This workspace is empty",
            "Name a source of files or records in motif.toml and take it in, "
            "or see Motif at work on a simulated lab.",
            ["motif ingest lab", "motif demo"],
        )
        frame.quiet("A source is a table of motif.toml, for example a folder of instrument files:")
        st.code(SOURCE, language="toml", width=420)
        frame.status("overview empty")
        return
    runs = here.workspace.catalog.runs(20)
    held = here.workspace.catalog.quarantined()
    frame.figures(_figures(here, len(held)))
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        frame.subheading("Collections")
        for name in collections:
            _show_collection(here, name)
        frame.subheading("Latest measurements")
        tiles = here.keep(("latest", here.version), lambda: _latest(here))
        show_gallery(tiles, key=LATEST, on_pick=lambda: None, tile_width=116)
    with right:
        frame.subheading("Needs attention")
        _show_notices(notices(here, runs, held, list(collections)))
        frame.subheading("Last runs")
        _show_runs(runs[:6])
    frame.status(f"overview collections={len(collections)} quarantined={len(held)}")


def _figures(here: Lab, held: int) -> list[tuple[str, str, str]]:
    kinds: dict[str, int] = {}
    for by_kind in here.collections().values():
        for kind, number in by_kind.items():
            kinds[kind] = kinds.get(kind, 0) + number
    updated = here.keep(("updated", here.version), lambda: _last_update(here))
    return [
        ("Images", f"{kinds.get('image', 0):,}", "microscopy frames"),
        ("Spectra", f"{kinds.get('spectrum', 0):,}", "library samples included"),
        ("Collections", f"{len(here.collections())}", ", ".join(list(here.collections())[:3])),
        ("Last change", ago(updated) if updated else "–", "at a source"),
        ("In quarantine", f"{held}", "files that could not be read"),
    ]


def _last_update(here: Lab, collection: str | None = None) -> str:
    table = schema.records
    statement = select(table.c.updated_at).order_by(table.c.updated_at.desc()).limit(1)
    if collection is not None:
        statement = statement.where(table.c.collection == collection)
    with here.workspace.catalog.reading() as connection:
        return connection.execute(statement).scalar() or ""


def _show_collection(here: Lab, name: str) -> None:
    kinds = here.collections()[name]
    nouns = {"image": ("image", "images"), "spectrum": ("spectrum", "spectra")}
    what = ", ".join(
        f"{number:,} {nouns.get(kind, (kind, kind))[number != 1]}" for kind, number in kinds.items()
    )
    simulated = here.table(name).columns.get("simulated")
    mark = ""
    if simulated is not None and "true" in simulated.labels:
        mark = '<span class="motif-simulated">simulated data</span>'
    changed = here.keep(("updated", name, here.version), lambda: _last_update(here, name))
    made = [f"changed {ago(changed)}"] if changed else []
    made += [
        f"{label} {ago(found[-1].created_at)}"
        for label, stage in (
            ("features", "embedding"),
            ("map", "projection"),
            ("study", "gradients"),
        )
        if (found := here.derivations(stage, name))
    ]
    view = View(collection=name)
    with st.container(border=True, horizontal=True, vertical_alignment="center", wrap=False):
        st.html(
            f'<div class="motif-collection"><b>{escape(name)}</b>{mark}'
            f"<span>{escape(what)}</span><em>{escape(', '.join(made))}</em></div>",
            width="stretch",
        )
        if here.derivations("projection", name):
            link("map", view, "Map", ":material/scatter_plot:")
        if here.derivations("embedding", name) or "spectrum" in kinds:
            link("search", view, "Search", ":material/image_search:")
        if "spectrum" in kinds:
            link("composition", view, "Composition", ":material/change_history:")


def _latest(here: Lab) -> list[Tile]:
    """The last images that came, or the last spectra where there are no images."""
    kind = "image" if any(kinds.get("image") for kinds in here.collections().values()) else None
    table, records = schema.measurements, schema.records
    statement = (
        select(table.c.id, table.c.collection)
        .join(records, records.c.id == table.c.record_id)
        .where(table.c.live, *([table.c.kind == kind] if kind else []))
        .order_by(records.c.updated_at.desc(), table.c.id)
        .limit(LATEST_COUNT)
    )
    with here.workspace.catalog.reading() as connection:
        rows = connection.execute(statement).all()
    tiles = []
    for identity, collection in rows:
        facets = here.table(collection)
        row = facets.index.get(identity)
        if row is not None:
            lines = facets.words(row, SHOWN)[:2]
            tiles.append(Tile(identity, thumbnail_url(identity), facets.titles[row], lines))
    return tiles


def _show_notices(found: Sequence[Notice]) -> None:
    if not found:
        frame.quiet("Nothing. Every file was read and every result is up to date.")
        return
    items = "".join(
        f"<li><span>{escape(one.text)}</span>{_remedy(one.remedy)}</li>" for one in found
    )
    st.html(f'<ul class="motif-jobs">{items}</ul>')


def _remedy(text: str) -> str:
    tag = "code" if text.startswith("motif ") else "span"
    return f"<{tag}>{escape(text)}</{tag}>"


def _show_runs(runs: Sequence[Run]) -> None:
    if not runs:
        frame.quiet("No job has run yet; motif jobs list shows those of motif.toml.")
        return
    items = "".join(
        f'<li class="{escape(run.state)}"><b>{escape(run.job)}</b>'
        f"<span>{escape(run.state)}, {escape(ago(run.started_at))}</span>"
        f"<span>{escape(run.error or counts_text(run.counts))}</span></li>"
        for run in runs
    )
    st.html(f'<ul class="motif-jobs">{items}</ul>')
    link("jobs", state.current().carried(), "All runs")
