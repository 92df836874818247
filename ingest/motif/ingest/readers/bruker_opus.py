"""Bruker OPUS files (``.0``, ``.1``, ...): FT-IR and FT-Raman spectra."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Measurement, Reading
from motif.ingest.readers import opus_blocks as opus
from motif.ingest.readers.naming import misnumbered
from motif.ingest.readers.opus_facets import INTENSITIES, SIGNALS, axis_of, file_facets, signal
from motif.ingest.readers.spectrum import coordinates, sized, spectrum

LARGEST = 1 << 28


class BrukerOpus:
    """Reads every spectrum of the file; interferograms and phases are remarked and left out."""

    name = "bruker-opus"
    version = 2

    def recognises(self, head: bytes, name: str) -> bool:
        """The four bytes every OPUS file begins with."""
        return head[:4] == opus.MAGIC and len(head) >= opus.START.size

    def __call__(self, path: Path) -> Reading:
        """Read the file; each spectrum carries what it is as the facet ``signal``."""
        sized(path, LARGEST, opus.START.size)
        raw = path.read_bytes()
        if raw[:4] != opus.MAGIC:
            raise UnreadableFileError(f"{path.name} does not begin like an OPUS file; check it")
        blocks = opus.read_blocks(path, raw)
        told: opus.Parameters = {}
        for kind, block in blocks:
            if not kind.is_data and kind.parameters > opus.STATUS and kind.channel != 2:
                told = {**opus.read_parameters(block), **told}
        measurements: list[Measurement] = []
        left_out = 0
        for trace in opus.read_traces(path, blocks):
            if trace.kind.data in SIGNALS and not trace.kind.derived:
                measurements.append(_measurement(path, trace, told, len(measurements)))
            else:
                left_out += 1
        if not measurements:
            raise UnreadableFileError(
                f"{path.name} holds no spectrum, only interferograms or parameters; compute the "
                "spectrum in OPUS and save it"
            )
        notes = [f"{left_out} interferograms, phases or traces are left out"] * bool(left_out)
        notes += misnumbered(path, "an OPUS file", ".opus")
        return Reading(measurements, [(key, str(value)) for key, value in told.items()], notes)


def _measurement(path: Path, trace: opus.Trace, told: opus.Parameters, number: int) -> Measurement:
    first, last = opus.number(trace.status, "FXV"), opus.number(trace.status, "LXV")
    scale = opus.number(trace.status, "CSF")
    with np.errstate(all="ignore"):
        positions = np.linspace(first, last, len(trace.values))
        values = trace.values if scale == 1 or not np.isfinite(scale) else trace.values * scale
    title = f"{told.get('SNM') or path.stem} {signal(trace.kind)}"
    return spectrum(
        str(number),
        title,
        coordinates(path, axis_of(path, trace, told), positions),
        values,
        INTENSITIES.get(trace.kind.data, "arb. unit"),
        file_facets(trace, told),
    )
