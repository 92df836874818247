"""The clock of a lab: times that no zone was told for, read in the workspace's zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from motif.core.records import Facet

TIMES = frozenset({"acquired_at"})
"""Facets that are moments."""
ASSUMED = ", zone not told: taken as "
"""Stands in the origin of a moment behind which no zone was written."""


class Clock:
    """Makes moments UTC.

    Args:
        zone: name of a zone of the IANA database such as ``America/New_York``, in which the
            instruments' clocks were set, summer time included; an hour that the change to winter
            time repeats is taken for the first of the two.
    """

    def __init__(self, zone: str = "UTC") -> None:
        self.zone = zone
        self._zone = ZoneInfo(zone)

    def applied(self, facets: Sequence[Facet]) -> list[Facet]:
        """The facets with their moments in UTC; the origin says where the zone was assumed."""
        return [self._seen(facet) if facet.name in TIMES else facet for facet in facets]

    def _seen(self, facet: Facet) -> Facet:
        try:
            moment = datetime.fromisoformat(str(facet.value))
        except ValueError:
            return facet
        told = moment.tzinfo is not None
        try:
            text = spelled(moment if told else moment.replace(tzinfo=self._zone))
        except OverflowError:  # the first and the last day of the calendar
            return facet
        origin = facet.origin if told else f"{facet.origin}{ASSUMED}{self.zone}"
        return replace(facet, value=text, origin=origin)


def spelled(moment: datetime) -> str:
    """ISO 8601 to the second: in UTC and with a Z where the zone is known, bare where not."""
    if moment.tzinfo is None:
        return moment.isoformat(timespec="seconds")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def iso_moment(value: Any) -> str | None:
    """`spelled` of ISO 8601 text; None where it is none."""
    try:
        return spelled(datetime.fromisoformat(str(value)))
    except (ValueError, OverflowError):
        return None
