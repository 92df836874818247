"""Bruker OPUS files (``.0``, ``.1``, ...): FT-IR and FT-Raman spectra."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement, Reading
from motif.ingest.readers.kit import (
    SpectralAxis,
    axis_coordinates,
    check_size,
    datetime_facets,
    first_of_each_name,
    moment_facets,
    numbered_suffix_warnings,
    processing_by_settings,
    quantity_facets,
    spectrum,
    text_facets,
)
from motif.ingest.readers.opus import opus_blocks as opus
from motif.ingest.readers.opus.opus_blocks import OpusBlockKind, OpusParameters, OpusTrace, number

LARGEST = 1 << 28


class BrukerOpus:
    """Reads every spectrum of the file; interferograms and phases are left out with a warning."""

    name = "bruker-opus"
    version = 3

    def recognises(self, head: bytes, name: str) -> bool:
        """The four bytes every OPUS file begins with."""
        return head[:4] == opus.MAGIC and len(head) >= opus.START.size

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file; the facet ``signal`` states what each spectrum is."""
        check_size(path, LARGEST, opus.START.size)
        raw = path.read_bytes()
        if raw[:4] != opus.MAGIC:
            raise UnreadableFileError(f"{path.name} is not an OPUS file; fetch or copy it again")
        blocks = opus.read_blocks(path, raw)
        parameters: opus.OpusParameters = {}
        for kind, block in blocks:
            if not kind.is_data and kind.parameters > opus.STATUS and kind.channel != 2:
                parameters = {**opus.read_parameters(block), **parameters}
        measurements: list[Measurement] = []
        left_out = 0
        for trace in opus.read_traces(path, blocks):
            if trace.kind.data in SIGNALS and not trace.kind.derived:
                measurements.append(_measurement(path, trace, parameters, len(measurements)))
            else:
                left_out += 1
        if not measurements:
            raise UnreadableFileError(
                f"{path.name} has no spectrum, only interferograms or parameters; compute the "
                "spectrum in OPUS and save it"
            )
        warnings = [f"{left_out} interferograms, phases or traces are left out"] * bool(left_out)
        warnings += numbered_suffix_warnings(path, "an OPUS file", ".opus")
        return Reading(
            measurements, [(key, str(value)) for key, value in parameters.items()], warnings
        )


def _measurement(
    path: Path, trace: opus.OpusTrace, parameters: opus.OpusParameters, number: int
) -> Measurement:
    first, last = opus.number(trace.status, "FXV"), opus.number(trace.status, "LXV")
    scale = opus.number(trace.status, "CSF")
    with np.errstate(all="ignore"):
        positions = np.linspace(first, last, len(trace.values))
        values = trace.values if scale == 1 or not np.isfinite(scale) else trace.values * scale
    title = f"{parameters.get('SNM') or path.stem} {signal(trace.kind)}"
    return spectrum(
        str(number),
        title,
        axis_coordinates(path, axis_of(path, trace, parameters), positions),
        values,
        INTENSITIES.get(trace.kind.data, "arb. unit"),
        file_facets(trace, parameters),
    )


SIGNALS = {
    1: "single channel", 4: "absorbance", 5: "transmittance", 6: "Kubelka-Munk", 10: "Raman",
    11: "emission", 12: "reflectance", 14: "power", 15: "log reflectance", 16: "ATR",
    17: "photoacoustic",
}  # fmt: skip
INTENSITIES = {4: "1", 5: "1", 6: "1", 12: "1", 15: "1", 16: "1"}
"""Pure numbers; the others are arbitrary."""
AXES = {
    "WN": SpectralAxis("wavenumber", "cm^-1"), "RSH": SpectralAxis("raman_shift", "cm^-1"),
    "MI": SpectralAxis("wavelength", "um"), "NM": SpectralAxis("wavelength", "nm"),
    "EV": SpectralAxis("photon_energy", "eV"),
}  # fmt: skip
AXIS_TOLERANCE = 10.0
"""cm^-1 by which an axis may exceed the range that was set."""
TEXTS = (("operator", "CNM"), ("sample", "SNM"), ("comment", "SFM"), ("detector", "DTC"))
NUMBERS = (
    ("resolution", "RES", "1/cm"), ("accumulations", "ASS", ""), ("accumulations", "NSS", ""),
    ("laser_power", "SRL", "mW"), ("scan_time", "DUR", "s"),
)  # fmt: skip
STEPS = (("APF", "apodisation"), ("PHZ", "phase correction"), ("ZFF", "zero filling"))
"""How the spectrum was computed from its interferogram."""


