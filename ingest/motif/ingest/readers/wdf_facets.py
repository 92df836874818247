"""Facets of a Renishaw ``.wdf``."""

from __future__ import annotations

from collections.abc import Iterator

from motif.core.records import Facet
from motif.ingest.readers import wdf_blocks as wdf
from motif.ingest.readers.facet_values import filetime, quantity, text
from motif.ingest.readers.processing import processing

PLACES = {wdf.X: "map_x", wdf.Y: "map_y", wdf.Z: "map_z", 9: "temperature"}


def common_facets(
    header: wdf.Header, unit: int, seconds: float | None, model: str
) -> Iterator[Facet]:
    """What the header and settings tell about all spectra of a file."""
    if unit == 1:
        yield Facet("technique", "Raman spectroscopy", "header:XLST.unit")
    yield from text("instrument", model, "WXIS")
    yield from text("operator", header.user, "user")
    yield from filetime(header.started, "started")
    if header.laser_wavelength:
        yield from quantity("laser_wavelength", header.laser_wavelength, "m", "laser")
    yield from quantity("accumulations", header.accumulations, "", "accumulations")
    yield from processing(
        ["cosmic ray removal"] if header.flags & wdf.COSMIC_RAYS_REMOVED else [], "flags"
    )
    if seconds:
        yield from quantity("exposure_time", seconds, "s", "WXDM.Scan")


def place_facets(origins: list[wdf.Origin], index: int) -> Iterator[Facet]:
    """Where and when one spectrum of a map or series was measured."""
    for origin in origins:
        if origin.kind == wdf.TIME:
            yield from filetime(int(origin.ticks[index]), "ORGN.Time")
        elif origin.kind in PLACES:
            value = float(origin.values[index])
            yield from quantity(PLACES[origin.kind], value, origin.unit, f"ORGN.{origin.name}")
