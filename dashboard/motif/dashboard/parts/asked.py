"""The question of a search: pictures asked with, a region, an uploaded file, weights of parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from motif.analysis.search.space import Space
from motif.analysis.search.spaces import space_of
from motif.core.catalog import MeasurementRow
from motif.core.errors import MotifError
from motif.dashboard import state
from motif.dashboard.asking import HEAVIEST, Upload, parse_weights, spell_weights
from motif.dashboard.captions import caption
from motif.dashboard.lab import Lab
from motif.dashboard.links import link
from motif.dashboard.parts import frame, measurement
from motif.dashboard.parts.gallery import Tile, show_gallery
from motif.dashboard.parts.region import show_region, to_pixels, to_shares
from motif.dashboard.parts.selection import FEWEST, MOST
from motif.dashboard.picture import SIZES
from motif.dashboard.thumbnails import thumbnail_url
from motif.dashboard.view import View

UPLOAD = "asked-with-file"
REGION = "region-of-question"
ASKED = "asked-gallery"
AWAY = "away-gallery"
LARGEST_MB = 64


def uploader() -> Upload | None:
    """A place to drop a file to ask with."""
    file = st.file_uploader(
        "Ask with a file of your own", key=UPLOAD, max_upload_size=LARGEST_MB,
        help="Any format the readers know. It is compared and forgotten, never stored.",
    )  # fmt: skip
    return None if file is None else Upload(file.name, file.getvalue())


def show_question(here: Lab, view: View, upload: Upload | None) -> None:
    """Draw what is asked with; each part of it can be taken away again."""
    if upload is not None:
        frame.subheading(upload.name, "compared, not stored")
    elif view.like or not view.id:
        _show_several(here, view)
    else:
        _show_one(here, view)
    if view.unlike:
        frame.subheading("and unlike", "click one to take it out")
        _gallery(here, view.unlike, AWAY)


def _show_one(here: Lab, view: View) -> None:
    words = caption(here.workspace, view.id)
    row = here.workspace.measurement(view.id)
    source = thumbnail_url(view.id, SIZES[1])
    if row.kind == "image":
        shape = _frame_shape(row)
        show_region(
            source, words.title, to_shares(view.roi, shape), shape, key=REGION,
            on_drawn=lambda: _on_drawn(shape),
        )  # fmt: skip
        frame.quiet(
            f"Compared by the region {view.roi} px; Escape takes it away."
            if view.roi
            else "Drag over the picture to ask with a part of it."
        )
    else:
        measurement.show_picture(view.id, words.title, size=SIZES[1])
    frame.subheading(words.title)
    frame.quiet(" · ".join(words.lines))
    with st.container(horizontal=True, vertical_alignment="center"):
        link("measurement", replace(view.carried(), id=view.id), "Open", ":material/open_in_full:")
        st.button("Another", type="tertiary", key="another", on_click=forget_question)


def _show_several(here: Lab, view: View) -> None:
    asked = tuple(dict.fromkeys((*([view.id] if view.id else []), *view.like)))
    frame.subheading(f"Like these {len(asked)}", "click one to take it out")
    _gallery(here, asked, ASKED)
    if FEWEST <= len(asked) <= MOST:
        those = replace(view.carried(), like=asked)
        link("compare", those, "Compare them", ":material/compare:")
    st.button("Another", type="tertiary", key="another", on_click=forget_question)


def _gallery(here: Lab, ids: Sequence[str], key: str) -> None:
    tiles = [Tile(one, thumbnail_url(one), here.workspace.measurement(one).title) for one in ids]
    show_gallery(tiles, key=key, on_pick=lambda: _take_out(key), tile_width=84)


def _take_out(key: str) -> None:
    picked = st.session_state[key].get("picked")
    view = state.current()
    if not picked:
        return
    if key == AWAY:
        state.change(unlike=tuple(one for one in view.unlike if one != picked))
        return
    rest = [one for one in (view.id, *view.like) if one and one != picked]
    state.change(id=rest[0] if rest else "", like=tuple(rest[1:]))


def forget_question() -> None:
    """Go back to picking."""
    state.change(id="", like=(), unlike=(), roi="", why="")


def add(identity: str, how: str) -> None:
    """Go on from a result: ask with it alone, with it too, away from it, or have it explained."""
    view = state.current()
    if how == "why":
        state.change(why=identity)
    elif how == "unlike":
        state.change(unlike=(*view.unlike, identity), roi="")
    elif how == "also" and view.id:
        state.change(like=(*view.like, identity), roi="")
    else:
        state.change(id=identity, like=(), unlike=(), roi="", why="")


def _frame_shape(row: MeasurementRow) -> tuple[int, int]:
    high, wide = row.shape[-2:]
    return int(high), int(wide)


def _on_drawn(shape: tuple[int, int]) -> None:
    drawn = st.session_state[REGION].get("drawn")
    if drawn:
        region = drawn["region"]
        state.change(roi=to_pixels([float(v) for v in region], shape) if region else "")


def weights_of(here: Lab, view: View, kind: str | None) -> dict[str, float]:
    """The weights a view asks for, by part."""
    try:
        space = space_of(here.workspace, view.collection, kind)
    except MotifError:
        return {}
    return parse_weights(view.weights, list(_usual(space)))


def _usual(space: Space) -> dict[str, float]:
    """What counts how much when nobody says: parts of the features, then kinds of channel."""
    parts = {name: 0.0 if name in space.optional else 1.0 for name in space.parts}
    channels = [name for name in space.channels if "." not in name]
    return {**parts, **dict.fromkeys(channels if len(channels) > 1 else (), 1.0)}


def show_weights(here: Lab, view: View, kind: str | None) -> None:
    """A slider a feature part or kind of channel: how much it counts."""
    usual = _usual(space_of(here.workspace, view.collection, kind))
    if len(usual) < 2:
        return
    chosen = {**usual, **parse_weights(view.weights, list(usual))}
    with st.popover("Weights", icon=":material/tune:"):
        frame.quiet(
            "How much each part of the features and each kind of channel counts; 1 is as they "
            "were made."
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
        state.change(weights=spell_weights(weights, usual))
