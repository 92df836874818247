"""Facets of a LabSpec header."""

from __future__ import annotations

from motif.core.records import Facet, Header
from motif.ingest.readers.facet_values import Rule, by_rules, moment
from motif.ingest.readers.processing import by_settings

RULES: tuple[Rule, ...] = (
    ("laser_wavelength", "Laser", "nm"), ("laser_wavelength", "Laser (nm)", "nm"),
    ("exposure_time", "Acq. time (s)", "s"), ("accumulations", "Accumulations", ""),
    ("operator", "User", None), ("operator", "Operator", None), ("sample", "Sample", None),
    ("project", "Project", None), ("remark", "Remark", None), ("objective", "Objective", None),
    ("grating", "Grating", None), ("detector", "Detector", None), ("filter", "Filter", None),
    ("instrument", "Instrument", None),
)  # fmt: skip
STEPS = (
    ("Spike filter", "spike filter"), ("DeNoise", "denoising"), ("Denoiser", "denoising"),
    ("ICS correction", "intensity correction"), ("Dark correction", "dark correction"),
    ("Inst. Process", "instrument processing"),
)  # fmt: skip
DATES = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S")


def header_facets(header: Header) -> list[Facet]:
    """What the header tells of all spectra of a file."""
    when = dict(header).get("Acquired", "")
    return [
        *by_rules(header, RULES),
        *moment(when, "Acquired", DATES),
        *by_settings(header, STEPS),
    ]
