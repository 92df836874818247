"""Files in quarantine and what can be done with them; commands started from the page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

import streamlit as st

from motif.core.catalog import Quarantined
from motif.core.errors import MotifError
from motif.dashboard.errands import Errand
from motif.dashboard.lab import lab
from motif.dashboard.parts import frame
from motif.dashboard.quantities import ago, count, duration, moment
from motif.dashboard.rights import may_change, require_change
from motif.ingest.quarantine import release
from motif.ingest.quarantine_text import printable

LISTED = 200
REFUSED = "release-refused"


def show_errands(errands: Sequence[Errand], told: Collection[str] = ()) -> None:
    """What was started here: at work, done, or refused and why unless that is `told` already."""
    for place, errand in enumerate(errands):
        if errand.ended is None:
            _show_working(errand, f"errand-{place}-{errand.started}")
        elif errand.stopped:
            frame.quiet(f"motif {errand.words}: cancelled after {duration(errand.seconds)}")
        elif errand.error in told:
            continue
        elif errand.error:
            frame.refusal(f"motif {errand.words}: {errand.error}")
        else:
            frame.quiet(f"motif {errand.words}: done in {duration(errand.seconds)}")


def _show_working(errand: Errand, key: str) -> None:
    said = f" · {errand.said}" if errand.said else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(
            f'<div class="motif-working" role="status">motif {escape(errand.words)}, '
            f"{duration(errand.seconds)}{escape(said)}</div>", width="stretch",
        )  # fmt: skip
        # A run of a job is cancelled where it is listed: so it ends as cancelled, not as lost.
        if may_change() and not errand.words.startswith("jobs "):
            st.button("Cancel", type="tertiary", key=key, on_click=errand.stop)


def show_quarantine(held: Sequence[Quarantined]) -> None:
    """The files, why they could not be read, and a choice of one to deal with."""
    frame.subheading("Quarantine", "what could not be read, and what to do with it")
    if st.session_state.get(REFUSED):
        frame.refusal(st.session_state.pop(REFUSED))
    if not held:
        frame.quiet("Every file that came could be read.")
        return
    _show_choice(held[:LISTED])
    rows = "".join(
        f"<tr><td>{escape(one.file_name or one.title)}</td><td>{escape(one.reason)}</td>"
        f"<td>{escape(one.source)}</td><td>{one.attempts}</td>"
        f"<td>{escape(ago(one.first_seen))}</td></tr>"
        for one in held[:LISTED]
    )
    head = "".join(
        f"<th>{name}</th>"
        for name in ("File", "Why it could not be read", "Source", "Attempts", "First seen")
    )
    st.html(f'<table class="motif-table"><tr>{head}</tr>{rows}</table>')
    if len(held) > LISTED:
        frame.quiet(f"{len(held) - LISTED:,} more; motif quarantine list lists all of them.")


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
            "Try again", key="held-retry", icon=":material/replay:", disabled=not declared,
            on_click=lab().errands.start, args=("quarantine", "retry", one.source, one.native_id),
        )  # fmt: skip
        st.button(
            "Try all of its source", key="held-retry-all", disabled=not declared,
            on_click=lab().errands.start, args=("quarantine", "retry", one.source),
        )  # fmt: skip
        st.button(
            "Take in without data", key="held-release", disabled=not declared, on_click=_release,
            args=(one,), help="The record with its metadata, without measurements; it is read "
            "again when its file changes.",
        )  # fmt: skip
    _show_details(one)
    if not declared:
        frame.quiet(f'The source "{one.source}" is not in motif.toml any more.')


def _show_details(one: Quarantined) -> None:
    """Who tried the file and what it begins with."""
    tried = [name.replace("/", " version ") for name in one.readers.split()]
    took = one.reader.replace("/", " version ")
    none = f"none of {count(len(tried), 'reader')} knows it" if tried else "none"
    frame.facts(
        [
            ("why", one.reason, ""),
            ("read by", took or none, ", ".join(tried)),
            ("since", f"{moment(one.first_seen)} UTC, tried {count(one.attempts, 'time')}", ""),
            ("begins with", printable(one) or "nothing", one.first_bytes),
        ]
    )


def _release(one: Quarantined) -> None:
    try:
        require_change()
        release(lab().workspace, one.source, one.native_id)
    except MotifError as error:
        st.session_state[REFUSED] = str(error)
