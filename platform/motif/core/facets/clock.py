"""Times without a stated zone, interpreted in the time zone of the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from motif.core.records import Facet

TIMES = frozenset({"acquired_at"})
"""Facets that are times."""
ASSUMED = ", zone not stated: taken as "
"""Part of the origin of a time that its file or record states without a zone."""


class Clock:
    """Converts times to UTC.

    Args:
        zone: name of a zone of the IANA database such as ``America/New_York``, to which the
            instruments' clocks were set, summer time included; of an hour that occurs twice when
            summer time ends, the first is assumed.
    """

    def __init__(self, zone: str = "UTC") -> None:
        self.zone = zone
        self._zone = ZoneInfo(zone)

    def applied(self, facets: Sequence[Facet]) -> list[Facet]:
        """The facets with times in UTC; the origin states where the zone was assumed."""
        return [self._in_utc(facet) if facet.name in TIMES else facet for facet in facets]

    def _in_utc(self, facet: Facet) -> Facet:
        try:
            moment = datetime.fromisoformat(str(facet.value))
        except ValueError:
            return facet
        has_zone = moment.tzinfo is not None
        try:
            text = iso_text(moment if has_zone else moment.replace(tzinfo=self._zone))
        except OverflowError:  # the first or last day of the calendar
            return facet
        origin = facet.origin if has_zone else f"{facet.origin}{ASSUMED}{self.zone}"
        return replace(facet, value=text, origin=origin)


def iso_text(moment: datetime) -> str:
    """ISO 8601 to the second: in UTC with a Z where the zone is known, else without a zone."""
    if moment.tzinfo is None:
        return moment.isoformat(timespec="seconds")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def iso_moment(value: Any) -> str | None:
    """ISO 8601 text in the form of `iso_text`; None for other values."""
    try:
        return iso_text(datetime.fromisoformat(str(value)))
    except (ValueError, OverflowError):
        return None
