"""Overview: content and age of the workspace, and what needs attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from motif.core.catalog.catalog_queries import last_update, latest_measurements
from motif.core.catalog.database import Quarantined, Run
from motif.core.provenance.record_view import taint_document
from motif.dashboard.components import page_frame
from motif.dashboard.components.gallery.gallery_component import GalleryTile, show_gallery
from motif.dashboard.data.number_format import ago, count
from motif.dashboard.data.thumbnails import SHOWN, thumbnail_url
from motif.dashboard.pages.jobs_page import counts_text
from motif.dashboard.panels.map_navigation_panel import newest
from motif.dashboard.state import current_view
from motif.dashboard.state.current_view import link, turn_to
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession, lab

LATEST = "latest-gallery"
LATEST_COUNT = 16
SOURCE = '[sources.lab]\nkind = "folder"\npath = "/data/microscope"\ninto = "images"'
"""Example of a source, shown in an empty workspace."""


def show() -> None:
    """Draw the page."""
    session = lab()
    picked = st.session_state.get(LATEST, {}).get("picked")
    if picked:
        turn_to("measurement", View(id=str(picked)))
    collections = session.collections()
    root = session.workspace.root
    page_frame.heading(root.name, str(root.parent))
    if not collections:
        page_frame.empty(
            "This workspace is empty",
            "Add a source of files or records to motif.toml and ingest it, or try "
            "Motif on a simulated lab.",
            ["motif ingest lab", "motif demo"],
        )
        page_frame.quiet(
            "A source is a table of motif.toml, for example a folder of instrument files:"
        )
        st.code(SOURCE, language="toml", width=420)
        page_frame.status("overview empty")
        return
    runs = session.workspace.catalog.runs(20)
    held = session.workspace.catalog.quarantined()
    page_frame.figures(_figures(session, len(held)))
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        page_frame.subheading("Collections")
        for name in collections:
            _show_collection(session, name)
        page_frame.subheading("Latest measurements")
        tiles = session.keep(("latest", session.version), lambda: _latest(session))
        show_gallery(tiles, key=LATEST, on_pick=lambda: None, tile_width=116)
    with right:
        page_frame.subheading("Needs attention")
        _show_notices(notices(session, runs, held, list(collections)))
        page_frame.subheading("Last runs")
        _show_runs(runs[:6])
    page_frame.status(f"overview collections={len(collections)} quarantined={len(held)}")


def _figures(session: WorkspaceSession, held: int) -> list[tuple[str, str, str]]:
    kinds: dict[str, int] = {}
    for by_kind in session.collections().values():
        for kind, number in by_kind.items():
            kinds[kind] = kinds.get(kind, 0) + number
    updated = session.keep(
        ("updated", session.version), lambda: last_update(session.workspace.catalog)
    )
    return [
        ("Images", f"{kinds.get('image', 0):,}", "microscopy frames"),
        ("Spectra", f"{kinds.get('spectrum', 0):,}", "library samples included"),
        (
            "Collections",
            f"{len(session.collections())}",
            ", ".join(list(session.collections())[:3]),
        ),
        ("Last change", ago(updated) if updated else "–", "at a source"),
        ("In quarantine", f"{held}", "files that could not be read"),
    ]


def _show_collection(session: WorkspaceSession, name: str) -> None:
    kinds = session.collections()[name]
    nouns = {"image": ("image", "images"), "spectrum": ("spectrum", "spectra")}
    what = ", ".join(
        f"{number:,} {nouns.get(kind, (kind, kind))[number != 1]}" for kind, number in kinds.items()
    )
    simulated = session.table(name).columns.get("simulated")
    mark = ""
    if simulated is not None and "true" in simulated.labels:
        mark = '<span class="motif-simulated">simulated data</span>'
    changed = session.keep(
        ("updated", name, session.version), lambda: last_update(session.workspace.catalog, name)
    )
    made = [f"changed {ago(changed)}"] if changed else []
    made += [
        f"{label} {ago(found[-1].created_at)}"
        for label, stage in (
            ("features", "embedding"),
            ("map", "projection"),
            ("study", "gradients"),
        )
        if (found := session.derivations(stage, name))
    ]
    view = View(collection=name)
    with st.container(border=True, horizontal=True, vertical_alignment="center", wrap=False):
        st.html(
            f'<div class="motif-collection"><b>{escape(name)}</b>{mark}'
            f"<span>{escape(what)}</span><em>{escape(', '.join(made))}</em></div>",
            width="stretch",
        )
        if session.derivations("projection", name):
            link("map", view, "Map", ":material/scatter_plot:")
        if session.derivations("embedding", name) or "spectrum" in kinds:
            link("search", view, "Search", ":material/image_search:")
        if "spectrum" in kinds:
            link("composition", view, "Composition", ":material/change_history:")


def _latest(session: WorkspaceSession) -> list[GalleryTile]:
    """The latest images, or the latest spectra without images."""
    kind = "image" if any(kinds.get("image") for kinds in session.collections().values()) else None
    rows = latest_measurements(session.workspace.catalog, kind, LATEST_COUNT)
    tiles = []
    for identity, collection in rows:
        facets = session.table(collection)
        row = facets.index.get(identity)
        if row is not None:
            lines = facets.words(row, SHOWN)[:2]
            tiles.append(GalleryTile(identity, thumbnail_url(identity), facets.titles[row], lines))
    return tiles


def _show_notices(found: Sequence[Notice]) -> None:
    if not found:
        page_frame.quiet("Nothing. Every file was read and every result is up to date.")
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
        page_frame.quiet("No job has run yet; motif jobs list shows those of motif.toml.")
        return
    items = "".join(
        f'<li class="{escape(run.state)}"><b>{escape(run.job)}</b>'
        f"<span>{escape(run.state)}, {escape(ago(run.started_at))}</span>"
        f"<span>{escape(run.error or counts_text(run.counts))}</span></li>"
        for run in runs
    )
    st.html(f'<ul class="motif-jobs">{items}</ul>')
    link("jobs", current_view.current().carried(), "All runs")


MOST_MARKED = 5
"""Largest number of records listed by name."""
MARKED_REMEDY = "Remove the error mark at its source once the data are corrected."


@dataclass(frozen=True)
class Notice:
    """One item that needs attention, and the command or page that resolves it."""

    text: str
    remedy: str
    """A command, or a sentence when it does not begin with ``motif``."""


def notices(
    lab: WorkspaceSession,
    runs: Sequence[Run],
    held: Sequence[Quarantined],
    collections: Sequence[str],
) -> list[Notice]:
    """Failed runs, unreadable files, tainted results, and results older than the data."""
    found: list[Notice] = []
    seen: set[str] = set()
    for run in runs:
        if run.job not in seen and run.state in ("failed", "lost"):
            text = f'The job "{run.job}" {run.state} {ago(run.started_at)}.'
            found.append(Notice(text, f"motif jobs retry {run.id}"))
        seen.add(run.job)
    sources: dict[str, int] = {}
    for file in held:
        sources[file.source] = sources.get(file.source, 0) + 1
    for source, number in sources.items():
        text = f'{count(number, "file")} of "{source}" could not be read.'
        found.append(Notice(text, "The reasons are on the page Jobs."))
    found += _tainted(lab)
    for name in collections:
        found += _lagging(lab, name)
    return found


def _tainted(lab: WorkspaceSession) -> list[Notice]:
    """Records marked with an error, and the results that should be recomputed without them."""
    tainted = lab.keep(("taint", lab.version), lambda: taint_document(lab.workspace))
    found = []
    for record, why in list(tainted["records"].items())[:MOST_MARKED]:
        found.append(Notice(f"The record {record} is marked with an error: {why}.", MARKED_REMEDY))
    for result in tainted["results"]:
        text = (
            f'{result["stage"]} of "{result["collection"]}" rests on a record marked with an error.'
        )
        found.append(
            Notice(
                text,
                result["rebuild"] or "It is recomputed together with the result it belongs to.",
            )
        )
    return found


def _lagging(lab: WorkspaceSession, collection: str) -> list[Notice]:
    images = lab.collections()[collection].get("image", 0)
    if not images:
        return []
    if not lab.derivations("embedding", collection):
        text = f'{count(images, "image")} of "{collection}" cannot be searched yet.'
        return [Notice(text, f"motif embed {collection}")]
    maps = lab.derivations("projection", collection)
    if not maps:
        text = f'{count(images, "image")} of "{collection}" are on no map yet.'
        return [Notice(text, f"motif project {collection}")]
    latest = newest(maps)
    shown = set(lab.placement(latest.id).ids)
    table = lab.table(collection)
    missing = sum(
        kind == "image" and one not in shown
        for one, kind in zip(table.ids, table.kinds, strict=True)
    )
    if missing and not latest.parameters.get("where"):
        text = f'{count(missing, "image")} of "{collection}" were added after its newest map.'
        return [Notice(text, f"motif project {collection}")]
    return []
