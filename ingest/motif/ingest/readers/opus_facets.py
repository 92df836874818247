"""Axes, units and facets of a Bruker OPUS spectrum."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet
from motif.ingest.readers.facet_values import instant, moment, once, quantity, text
from motif.ingest.readers.opus_blocks import Kind, Parameters, Trace, number
from motif.ingest.readers.processing import by_settings
from motif.ingest.readers.spectral_axes import Axis

SIGNALS = {
    1: "single channel", 4: "absorbance", 5: "transmittance", 6: "Kubelka-Munk", 10: "Raman",
    11: "emission", 12: "reflectance", 14: "power", 15: "log reflectance", 16: "ATR",
    17: "photoacoustic",
}  # fmt: skip
INTENSITIES = {4: "1", 5: "1", 6: "1", 12: "1", 15: "1", 16: "1"}
"""Pure numbers; the others are arbitrary."""
AXES = {
    "WN": Axis("wavenumber", "cm^-1"), "RSH": Axis("raman_shift", "cm^-1"),
    "MI": Axis("wavelength", "um"), "NM": Axis("wavelength", "nm"),
    "EV": Axis("photon_energy", "eV"),
}  # fmt: skip
SLACK = 10.0
"""cm^-1 by which an axis may reach beyond what was asked for."""
TEXTS = (("operator", "CNM"), ("sample", "SNM"), ("remark", "SFM"), ("detector", "DTC"))
NUMBERS = (
    ("resolution", "RES", "1/cm"), ("accumulations", "ASS", ""), ("accumulations", "NSS", ""),
    ("laser_power", "SRL", "mW"), ("scan_time", "DUR", "s"),
)  # fmt: skip
STEPS = (("APF", "apodisation"), ("PHZ", "phase correction"), ("ZFF", "zero filling"))
"""How the spectrum was computed from its interferogram."""


def signal(kind: Kind) -> str:
    """What a trace shows: ``absorbance``, ``reference single channel``."""
    channel = {1: "sample ", 2: "reference "}.get(kind.channel, "")
    return f"{channel if kind.data == 1 else ''}{SIGNALS.get(kind.data, '')}"


def axis_of(path: Path, trace: Trace, told: Parameters) -> Axis:
    """The axis of a trace.

    OPUS calls the axis of a Raman spectrum a wavenumber too; it is a shift where it lies between
    the distances of the stored frequencies (HFQ, LFQ) from the laser (RLW).

    Raises:
        UnreadableFileError: its unit is none of a spectrum.
    """
    unit = str(trace.status.get("DXU", ""))
    if unit not in AXES:
        raise UnreadableFileError(
            f"the axis of {path.name} is in {unit or 'no unit'} (DXU), which is no unit of a "
            "spectrum; convert the axis to wavenumbers in OPUS and save it"
        )
    laser = number(told, "RLW")
    nearest, farthest = laser - number(told, "HFQ"), laser - number(told, "LFQ")
    ends = sorted((number(trace.status, "FXV"), number(trace.status, "LXV")))
    shifted = nearest - SLACK <= ends[0] and ends[1] <= farthest + SLACK
    return AXES["RSH"] if trace.kind.data == 10 and unit == "WN" and shifted else AXES[unit]


def file_facets(trace: Trace, told: Parameters) -> list[Facet]:
    """What the parameters tell of a spectrum."""
    return once(_facets(trace, told))


def _facets(trace: Trace, told: Parameters) -> Iterator[Facet]:
    raman = trace.kind.data == 10 or trace.status.get("DXU") == "RSH"
    technique = "FT-Raman spectroscopy" if raman else "FT-IR spectroscopy"
    yield Facet("technique", technique, "header:PLF")
    yield Facet("signal", signal(trace.kind), "header:block type")
    if model := str(told.get("INS", "")):
        yield from text("instrument", f"Bruker {model}", "INS")
    started = number(told, "SRT")
    if 0 < started < 4e9:
        yield from instant(datetime.fromtimestamp(started, UTC), "SRT", str(started))
    # The zone written behind the time (GMT+1) contradicts SRT in real files and is not trusted.
    day, clock = str(trace.status.get("DAT", "")), str(trace.status.get("TIM", ""))
    yield from moment(f"{day} {clock.split('.')[0].split('(')[0]}", "DAT", ("%d/%m/%Y %H:%M:%S",))
    for name, key in TEXTS:
        yield from text(name, str(told.get(key, "")), key)
    for name, key, unit in NUMBERS:
        yield from quantity(name, number(told, key), unit, key)
    yield from by_settings([(key, str(value)) for key, value in told.items()], STEPS)
    if raman and (laser := number(told, "RLW")) > 0:
        yield from quantity("laser_wavelength", 0.01 / laser, "m", "RLW")
