"""Routes for data outside Streamlit's own traffic: points, masks, pictures."""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Callable
from functools import wraps
from threading import Thread

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from motif.core.errors import MotifError, NotFoundError
from motif.core.records import ID_LENGTH
from motif.dashboard.data.measurement_picture import SIZES
from motif.dashboard.data.point_colours import SCALES
from motif.dashboard.data.point_grid import Placement
from motif.dashboard.data.thumbnails import caption, thumbnail
from motif.dashboard.state.workspace_session import lab

FOR_EVER = "private, max-age=31536000, immutable"
BRIEFLY = "private, max-age=60"
KEY = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")

Handler = Callable[[Request], Response]


def _answering(handler: Handler) -> Handler:
    """Refusals become 404 with their sentence as plain text."""

    @wraps(handler)
    def answer(request: Request) -> Response:
        try:
            return handler(request)
        except MotifError as error:
            return Response(str(error), 404, {"Cache-Control": "no-store"}, media_type="text/plain")

    return answer


def _binary(data: bytes) -> Response:
    # Declared as encoded: gzip would cost more time than loopback or a LAN saves.
    headers = {"Cache-Control": FOR_EVER, "Content-Encoding": "identity"}
    return Response(data, headers=headers, media_type="application/octet-stream")


def _key(request: Request, name: str) -> str:
    value = str(request.path_params[name])
    if not KEY.fullmatch(value):
        raise NotFoundError(f"A key has {ID_LENGTH} hexadecimal digits; reload the page.")
    return value


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,6}", text):
        raise NotFoundError(f'"{name}" must be a whole number.')
    return int(text)


@_answering
def coordinates(request: Request) -> Response:
    """uint16 pairs of a map, in its shuffled order."""
    return _binary(lab().placement(_key(request, "map")).lattice.astype("<u2").tobytes())


@_answering
def blob(request: Request) -> Response:
    """A mask or the colours that a page has just stored."""
    data = lab().blobs.get(_key(request, "key"))
    if data is None:
        raise NotFoundError("These points are no longer cached; reload the page.")
    return _binary(data)


def _point(request: Request) -> tuple[Placement, int]:
    placement = lab().placement(_key(request, "map"))
    index = int(request.path_params["index"])
    if index >= len(placement):
        raise NotFoundError(f"This map has {len(placement)} points.")
    return placement, index


@_answering
def point_words(request: Request) -> Response:
    """Title and a few facets of one point, and the trust of its position."""
    placement, index = _point(request)
    words = caption(lab().workspace, placement.ids[index])
    trust = float(lab().array(placement.key, "trust")[placement.rows[index]])
    return JSONResponse(
        {
            "id": words.id, "title": words.title,
            "lines": [*words.lines, f"trust of placement {trust:.2f}"],
        },
        headers={"Cache-Control": BRIEFLY},
    )  # fmt: skip


@_answering
def point_picture(request: Request) -> Response:
    """Thumbnail of one point: of its tile on a map of tiles."""
    placement, index = _point(request)
    tile = ""
    if lab().derivation(placement.key).parameters.get("tiles"):
        tile = lab().array(placement.key, "tiles")[placement.rows[index]].decode()
    return _webp(thumbnail(lab().workspace, placement.ids[index], tile=tile), BRIEFLY)


@_answering
def picture(request: Request) -> Response:
    """Thumbnail of one measurement: ``size``, ``channel`` and ``scale`` may be chosen."""
    size = _number(request, "size") or SIZES[0]
    scale = next((s for s in SCALES if s == request.query_params.get("scale")), SCALES[0])
    data = thumbnail(
        lab().workspace, _key(request, "id"),
        size=size, channel=_number(request, "channel"), scale=scale,
        tile=request.query_params.get("tile", ""),
    )  # fmt: skip
    return _webp(data, FOR_EVER if "v" in request.query_params else BRIEFLY)


def _webp(data: bytes, caching: str) -> Response:
    headers = {"Cache-Control": caching, "Content-Encoding": "identity"}
    return Response(data, headers=headers, media_type="image/webp")


def routes() -> list[Route]:
    """Routes to mount on the app; handlers run in its thread pool."""
    return [
        Route("/motif/maps/{map}/xy.bin", coordinates),
        Route("/motif/maps/{map}/{index:int}.json", point_words),
        Route("/motif/maps/{map}/{index:int}.webp", point_picture),
        Route("/motif/blobs/{key}.bin", blob),
        Route("/thumbs/{id}.webp", picture),
    ]


HEAVY = (
    "motif.dashboard.pages.map_page",
    "motif.dashboard.pages.search_page",
    "motif.dashboard.pages.composition_page",
    "motif.analysis.composition.datasets.composition_library",
)
"""Modules that import plotly, faiss and torch, which takes seconds."""

_log = logging.getLogger(__name__)


def warm_up() -> Thread:
    """Import the pages and read the facet tables in a thread of their own."""
    thread = Thread(target=_load, name="warm-up", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    from motif.dashboard.state.workspace_session import lab

    try:
        session = lab()
        session.projections.open()
        for collection in session.collections():
            session.table(collection)
        for module in HEAVY:
            importlib.import_module(module)
    except Exception:
        # The pages report the error to the person who opens them.
        _log.warning("The dashboard's modules could not be loaded in advance", exc_info=True)
