"""Where a measurement comes from: the graph, the particulars, disagreements and the header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from motif.core.catalog import MeasurementRow, RecordRow
from motif.dashboard.lab import Lab
from motif.dashboard.lineage import lineage
from motif.dashboard.parts import frame
from motif.dashboard.parts.graph import show_graph
from motif.dashboard.quantities import moment

PROVENANCE = ("server", "repository", "owner", "parents", "tags", "path")
ROW_HEIGHT = 35
TALLEST = 360


def show_disagreements(record: RecordRow) -> None:
    """Where the file's header and the record's metadata contradict each other."""
    if not record.disagreements:
        return
    frame.subheading("Disagreements", "the file's header outranks the record")
    frame.facts(
        [
            (str(one["facet"]), f"file: {one['header']}  ·  record: {one['record']}", "")
            for one in record.disagreements
        ]
    )


def show_provenance(here: Lab, row: MeasurementRow, record: RecordRow) -> None:
    """The graph from the record to what was derived, and what there is to copy."""
    frame.subheading("Provenance", "from the record to what was made of it")
    show_graph(lineage(here, row, record), key="provenance")
    origin = [
        (name, _listed(record.origin[name]), "") for name in PROVENANCE if record.origin.get(name)
    ]
    reader = f"{record.reader} version {record.reader_version}" if record.reader else "none"
    with st.expander("Particulars"):
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


def show_header(here: Lab, record: RecordRow) -> None:
    """The file's own header as a table one can search."""
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
    if not shown:
        frame.quiet(f"Nothing in the header holds “{wanted}”.")
        return
    table = {"Name": [name for name, _ in shown], "Value": [value for _, value in shown]}
    height = min(TALLEST, ROW_HEIGHT * (1 + len(shown)) + 3)
    st.dataframe(table, hide_index=True, height=height)


def _listed(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(one) for one in value)
    return str(value)
