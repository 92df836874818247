"""Measurement: one image or spectrum with its channels, facets, header and provenance."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from motif.core.catalog import MeasurementRow, facet_value
from motif.core.errors import MotifError
from motif.core.query import LABEL
from motif.dashboard import evidence, state
from motif.dashboard.asking import answers
from motif.dashboard.colours import SCALES, Scale
from motif.dashboard.lab import Lab, lab
from motif.dashboard.links import link
from motif.dashboard.parts import charts, frame
from motif.dashboard.parts.gallery import Tile, show_gallery
from motif.dashboard.parts.labelling import show_labels
from motif.dashboard.parts.measurement import spectrum_figure
from motif.dashboard.parts.origin import show_disagreements, show_header, show_provenance
from motif.dashboard.parts.publishing import show_published, show_publishing
from motif.dashboard.parts.scan import show_scan
from motif.dashboard.picture import SIZES
from motif.dashboard.quantities import count, moment, quantity
from motif.dashboard.thumbnails import ID_PATTERN, default_channel, thumbnail_url
from motif.dashboard.view import View

CHANNELS = "channels-gallery"
NEIGHBOURS = "neighbours-gallery"
DUPLICATES = "duplicates-gallery"
NEAREST = 8
WIDEST = 760


def show() -> None:
    """Draw the page."""
    view = state.current()
    if not ID_PATTERN.fullmatch(view.id):
        frame.heading("Measurement")
        frame.empty(
            "No measurement is chosen",
            "Open one from the map, from a search, or from the overview.",
            ["motif records"],
        )
        frame.status("measurement none")
        return
    here = lab()
    row = here.workspace.measurement(view.id)
    record = here.workspace.record(row.record_id)
    frame.heading(row.title, f"{row.kind} in {row.collection}", row.simulated)
    if not row.live:
        frame.refusal("This measurement was deleted at its source; only its description is left.")
    left, right = st.columns([1.35, 1], gap="large")
    with left:
        _show_data(here, view, row)
    with right:
        with st.container(horizontal=True):
            link("search", replace(view.carried(), id=row.id, collection=row.collection),
                 "Find alike", ":material/image_search:")  # fmt: skip
            if here.derivations("projection", row.collection):
                link("map", View(collection=row.collection, id=row.id), "Show on the map",
                     ":material/scatter_plot:")  # fmt: skip
        if row.live:
            show_labels(here, row.id)
            if LABEL in here.table(row.collection).columns:
                show_publishing(here, row.collection)
                show_published(here)
            _show_symmetry(here, row)
            _show_duplicates(here, row)
        _show_facets(here, row)
        show_disagreements(record)
    if row.live:
        _show_neighbours(here, row)
    show_provenance(here, row, record)
    show_header(here, record)
    frame.status(f"measurement {row.id}")


def _show_data(here: Lab, view: View, row: MeasurementRow) -> None:
    if not row.live:
        return
    if row.kind != "image":
        charts.show(spectrum_figure(here.workspace.read(row.id)), "spectrum")
        return
    scale: Scale = next((s for s in SCALES if s == view.scale), SCALES[0])
    channel = _channel(row)
    with st.container(horizontal=True, vertical_alignment="center", width=WIDEST, key="scan-head"):
        unit = row.units[channel] if channel < len(row.units) else ""
        frame.subheading(row.channels[channel], "" if unit else "of no unit")
        with st.container(width=200):
            state.choose("Colours", list(SCALES), scale, field="scale")
    with st.container(width=WIDEST):
        show_scan(here, row, channel, scale, view.line)
        if len(row.channels) > 1:
            show_gallery(
                [
                    Tile(str(place), thumbnail_url(row.id, SIZES[1], place, scale), name)
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


def _show_facets(here: Lab, row: MeasurementRow) -> None:
    frame.subheading("Facets", "hover a line for its origin")
    lines = []
    for facet in here.workspace.catalog.facet_rows([row.id]):
        if facet.name in row.targets:
            continue  # told below, in the unit it was measured in
        value = facet_value(facet)
        if isinstance(value, str):
            text = moment(value) if facet.name == "acquired_at" else value
        elif isinstance(value, bool):
            text = "yes" if value else "no"
        else:
            text = quantity(value, facet.unit)
        origin = f'{facet.origin}, there "{facet.told}"' if facet.told else facet.origin
        lines.append((facet.name.replace("_", " "), text, origin))
    frame.facts(lines)
    if row.targets:
        frame.facts(
            [(name, quantity(value, unit) if value is not None else "not measured", "")
             for name, (value, unit) in row.targets.items()]
        )  # fmt: skip


def _show_symmetry(here: Lab, row: MeasurementRow) -> None:
    """What the channel that tells most survives being turned and mirrored by, in words."""
    found = evidence.symmetry_of(here, row) if row.kind == "image" else None
    if found is None:
        return
    kind, seen = found
    frame.subheading("Symmetry", f"of the {kind}; 1 is perfect")
    frame.quiet(f"{seen.sentence[0].upper()}{seen.sentence[1:]}.")
    turns = " · ".join(f"{fold}-fold {value:.2f}" for fold, value in seen.rotations.items())
    lines = [
        ("rotations", turns, "correlation with itself turned by a full turn over the number"),
        ("mirror", f"{seen.mirror:.2f}", "correlation with its mirror image"),
    ]
    if seen.cell is not None:
        words = f"{seen.order:.2f}, of the lattice's points"
        lines.append(("repeats", words, "mean autocorrelation there: 1 is a perfect crystal"))
    frame.facts(lines)


def _show_duplicates(here: Lab, row: MeasurementRow) -> None:
    """Measurements of other records that hold the same; nothing where there are none."""
    found = here.keep(
        ("duplicates", row.id, here.version), lambda: here.workspace.duplicates(row.id)
    )
    if not found:
        return
    frame.subheading("The same elsewhere", f"{count(len(found), 'measurement')} of other records")
    tiles = [Tile(one.id, thumbnail_url(one.id), one.title, [one.words]) for one in found]
    show_gallery(tiles, key=DUPLICATES, on_pick=lambda: _open(DUPLICATES), tile_width=150)


def _show_neighbours(here: Lab, row: MeasurementRow) -> None:
    """The nearest by features; for images only where features were made."""
    if row.kind == "image" and not here.derivations("embedding", row.collection):
        return
    frame.subheading("Nearest", "by features; a click opens one")
    asked = View(collection=row.collection, id=row.id)
    table = here.table(row.collection)
    try:
        hits = answers(here, asked, None, "", NEAREST, {})
    except MotifError as error:
        frame.quiet(str(error))
        return
    tiles = [
        Tile(hit.id, thumbnail_url(hit.id), table.titles[place], (), f"{hit.distance:.3g}")
        for hit in hits
        if (place := table.index.get(hit.id)) is not None
    ]
    show_gallery(tiles, key=NEIGHBOURS, on_pick=lambda: _open(NEIGHBOURS), tile_width=112)


def _open(gallery: str) -> None:
    picked = st.session_state[gallery].get("picked")
    if picked:
        state.change(id=str(picked), line="")
