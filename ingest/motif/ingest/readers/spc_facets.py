"""Facets of a Galactic ``.spc``."""

from __future__ import annotations

from collections.abc import Iterator

from motif.core.records import Facet, Header
from motif.ingest.readers import spc_parts as spc
from motif.ingest.readers.facet_values import Rule, by_rules, instant, quantity, text
from motif.ingest.readers.processing import by_settings
from motif.ingest.readers.spc_units import SERIES, SIGNALS

RULES: tuple[Rule, ...] = (
    ("operator", "Operator", None), ("laser_wavelength", "Laser", "nm"),
    ("exposure_time", "Exposure_time", "ms"), ("accumulations", "Accumulations", ""),
    ("instrument", "Instrument", None), ("grating", "Grating_grooves", None),
    ("laser_power_setting", "Laser_power", None),
)  # fmt: skip
"""What Renishaw and Thermo write into the log."""
STEPS = (("Cosmic_ray_removal", "cosmic ray removal"), ("Smoothing", "smoothing"))


def place_facets(header: spc.Spc, sub: spc.Sub) -> Iterator[Facet]:
    """Where in a series a spectrum stands."""
    if header.spectra > 1 and header.z_unit in SERIES:
        name, unit = SERIES[header.z_unit]
        yield from quantity(name, sub.z, unit, "subtime")


def common_facets(header: spc.Spc, log: Header) -> Iterator[Facet]:
    """What header and log tell about all spectra of a file."""
    if header.x_unit == 13:
        yield Facet("technique", "Raman spectroscopy", "header:fxtype")
    yield from text("signal", SIGNALS.get(header.y_unit, ""), "fytype")
    yield from by_rules(log, RULES)
    yield from by_settings(log, STEPS)
    if header.acquired:
        yield from instant(header.acquired, "fdate", str(header.acquired))
