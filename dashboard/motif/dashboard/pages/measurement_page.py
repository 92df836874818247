"""Measurement: one image or spectrum with its channels, facets, header and provenance."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from motif.core.catalog.database import MeasurementRow, facet_value
from motif.core.catalog.duplicates import find_duplicates
from motif.core.errors import MotifError
from motif.core.query import LABEL
from motif.dashboard.components import charts, page_frame
from motif.dashboard.components.gallery.gallery_component import GalleryTile, show_gallery
from motif.dashboard.components.scan.scan_component import show_scan
from motif.dashboard.data import symmetry_evidence
from motif.dashboard.data.measurement_picture import SIZES
from motif.dashboard.data.number_format import count, moment, quantity
from motif.dashboard.data.point_colours import SCALES, Scale
from motif.dashboard.data.search_query import answers
from motif.dashboard.data.thumbnails import ID_PATTERN, default_channel, thumbnail_url
from motif.dashboard.panels.annotation_panel import show_labels
from motif.dashboard.panels.export_and_publish_panel import show_published, show_publishing
from motif.dashboard.panels.measurement_panel import (
    show_disagreements,
    show_header,
    show_provenance,
    spectrum_figure,
)
from motif.dashboard.state import current_view
from motif.dashboard.state.current_view import link
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession, lab

CHANNELS = "channels-gallery"
NEIGHBOURS = "neighbours-gallery"
DUPLICATES = "duplicates-gallery"
NEAREST = 8
WIDEST = 760


def show() -> None:
    """Draw the page."""
    view = current_view.current()
    if not ID_PATTERN.fullmatch(view.id):
        page_frame.heading("Measurement")
        page_frame.empty(
            "No measurement is selected",
            "Open one from the map, from a search, or from the overview.",
            ["motif measurements"],
        )
        page_frame.status("measurement none")
        return
    session = lab()
    row = session.workspace.measurement(view.id)
    record = session.workspace.record(row.record_id)
    page_frame.heading(row.title, f"{row.kind} in {row.collection}", row.simulated)
    if not row.live:
        page_frame.refusal("This measurement was deleted at its source; only its metadata remain.")
    left, right = st.columns([1.35, 1], gap="large")
    with left:
        _show_data(session, view, row)
    with right:
        with st.container(horizontal=True):
            link("search", replace(view.carried(), id=row.id, collection=row.collection),
                 "Search similar", ":material/image_search:")  # fmt: skip
            if session.derivations("projection", row.collection):
                link("map", View(collection=row.collection, id=row.id), "Show on map",
                     ":material/scatter_plot:")  # fmt: skip
        if row.live:
            show_labels(session, row.id)
            if LABEL in session.table(row.collection).columns:
                show_publishing(session, row.collection)
                show_published(session)
            _show_symmetry(session, row)
            _show_duplicates(session, row)
        _show_facets(session, row)
        show_disagreements(record)
    if row.live:
        _show_neighbours(session, row)
    show_provenance(session, row, record)
    show_header(session, record)
    page_frame.status(f"measurement {row.id}")


def _show_data(session: WorkspaceSession, view: View, row: MeasurementRow) -> None:
    if not row.live:
        return
    if row.kind != "image":
        charts.show(spectrum_figure(session.workspace.read(row.id)), "spectrum")
        return
    scale: Scale = next((s for s in SCALES if s == view.scale), SCALES[0])
    channel = _channel(row)
    with st.container(horizontal=True, vertical_alignment="center", width=WIDEST, key="scan-head"):
        unit = row.units[channel] if channel < len(row.units) else ""
        page_frame.subheading(row.channels[channel], "" if unit else "of no unit")
        with st.container(width=200):
            current_view.choose("Colours", list(SCALES), scale, field="scale")
    with st.container(width=WIDEST):
        show_scan(session, row, channel, scale, view.line)
        if len(row.channels) > 1:
            show_gallery(
                [
                    GalleryTile(str(place), thumbnail_url(row.id, SIZES[1], place, scale), name)
                    for place, name in enumerate(row.channels)
                ],
                key=CHANNELS, on_pick=_on_channel, current=str(channel), tile_width=130,
            )  # fmt: skip


def _channel(row: MeasurementRow) -> int:
    asked = st.query_params.get("channel", "")
    if asked.isdecimal() and int(asked) < len(row.channels):
        return int(asked)
    return default_channel(row.channels)


def _on_channel() -> None:
    picked = st.session_state[CHANNELS].get("picked")
    if picked is not None:
        st.query_params["channel"] = str(picked)


def _show_facets(session: WorkspaceSession, row: MeasurementRow) -> None:
    page_frame.subheading("Facets", "hover a line for its origin")
    lines = []
    for facet in session.workspace.catalog.facet_rows([row.id]):
        if facet.name in row.targets:
            continue  # shown below, in the unit it was measured in
        value = facet_value(facet)
        if isinstance(value, str):
            text = moment(value) if facet.name == "acquired_at" else value
        elif isinstance(value, bool):
            text = "yes" if value else "no"
        else:
            text = quantity(value, facet.unit)
        origin = f'{facet.origin}, there "{facet.raw_text}"' if facet.raw_text else facet.origin
        lines.append((facet.name.replace("_", " "), text, origin))
    page_frame.facts(lines)
    if row.targets:
        page_frame.facts(
            [(name, quantity(value, unit) if value is not None else "not measured", "")
             for name, (value, unit) in row.targets.items()]
        )  # fmt: skip


def _show_symmetry(session: WorkspaceSession, row: MeasurementRow) -> None:
    """The rotations and reflections that leave the most informative channel invariant, in words."""
    found = symmetry_evidence.symmetry_of(session, row) if row.kind == "image" else None
    if found is None:
        return
    kind, seen = found
    page_frame.subheading("Symmetry", f"of the {kind}; 1 is perfect")
    page_frame.quiet(f"{seen.sentence[0].upper()}{seen.sentence[1:]}.")
    turns = " · ".join(f"{fold}-fold {value:.2f}" for fold, value in seen.rotations.items())
    lines = [
        ("rotations", turns, "correlation with itself turned by a full turn over the number"),
        ("mirror", f"{seen.mirror:.2f}", "correlation with its mirror image"),
    ]
    if seen.cell is not None:
        words = f"{seen.order:.2f}, of the lattice's points"
        lines.append(("repeats", words, "mean autocorrelation there: 1 means a perfect crystal"))
    page_frame.facts(lines)


def _show_duplicates(session: WorkspaceSession, row: MeasurementRow) -> None:
    """Duplicates of the measurement in other records; nothing without any."""
    found = session.keep(
        ("duplicates", row.id, session.version),
        lambda: find_duplicates(session.workspace, [row.id]).get(row.id, []),
    )
    if not found:
        return
    page_frame.subheading(
        "Duplicates in other records", f"{count(len(found), 'measurement')} of other records"
    )
    tiles = [GalleryTile(one.id, thumbnail_url(one.id), one.title, [one.words]) for one in found]
    show_gallery(tiles, key=DUPLICATES, on_pick=lambda: _open(DUPLICATES), tile_width=150)


def _show_neighbours(session: WorkspaceSession, row: MeasurementRow) -> None:
    """The nearest measurements by features; for images only where features were computed."""
    if row.kind == "image" and not session.derivations("embedding", row.collection):
        return
    page_frame.subheading("Nearest", "by features; a click opens one")
    asked = View(collection=row.collection, id=row.id)
    table = session.table(row.collection)
    try:
        hits = answers(session, asked, None, "", NEAREST, {})
    except MotifError as error:
        page_frame.quiet(str(error))
        return
    tiles = [
        GalleryTile(hit.id, thumbnail_url(hit.id), table.titles[place], (), f"{hit.distance:.3g}")
        for hit in hits
        if (place := table.index.get(hit.id)) is not None
    ]
    show_gallery(tiles, key=NEIGHBOURS, on_pick=lambda: _open(NEIGHBOURS), tile_width=112)


def _open(gallery: str) -> None:
    picked = st.session_state[gallery].get("picked")
    if picked:
        current_view.change(id=str(picked), line="")
