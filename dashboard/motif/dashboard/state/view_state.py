"""The view as a URL: collection, map, filter, selection."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self, TypeAlias

Params: TypeAlias = Mapping[str, Sequence[str]]
Polygon: TypeAlias = tuple[tuple[float, float], ...]

FACET_PREFIX = "f."
MAX_CORNERS = 200
PLAIN = (
    "at", "collection", "map", "colour", "where", "id", "scale", "k", "roi", "weights", "channel",
    "diversity", "up_to", "within", "why", "line", "pictures",
)  # fmt: skip
"""Parameters that hold one text each."""

LISTS = ("like", "unlike")
"""Parameters that hold any number of measurement ids."""

NAMES = ("not_same", "different", "model")
"""Parameters that hold any number of names."""
MOST_NAMES = 12

MOST_IDS = 60
ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class View:
    """One view of the workspace; an empty field means the page's own choice.

    Attributes:
        at: the moment whose data are shown, as `motif.dashboard.state.pinned_view.Pin` spells it.
        map: id of the projection shown.
        facets: facet -> chosen values, or one ``low..high`` in SI units or dates.
        polygon: selection in the map's coordinates.
        hidden: legend entries switched off.
        id: the measurement looked at.
        k: how many results are wanted, as text.
        roi: region of the measurement asked with, ``x,y,width,height`` in pixels.
        weights: of feature parts, ``texture:2;scale:0``.
        channel: shown, by name or place.
        diversity: of the results, from 0 to 1 as text.
        up_to: what pictures may differ in where they are compared as such.
        within: the largest distance of a result, as text.
        why: the result that is explained.
        line: ends of a profile, ``x,y,x,y`` in shares of the picture's width and height.
        pictures: ``on`` where the map shows some as pictures.
        like, unlike: further measurements a search asks with, and those it keeps away from.
        not_same, different: what no result shares with the question, and what it tells otherwise.
        model: models side by side.
    """

    at: str = ""
    collection: str = ""
    map: str = ""
    colour: str = ""
    where: str = ""
    id: str = ""
    scale: str = ""
    k: str = ""
    roi: str = ""
    weights: str = ""
    channel: str = ""
    diversity: str = ""
    up_to: str = ""
    within: str = ""
    why: str = ""
    line: str = ""
    pictures: str = ""
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    not_same: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    polygon: Polygon = ()
    hidden: tuple[str, ...] = ()

    @classmethod
    def from_params(cls, params: Params) -> Self:
        """Read a query string's parameters; invalid entries are ignored."""
        plain = {name: params[name][-1] for name in PLAIN if params.get(name)}
        facets = {
            name.removeprefix(FACET_PREFIX): tuple(values)
            for name, values in params.items()
            if name.startswith(FACET_PREFIX) and values
        }
        chosen = params.get("sel")
        like, unlike = (_ids(params.get(name, ())) for name in LISTS)
        not_same, different, model = (_names(params.get(name, ())) for name in NAMES)
        return cls(
            **plain,
            like=like,
            unlike=unlike,
            not_same=not_same,
            different=different,
            model=model,
            facets=facets,
            polygon=decode_polygon(chosen[-1]) if chosen else (),
            hidden=tuple(params.get("hide", ())),
        )

    def params(self) -> dict[str, str | list[str]]:
        """The parameters of this view's URL, defaults left out."""
        found: dict[str, str | list[str]] = {
            name: getattr(self, name) for name in PLAIN if getattr(self, name)
        }
        for name in (*LISTS, *NAMES):
            if getattr(self, name):
                found[name] = list(getattr(self, name))
        for name in sorted(self.facets):
            if self.facets[name]:
                found[FACET_PREFIX + name] = list(self.facets[name])
        if self.polygon:
            found["sel"] = encode_polygon(self.polygon)
        if self.hidden:
            found["hide"] = list(self.hidden)
        return found

    def with_facet(self, name: str, values: Sequence[str]) -> Self:
        """The same view with other chosen values of one facet, none to drop it."""
        facets = {key: kept for key, kept in self.facets.items() if key != name}
        if values:
            facets[name] = tuple(values)
        return replace(self, facets=facets)

    def carried(self) -> Self:
        """The fields kept when the page changes: moment, collection, filter."""
        return type(self)(
            at=self.at, collection=self.collection, where=self.where, facets=self.facets
        )

    @property
    def filtered(self) -> bool:
        return bool(self.where.strip() or self.facets)


def _ids(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry for entry in values if ID.fullmatch(entry)))[:MOST_IDS]


def _names(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry for entry in values if entry))[:MOST_NAMES]


def encode_polygon(polygon: Sequence[tuple[float, float]]) -> str:
    """Corners as float32 pairs in URL-safe base64."""
    flat = [value for corner in polygon for value in corner]
    packed = struct.pack(f"<{len(flat)}f", *flat)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_polygon(text: str) -> Polygon:
    """Corners of `encode_polygon`'s text; () for anything else."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return ()
    corners = len(packed) // 8
    if len(packed) != 8 * corners or not 3 <= corners <= MAX_CORNERS:
        return ()
    flat = struct.unpack(f"<{2 * corners}f", packed)
    if not all(abs(value) < 1e30 for value in flat):
        return ()
    return tuple(zip(flat[::2], flat[1::2], strict=True))
