"""Writes the whole simulated lab: scans, a composition library, and what goes wrong in any lab."""

from __future__ import annotations

from dataclasses import dataclass
from math import radians
from pathlib import Path
from typing import Any

import numpy as np

from motif.ingest.simulate.campaign import PIXELS, Experiment, plan
from motif.ingest.simulate.domain_patterns import Canvas, draw
from motif.ingest.simulate.ibw_writer import igor_seconds, write_ibw, write_note
from motif.ingest.simulate.simulated_library import simulate_library
from motif.ingest.simulate.simulated_scan import ScanSettings, scan

SCANS = "pfm"
LIBRARY = "bivo4"
"""Names of the two collections."""
DISAGREE = 75
"""Every so many scans the record states another scan size than the instrument."""
POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


@dataclass(frozen=True)
class SimulatedFile:
    """A file of the lab and the record it belongs to."""

    path: Path
    title: str
    metadata: dict[str, Any]
    """JSON values; ``simulated`` is always true."""
    collection: str


def write_lab(
    folder: Path, *, scans: int = 300, samples: int = 1379, broken: int = 3, seed: int = 7
) -> list[SimulatedFile]:
    """Write the lab; the same arguments give the same bytes.

    Args:
        folder: folder to write to; ``pfm/`` and ``bivo4/`` are created in it.
        scans: sound scans.
        samples: rows of the composition library; none is written for 0.
        broken: further files that cannot be read, for the quarantine: cut short, empty, and a
            pointer instead of data, in turn.
        seed: of all random numbers.

    Returns:
        Every file, scans by date, then the broken ones, then the library.
    """
    (folder / SCANS).mkdir(parents=True, exist_ok=True)
    files = [_write_scan(folder / SCANS, i, scans, seed) for i in range(scans)]
    files += [_write_broken(folder / SCANS, i, seed) for i in range(broken)]
    if samples:
        (folder / LIBRARY).mkdir(exist_ok=True)
        files.append(_write_library(folder / LIBRARY, samples, seed))
    return files


def _write_scan(folder: Path, index: int, scans: int, seed: int) -> SimulatedFile:
    """Plan, draw, scan and save one image."""
    rng = np.random.default_rng([seed, 2, index])
    experiment = plan(index, (index + 0.5) / scans, rng)
    path = folder / f"{experiment.stem}.ibw"
    _save(path, experiment, rng)
    metadata = experiment.metadata()
    if index % DISAGREE == DISAGREE // 3:
        metadata["scan_size"] = {"value": experiment.size * 10, "unit": "um"}
    return SimulatedFile(path, experiment.title, metadata, SCANS)


def _save(path: Path, experiment: Experiment, rng: np.random.Generator) -> None:
    size = experiment.size * 1e-6
    pixel = 1000 * experiment.size / (PIXELS - 1)
    canvas = Canvas(PIXELS, experiment.period / pixel, radians(experiment.angle), rng)
    material = experiment.material
    settings = ScanSettings(
        amplitude=material.amplitude * rng.lognormal(0, 0.2),
        roughness=rng.lognormal(-20.5, 0.5),
        surface=material.surface,
        relief=material.relief,
        noise=rng.uniform(0.04, 0.22),
        phase_offset=rng.uniform(-180, 180),
        failure=experiment.failure,
    )
    write_ibw(
        path,
        scan(draw(experiment.pattern, canvas), canvas, settings),
        size=(size, size),
        note=write_note(experiment, rng),
        modified=igor_seconds(experiment),
    )


def _write_broken(folder: Path, index: int, seed: int) -> SimulatedFile:
    """Save a file no reader can take."""
    rng = np.random.default_rng([seed, 3, index])
    experiment = plan(9000 + index, float(rng.uniform(0, 1)), rng)
    path = folder / f"{experiment.stem}.ibw"
    what = ("cut short while copying", "empty", "a pointer instead of the data")[index % 3]
    _save(path, experiment, rng)
    whole = path.read_bytes()
    path.write_bytes((whole[: len(whole) // 3], b"\n", POINTER)[index % 3])
    metadata = experiment.metadata() | {"outcome": "failed", "failure": f"file is {what}"}
    return SimulatedFile(path, experiment.title, metadata, SCANS)


def _write_library(folder: Path, samples: int, seed: int) -> SimulatedFile:
    """Save the composition library with the truth in its record."""
    library = simulate_library(samples, seed)
    path = folder / "dataset.csv"
    library.write(path)
    metadata = {
        "operator": "weber",
        "made_by": "sato",
        "material": "BiVO4 alloys",
        "substrate": "FTO glass",
        "technique": "Raman spectroscopy",
        "instrument": "simulated spectrometer",
        "purpose": "composition screening",
        "project": "photoanodes",
        "outcome": "ok",
        "acquired_at": "2018-05-14T10:00:00Z",
        "simulated": True,
        "truth": library.truth(),
    }
    return SimulatedFile(path, f"BiVO4 library of {samples} samples", metadata, LIBRARY)
