"""The query of a search: images, a region, an uploaded file, weights of parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from motif.analysis.search.feature_space import Space
from motif.analysis.search.image_space import space_of
from motif.core.catalog.database import MeasurementRow
from motif.core.errors import MotifError
from motif.dashboard.components import page_frame
from motif.dashboard.components.gallery.gallery_component import GalleryTile, show_gallery
from motif.dashboard.components.region.region_component import show_region, to_pixels, to_shares
from motif.dashboard.data.measurement_picture import SIZES
from motif.dashboard.data.search_query import HEAVIEST, Upload, parse_weights, spell_weights
from motif.dashboard.data.thumbnails import caption, thumbnail_url
from motif.dashboard.panels import measurement_panel
from motif.dashboard.panels.selection_panel import FEWEST, MOST
from motif.dashboard.state import current_view
from motif.dashboard.state.current_view import link
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession

UPLOAD = "asked-with-file"
REGION = "region-of-question"
ASKED = "asked-gallery"
AWAY = "away-gallery"
LARGEST_MB = 64


def uploader() -> Upload | None:
    """The upload of a query file."""
    file = st.file_uploader(
        "Search by file", key=UPLOAD, max_upload_size=LARGEST_MB,
        help="Any format the readers know. It is compared, never stored.",
    )  # fmt: skip
    return None if file is None else Upload(file.name, file.getvalue())


def show_question(session: WorkspaceSession, view: View, upload: Upload | None) -> None:
    """Draw the query; each element of it can be removed."""
    if upload is not None:
        page_frame.subheading(upload.name, "compared, not stored")
    elif view.like or not view.id:
        _show_several(session, view)
    else:
        _show_one(session, view)
    if view.unlike:
        page_frame.subheading("less like", "click one to remove it")
        _gallery(session, view.unlike, AWAY)


def _show_one(session: WorkspaceSession, view: View) -> None:
    words = caption(session.workspace, view.id)
    row = session.workspace.measurement(view.id)
    source = thumbnail_url(view.id, SIZES[1])
    if row.kind == "image":
        shape = _frame_shape(row)
        show_region(
            source, words.title, to_shares(view.roi, shape), shape, key=REGION,
            on_drawn=lambda: _on_drawn(shape),
        )  # fmt: skip
        page_frame.quiet(
            f"Compared by the region {view.roi} px; Escape removes it."
            if view.roi
            else "Drag over the image to search by a region of it."
        )
    else:
        measurement_panel.show_picture(view.id, words.title, size=SIZES[1])
    page_frame.subheading(words.title)
    page_frame.quiet(" · ".join(words.lines))
    with st.container(horizontal=True, vertical_alignment="center"):
        link("measurement", replace(view.carried(), id=view.id), "Open", ":material/open_in_full:")
        st.button("Another", type="tertiary", key="another", on_click=forget_question)


def _show_several(session: WorkspaceSession, view: View) -> None:
    asked = tuple(dict.fromkeys((*([view.id] if view.id else []), *view.like)))
    page_frame.subheading(f"Similar to these {len(asked)}", "click one to remove it")
    _gallery(session, asked, ASKED)
    if FEWEST <= len(asked) <= MOST:
        those = replace(view.carried(), like=asked)
        link("compare", those, "Compare", ":material/compare:")
    st.button("Another", type="tertiary", key="another", on_click=forget_question)


def _gallery(session: WorkspaceSession, ids: Sequence[str], key: str) -> None:
    tiles = [
        GalleryTile(
            measurement,
            thumbnail_url(measurement),
            session.workspace.measurement(measurement).title,
        )
        for measurement in ids
    ]
    show_gallery(tiles, key=key, on_pick=lambda: _take_out(key), tile_width=84)


def _take_out(key: str) -> None:
    picked = st.session_state[key].get("picked")
    view = current_view.current()
    if not picked:
        return
    if key == AWAY:
        current_view.change(unlike=tuple(one for one in view.unlike if one != picked))
        return
    rest = [one for one in (view.id, *view.like) if one and one != picked]
    current_view.change(id=rest[0] if rest else "", like=tuple(rest[1:]))


def forget_question() -> None:
    """Return to the choice of measurements."""
    current_view.change(id="", like=(), unlike=(), roi="", why="")


def add(identity: str, how: str) -> None:
    """Continue from a result: search by it, add it to the query or against it, or explain it."""
    view = current_view.current()
    if how == "why":
        current_view.change(why=identity)
    elif how == "unlike":
        current_view.change(unlike=(*view.unlike, identity), roi="")
    elif how == "also" and view.id:
        current_view.change(like=(*view.like, identity), roi="")
    else:
        current_view.change(id=identity, like=(), unlike=(), roi="", why="")


def _frame_shape(row: MeasurementRow) -> tuple[int, int]:
    high, wide = row.shape[-2:]
    return int(high), int(wide)


def _on_drawn(shape: tuple[int, int]) -> None:
    drawn = st.session_state[REGION].get("drawn")
    if drawn:
        region = drawn["region"]
        current_view.change(roi=to_pixels([float(v) for v in region], shape) if region else "")


def weights_of(session: WorkspaceSession, view: View, kind: str | None) -> dict[str, float]:
    """The weights a view asks for, by part."""
    try:
        space = space_of(session.workspace, view.collection, kind)
    except MotifError:
        return {}
    return parse_weights(view.weights, list(_usual(space)))


def _usual(space: Space) -> dict[str, float]:
    """The default weights: parts of the features, then kinds of channel."""
    parts = {name: 0.0 if name in space.optional else 1.0 for name in space.parts}
    channels = [name for name in space.channels if "." not in name]
    return {**parts, **dict.fromkeys(channels if len(channels) > 1 else (), 1.0)}


def show_weights(session: WorkspaceSession, view: View, kind: str | None) -> None:
    """One slider per feature part or kind of channel: its weight."""
    usual = _usual(space_of(session.workspace, view.collection, kind))
    if len(usual) < 2:
        return
    chosen = {**usual, **parse_weights(view.weights, list(usual))}
    with st.popover("Weights", icon=":material/tune:"):
        page_frame.quiet(
            "How much each part of the features and each kind of channel counts; 1 is the default."
        )
        for name in usual:
            key = f"weight-{name}"
            st.session_state[key] = chosen[name]
            st.slider(
                name.replace("_", " ").capitalize(), 0.0, HEAVIEST, step=0.25, key=key,
                on_change=lambda: _on_weights(usual),
            )  # fmt: skip


def _on_weights(usual: dict[str, float]) -> None:
    weights = {name: float(st.session_state[f"weight-{name}"]) for name in usual}
    if any(weights.values()):
        current_view.change(weights=spell_weights(weights, usual))