def signal(kind: OpusBlockKind) -> str:
    """The signal of a trace: ``absorbance``, ``reference single channel``."""
    channel = {1: "sample ", 2: "reference "}.get(kind.channel, "")
    return f"{channel if kind.data == 1 else ''}{SIGNALS.get(kind.data, '')}"


def axis_of(path: Path, trace: OpusTrace, parameters: OpusParameters) -> SpectralAxis:
    """The axis of a trace.

    OPUS calls the axis of a Raman spectrum a wavenumber too; it is a shift where it is between
    the distances of the stored frequencies (HFQ, LFQ) from the laser (RLW).

    Raises:
        UnreadableFileError: its unit is not one of a spectrum.
    """
    unit = str(trace.status.get("DXU", ""))
    if unit not in AXES:
        raise UnreadableFileError(
            f"the axis of {path.name} is in {unit or 'no unit'} (DXU), which is not a unit of a "
            "spectrum; convert the axis to wavenumbers in OPUS and save it"
        )
    laser = number(parameters, "RLW")
    nearest, farthest = laser - number(parameters, "HFQ"), laser - number(parameters, "LFQ")
    ends = sorted((number(trace.status, "FXV"), number(trace.status, "LXV")))
    shifted = nearest - AXIS_TOLERANCE <= ends[0] and ends[1] <= farthest + AXIS_TOLERANCE
    return AXES["RSH"] if trace.kind.data == 10 and unit == "WN" and shifted else AXES[unit]


def file_facets(trace: OpusTrace, parameters: OpusParameters) -> list[Facet]:
    """What the parameters state about a spectrum."""
    return first_of_each_name(_facets(trace, parameters))


def _facets(trace: OpusTrace, parameters: OpusParameters) -> Iterator[Facet]:
    raman = trace.kind.data == 10 or trace.status.get("DXU") == "RSH"
    technique = "FT-Raman spectroscopy" if raman else "FT-IR spectroscopy"
    yield Facet("technique", technique, "header:PLF")
    yield Facet("signal", signal(trace.kind), "header:block type")
    if model := str(parameters.get("INS", "")):
        yield from text_facets("instrument", f"Bruker {model}", "INS")
    started = number(parameters, "SRT")
    if 0 < started < 4e9:
        yield from datetime_facets(datetime.fromtimestamp(started, UTC), "SRT", str(started))
    # The zone written after the time (GMT+1) contradicts SRT in real files and is not trusted.
    day, clock = str(trace.status.get("DAT", "")), str(trace.status.get("TIM", ""))
    yield from moment_facets(
        f"{day} {clock.split('.')[0].split('(')[0]}", "DAT", ("%d/%m/%Y %H:%M:%S",)
    )
    for name, key in TEXTS:
        yield from text_facets(name, str(parameters.get(key, "")), key)
    for name, key, unit in NUMBERS:
        yield from quantity_facets(name, number(parameters, key), unit, key)
    yield from processing_by_settings(
        [(key, str(value)) for key, value in parameters.items()], STEPS
    )
    if raman and (laser := number(parameters, "RLW")) > 0:
        yield from quantity_facets("laser_wavelength", 0.01 / laser, "m", "RLW")
