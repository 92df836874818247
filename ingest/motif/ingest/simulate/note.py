"""The note an Asylum microscope would write for a simulated scan, traps included."""

from __future__ import annotations

import numpy as np

from motif.ingest.readers.asylum_note import IGOR_EPOCH
from motif.ingest.simulate.campaign import PIXELS, Experiment

HEATED = 300.0
"""Temperatures (K) above this need the heater, which then tells its own."""


def igor_seconds(experiment: Experiment) -> float:
    """Acquisition time in seconds since 1904."""
    return (experiment.moment - IGOR_EPOCH).total_seconds()


def write_note(experiment: Experiment, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Key and value pairs in Asylum's order.

    As in genuine notes, some keys repeat with other values, some values are NaN or infinite,
    the channels are listed in another order than the planes, and section markers have no value.
    """
    size = f"{experiment.size * 1e-6:g}"
    heated = experiment.temperature > HEATED
    heater = f"{experiment.temperature - 273.15:.2f}" if heated else "NaN"
    moment = experiment.moment
    return [
        *((f"{which}ScanSize", size) for which in ("", "Fast", "Slow")),
        ("ScanRate", f"{rng.choice([0.5, 1.0016, 2.0032]):g}"),
        ("PointsLines", str(PIXELS)),
        ("ScanPoints", str(PIXELS)),
        ("ScanLines", str(PIXELS)),
        ("ScanAngle", f"{rng.choice([0, 45, 90]):g}"),
        ("ImagingMode", "PFM Mode"),
        ("InvOLS", f"{rng.uniform(3e-8, 1e-7):.4e}"),
        ("SpringConstant", f"{rng.choice([0.46538, 2.8, 8.3589]):g}"),
        ("NapMode", "Off"),
        ("Channel1DataType", "1"),
        ("OrcaGain", "NaN"),
        ("Real Parms", "End"),
        ("DriveAmplitude", f"{rng.uniform(0.5, 3):.3g}"),
        ("DriveFrequency", f"{rng.uniform(2.5e5, 4.5e5):.5g}"),
        ("YPgain", "-inf"),
        ("TipVoltage", f"{rng.choice([0, 0, 0, 1, 2.5]):g}"),
        ("SurfaceVoltage", "0"),
        ("StartHeaterTemp", f"{heater} °C"),
        ("MicroscopeModel", experiment.instrument),
        ("NapMode", "0"),
        *(
            (f"Channel{i}DataType", name)
            for i, name in enumerate(("Height", "Amplitude", "Phase", "Deflection"), 1)
        ),
        ("PFMFrequencyLimit", "inf"),
        ("Date", f"{moment:%Y-%m-%d}"),
        ("Time", f"{moment:%I:%M:%S %p}"),
        ("Seconds", f"{igor_seconds(experiment):.3f}"),
        ("LaserModule", "10x30 µm Laser"),
        ("BaseName", experiment.stem),
        ("ImageNote", f"simulated {experiment.pattern} domains"),
        ("FlattenOrder 0", "1"),
    ]
