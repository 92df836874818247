"""Writes Asylum-style images: Igor waves of version 5, stamped as simulated in their note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.records import Header
from motif.ingest.readers.asylum.asylum_note import IGOR_EPOCH
from motif.ingest.readers.asylum.igor_wave import HEADER, LABEL
from motif.ingest.simulate.campaign import PIXELS, Experiment

CREATION_DATE = 3373459566
"""Every genuine Asylum image carries this same creation date."""
STAMP = ("Simulated", "Motif")
FLOAT32 = 2


def write_ibw(
    path: Path,
    planes: Mapping[str, NDArray[np.float32]],
    *,
    size: tuple[float, float],
    note: Header,
    name: str = "",
    modified: float = CREATION_DATE,
) -> None:
    """Write named planes of one shape as an image.

    Args:
        path: the file to write.
        planes: label → plane (lines, points), in the base unit Asylum stores the channel in.
        size: width and height of the scan in metres, from first to last pixel.
        note: (key, value) pairs of the instrument's note; `STAMP` is added.
        name: name of the wave; from the path unless given.
        modified: seconds since 1904.
    """
    data = np.stack([np.asarray(plane, np.float32) for plane in planes.values()])
    count, lines, points = data.shape
    text = "".join(f"{key}: {value}\r" for key, value in (*note, STAMP)).encode("latin-1")
    labels = _labels(list(planes))
    head = np.zeros((), HEADER.newbyteorder("<"))
    head["version"], head["wave_version"], head["type"] = 5, 1, FLOAT32
    head["wave_size"], head["note_size"] = 320 + data.nbytes, len(text)
    head["label_sizes"] = [0, 0, len(labels), 0]
    head["modified"], head["points"] = int(modified), data.size
    head["name"] = np.void((name or path.stem).encode("latin-1", "replace")[:31].ljust(32, b"\0"))
    head["shape"] = [points, lines, count, 0]
    head["scale"] = [size[0] / (points - 1), size[1] / (lines - 1), 1, 1]
    head["data_unit"] = np.void(b"m\0\0\0")
    head["units"] = [np.void(unit.ljust(4, b"\0")) for unit in (b"m", b"m", b"", b"")]
    raw = bytearray(head.tobytes())
    raw[68:72] = CREATION_DATE.to_bytes(4, "little")
    words = np.frombuffer(bytes(raw), "<i2").sum(dtype=np.int64)
    raw[2:4] = int(-words % 65536).to_bytes(2, "little")
    path.write_bytes(bytes(raw) + data.astype("<f4").tobytes() + text + labels)


def _labels(names: Sequence[str]) -> bytes:
    """Labels of the planes behind the (empty) name of their dimension.

    As in genuine files, what a shorter name does not overwrite of the last one stays behind it.
    """
    buffer = bytearray(LABEL)
    rows = [bytes(buffer)]
    for name in names:
        raw = name.encode("latin-1")[: LABEL - 1] + b"\0"
        buffer[: len(raw)] = raw
        rows.append(bytes(buffer))
    return b"".join(rows)


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
