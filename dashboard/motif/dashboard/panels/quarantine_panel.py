"""Files in quarantine with their actions; commands started from the page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

import streamlit as st

from motif.core.catalog.database import Quarantined
from motif.core.errors import MotifError
from motif.dashboard.auth.permissions import may_change, require_change
from motif.dashboard.background.background_commands import BackgroundCommand
from motif.dashboard.components import page_frame
from motif.dashboard.data.number_format import ago, count, duration, moment
from motif.dashboard.state.workspace_session import lab
from motif.ingest.quarantine.quarantine_entries import printable_bytes, release

LISTED = 200
REFUSED = "release-refused"


def show_background_commands(
    commands: Sequence[BackgroundCommand], reported: Collection[str] = ()
) -> None:
    """Background commands: running, done, or failed and why, unless that is in `reported`."""
    for index, command in enumerate(commands):
        if command.ended is None:
            _show_working(command, f"command-{index}-{command.started}")
        elif command.stopped:
            page_frame.quiet(f"motif {command.words}: cancelled after {duration(command.seconds)}")
        elif command.error in reported:
            continue
        elif command.error:
            page_frame.refusal(f"motif {command.words}: {command.error}")
        else:
            page_frame.quiet(f"motif {command.words}: done in {duration(command.seconds)}")


def _show_working(command: BackgroundCommand, key: str) -> None:
    progress = f" · {command.progress}" if command.progress else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(
            f'<div class="motif-working" role="status">motif {escape(command.words)}, '
            f"{duration(command.seconds)}{escape(progress)}</div>", width="stretch",
        )  # fmt: skip
        # A run of a job is cancelled where it is listed: so it ends as cancelled, not as lost.
        if may_change() and not command.words.startswith("jobs "):
            st.button("Cancel", type="tertiary", key=key, on_click=command.stop)


def show_quarantine(held: Sequence[Quarantined]) -> None:
    """The files with the reason of each, and the actions on a selected one."""
    page_frame.subheading("Quarantine", "files that could not be read")
    if st.session_state.get(REFUSED):
        page_frame.refusal(st.session_state.pop(REFUSED))
    if not held:
        page_frame.quiet("No file is in quarantine.")
        return
    _show_choice(held[:LISTED])
    rows = "".join(
        f"<tr><td>{escape(row.file_name or row.title)}</td><td>{escape(row.reason)}</td>"
        f"<td>{escape(row.source)}</td><td>{row.attempts}</td>"
        f"<td>{escape(ago(row.first_seen))}</td></tr>"
        for row in held[:LISTED]
    )
    head = "".join(
        f"<th>{name}</th>"
        for name in ("File", "Why it could not be read", "Source", "Attempts", "First seen")
    )
    st.html(f'<table class="motif-table"><tr>{head}</tr>{rows}</table>')
    if len(held) > LISTED:
        page_frame.quiet(f"{len(held) - LISTED:,} more; motif quarantine list lists all of them.")


def _show_choice(held: Sequence[Quarantined]) -> None:
    if not may_change():
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = st.selectbox(
            "File", range(len(held)), key="held-file", width=420,
            format_func=lambda k: f"{held[k].source}: {held[k].file_name or held[k].title}",
        )  # fmt: skip
        if place is None or place >= len(held):
            return
        one = held[place]
        declared = one.source in lab().workspace.config.sources
        st.button(
            "Read again", key="held-retry", icon=":material/replay:", disabled=not declared,
            on_click=lab().background_commands.start,
            args=("quarantine", "retry", one.source, one.native_id),
        )  # fmt: skip
        st.button(
            "Read all of this source again", key="held-retry-all", disabled=not declared,
            on_click=lab().background_commands.start, args=("quarantine", "retry", one.source),
        )  # fmt: skip
        st.button(
            "Ingest without data", key="held-release", disabled=not declared, on_click=_release,
            args=(one,), help="The record with its metadata, without measurements; it is read "
            "again when its file changes.",
        )  # fmt: skip
    _show_details(one)
    if not declared:
        page_frame.quiet(f'The source "{one.source}" is not in motif.toml any more.')


def _show_details(one: Quarantined) -> None:
    """The readers that tried the file, and its first bytes."""
    tried = [name.replace("/", " version ") for name in one.readers.split()]
    took = one.reader.replace("/", " version ")
    none = f"none of {count(len(tried), 'reader')} knows it" if tried else "none"
    page_frame.facts(
        [
            ("why", one.reason, ""),
            ("read by", took or none, ", ".join(tried)),
            ("since", f"{moment(one.first_seen)} UTC, tried {count(one.attempts, 'time')}", ""),
            ("begins with", printable_bytes(one) or "nothing", one.first_bytes),
        ]
    )


def _release(one: Quarantined) -> None:
    try:
        require_change()
        release(lab().workspace, one.source, one.native_id)
    except MotifError as error:
        st.session_state[REFUSED] = str(error)
