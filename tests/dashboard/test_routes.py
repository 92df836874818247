"""What the browser fetches: exact bytes, proper caching, refusals in plain words."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from motif.dashboard.data.point_grid import pack_mask
from motif.dashboard.data.thumbnails import thumbnail_url
from motif.dashboard.state.workspace_session import WorkspaceSession

Get = Callable[[str], Any]


def newest(session: WorkspaceSession) -> str:
    return session.derivations("projection", "pfm")[-1].id


def test_coordinates_come_once_and_for_ever(session: WorkspaceSession, get: Get) -> None:
    reply = get(f"/motif/maps/{newest(session)}/xy.bin")
    assert reply.status == 200
    assert "immutable" in reply.headers["cache-control"]
    assert reply.headers["content-encoding"] == "identity"
    points = np.frombuffer(reply.body, "<u2").reshape(-1, 2)
    assert (points == session.placement(newest(session)).lattice).all()


def test_a_point_of_the_map_tells_its_title_as_json(
    session: WorkspaceSession, get: Get, small_lab: Any
) -> None:
    placement = session.placement(newest(session))
    hostile = next(r.id for r in session.workspace.select("pfm") if r.title == small_lab.HOSTILE)
    reply = get(f"/motif/maps/{newest(session)}/{placement.positions[hostile]}.json")
    assert json.loads(reply.body)["title"] == small_lab.HOSTILE
    assert "simulated" in json.loads(reply.body)["lines"]
    assert reply.headers["content-type"] == "application/json"


def test_masks_and_colours_are_named_by_their_content(session: WorkspaceSession, get: Get) -> None:
    packed = pack_mask(np.ones(9, bool))
    key = session.blobs.put(packed)
    assert session.blobs.put(packed) == key
    assert get(f"/motif/blobs/{key}.bin").body == packed


@pytest.mark.parametrize(
    "url",
    [
        "/motif/maps/{zero}/xy.bin",
        "/motif/maps/../xy.bin",
        "/motif/maps/{map}/999999.json",
        "/motif/maps/{map}/999999.webp",
        "/motif/blobs/{zero}.bin",
        "/motif/blobs/x.bin",
        "/thumbs/{zero}.webp",
        "/thumbs/..%2f..%2fcatalog.webp",
        "/thumbs/{id}.webp?size=100000",
        "/thumbs/{id}.webp?size=1e3",
        "/thumbs/{id}.webp?channel=7",
        "/thumbs/{id}.webp?channel=-1",
        "/thumbs/{id}.webp?tile=../../catalog",
        "/thumbs/{id}.webp?tile={id}-02-00-02",
        "/thumbs/{id}.webp?tile={id}-00-00-00",
        "/thumbs/{id}.webp?tile={zero}-02-00-00",
    ],
)
def test_what_is_not_there_is_refused_in_plain_text(
    session: WorkspaceSession, get: Get, url: str
) -> None:
    some = session.table("pfm").ids[0]
    reply = get(url.format(zero="0" * 32, map=newest(session), id=some))
    assert reply.status == 404
    assert reply.headers["content-type"].startswith("text/plain")


def test_a_study_is_not_a_map(session: WorkspaceSession, get: Get) -> None:
    made = session.workspace.ledger.record(
        "other", "pfm", {}, [], {"a": np.zeros(1)}, {}, 0.0
    )  # fmt: skip
    assert get(f"/motif/maps/{made.id}/xy.bin").status == 404


def test_a_thumbnail_is_drawn_once_and_kept(session: WorkspaceSession, get: Get) -> None:
    some = session.table("pfm").ids[1]
    reply = get(thumbnail_url(some))
    assert reply.status == 200
    assert reply.headers["content-type"] == "image/webp"
    assert "immutable" in reply.headers["cache-control"]
    assert Image.open(io.BytesIO(reply.body)).size == (128, 128)
    kept = list((session.workspace.cache / "thumbs" / some[:2]).glob(f"{some}-*"))
    assert len(kept) == 1
    kept[0].write_bytes(b"kept")
    assert get(thumbnail_url(some)).body == b"kept"
    kept[0].unlink()


def test_without_a_version_a_picture_is_kept_briefly(session: WorkspaceSession, get: Get) -> None:
    reply = get(f"/thumbs/{session.table('pfm').ids[1]}.webp?size=256&scale=gray&channel=0")
    assert "immutable" not in reply.headers["cache-control"]
    picture = np.asarray(Image.open(io.BytesIO(reply.body)).convert("RGB")).astype(int)
    assert np.abs(picture[..., 0] - picture[..., 1]).max() < 25


def test_a_tile_is_shown_by_itself(session: WorkspaceSession, get: Get) -> None:
    some = session.table("pfm").ids[1]
    whole = get(thumbnail_url(some))
    quarters = [get(thumbnail_url(some, tile=f"{some}-02-0{n // 2}-0{n % 2}")) for n in range(4)]
    assert [quarter.status for quarter in quarters] == [200] * 4
    assert len({one.body for one in (whole, *quarters)}) == 5
    assert Image.open(io.BytesIO(quarters[0].body)).size == (128, 128)


def test_a_spectrum_has_a_thumbnail_too(session: WorkspaceSession, get: Get) -> None:
    reply = get(thumbnail_url(session.table("library").ids[0]))
    assert Image.open(io.BytesIO(reply.body)).size == (128, 128)
