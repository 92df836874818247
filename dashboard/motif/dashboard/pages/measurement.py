"""Measurement: one image or spectrum with its channels, facets, header and provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from motif.core import remarks
from motif.core.catalog import MeasurementRow, RecordRow, facet_value
from motif.dashboard import state
from motif.dashboard.colours import SCALES, Scale
from motif.dashboard.lab import Lab, lab
from motif.dashboard.links import link
from motif.dashboard.parts import charts, frame
from motif.dashboard.parts.gallery import Tile, show_gallery
from motif.dashboard.parts.labelling import show_labels
from motif.dashboard.parts.measurement import show_picture, spectrum_figure
from motif.dashboard.quantities import moment, quantity
from motif.dashboard.thumbnails import ID_PATTERN, default_channel, thumbnail_url
from motif.dashboard.view import View

CHANNELS = "channels-gallery"
PROVENANCE = ("server", "repository", "owner", "parents", "tags", "path")


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
        _show_facets(here, row)
        _show_disagreements(record)
        _show_provenance(here, row, record)
    _show_header(here, record)
    frame.status(f"measurement {row.id}")


def _show_data(here: Lab, view: View, row: MeasurementRow) -> None:
    if not row.live:
        return
    if row.kind != "image":
        charts.show(spectrum_figure(here.workspace.read(row.id)), "spectrum")
        return
    scale: Scale = next((s for s in SCALES if s == view.scale), SCALES[0])
    channel = _channel(row)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit = row.units[channel] if channel < len(row.units) else ""
        frame.subheading(row.channels[channel], f"in {unit}" if unit else "")
        with st.container(width=130):
            state.choose("Colours", list(SCALES), scale, field="scale")
    with st.container(width=640):
        show_picture(row.id, f"{row.title}, {row.channels[channel]}", channel, scale)
    if len(row.channels) > 1:
        show_gallery(
            [
                Tile(str(place), thumbnail_url(row.id, channel=place, scale=scale), name)
                for place, name in enumerate(row.channels)
            ],
            key=CHANNELS, on_pick=_on_channel, current=str(channel), tile_width=112,
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
        value = facet_value(facet)
        if isinstance(value, str):
            text = moment(value) if facet.name == "acquired_at" else value
        elif isinstance(value, bool):
            text = "yes" if value else "no"
        else:
            text = quantity(value, facet.unit)
        lines.append((facet.name.replace("_", " "), text, facet.origin))
    frame.facts(lines)
    if row.targets:
        frame.facts(
            [(name, quantity(value, unit) if value is not None else "not measured", "")
             for name, (value, unit) in row.targets.items()]
        )  # fmt: skip


def _show_disagreements(record: RecordRow) -> None:
    if not record.disagreements:
        return
    frame.subheading("Disagreements", "the file's header outranks the record")
    frame.facts(
        [
            (str(one["facet"]), f"file: {one['header']}  ·  record: {one['record']}", "")
            for one in record.disagreements
        ]
    )


def _show_provenance(here: Lab, row: MeasurementRow, record: RecordRow) -> None:
    frame.subheading("Provenance")
    origin = [
        (name, _listed(record.origin[name]), "") for name in PROVENANCE if record.origin.get(name)
    ]
    reader = f"{record.reader} version {record.reader_version}" if record.reader else "none"
    frame.facts(
        [
            ("record", record.title, ""),
            ("source", f"{record.source}: {record.native_id}", ""),
            *origin,
            ("file", record.file_name, ""),
            ("SHA-256", record.raw_sha256, ""),
            ("read by", reader, ""),
            ("taken in", f"{moment(record.first_seen)}, revision {record.revision}", ""),
            ("measurement", row.id, ""),
        ]
    )
    derived = [
        (one.stage, f"{moment(one.created_at)} · {one.id[:12]}", "")
        for one in here.workspace.ledger.made_from(row.id)
        if one.stage != remarks.STAGE
    ]
    if derived:
        frame.subheading("Derived from it")
        frame.facts(derived[-12:])


def _listed(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(one) for one in value)
    return str(value)


def _show_header(here: Lab, record: RecordRow) -> None:
    header = here.workspace.catalog.header(record.id)
    if not header:
        return
    frame.subheading("Header of the file", f"{len(header):,} entries, as the instrument wrote them")
    wanted = st.text_input(
        "Search the header", key="header-search", placeholder="part of a name or value",
        label_visibility="collapsed", width=380,
    )  # fmt: skip
    word = (wanted or "").strip().lower()
    shown = [pair for pair in header if word in pair[0].lower() or word in pair[1].lower()]
    table = {"Name": [name for name, _ in shown], "Value": [value for _, value in shown]}
    st.dataframe(table, hide_index=True, height=min(360, 38 + 35 * max(1, len(shown))))
