"""A small simulated lab for the dashboard's tests, taken in through the core's own interface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from motif.core.catalog.intake import Intake, NewRecord
from motif.core.facets.facet_rules import Mapper
from motif.core.records import Asset, Facet, Measurement, Reading, content_id
from motif.core.workspace import Workspace

HOSTILE = '<img src=x onerror="window.hacked=1"> **bold** $x^2$ [l](http://example.com) :red[r]'
"""A title that must come out as the text it is, wherever it is shown."""

MATERIALS = ("PbTiO3", "BiFeO3", "BaTiO3")
OPERATORS = ("xu", "okafor", "ito")
PIXELS = 48


def build(root: Path, images: int = 60) -> Workspace:
    """Make a workspace with images, a map of them, a quarantined file and a finished run."""
    workspace = Workspace.init(root)
    measurements = [_image(number) for number in range(images)]
    taken = [_taken(number, one) for number, one in enumerate(measurements)]
    intake = Intake(workspace, "microscope", "pfm", Mapper({}))
    quarantined = [
        {
            "native_id": "2024/broken.ibw", "title": "broken.ibw", "file_name": "broken.ibw",
            "reason": "The file ends after 1 byte; an Igor wave has at least 384. " + HOSTILE,
            "reader": "", "first_bytes": "00", "fingerprint": "x", "raw_fingerprint": "x",
            "readers": "", "metadata": {}, "origin": {},
        }
    ]  # fmt: skip
    intake.commit(taken, (), quarantined)
    add_map(workspace, "pfm")
    return workspace


def add_map(workspace: Workspace, collection: str, seed: int = 0) -> str:
    """Put a projection into the ledger: one cluster a material."""
    rows = workspace.select(collection, kind="image")
    facets = workspace.facets([row.id for row in rows])
    random = np.random.default_rng(seed)
    centre = {name: (3.0 * k, 2.0 * (k % 2)) for k, name in enumerate(MATERIALS)}
    xy = np.array([centre[str(facets[row.id]["material"])] for row in rows])
    xy = xy + random.normal(0, 0.5, xy.shape)
    arrays = {
        "ids": np.array([row.id.encode() for row in rows], "S32"),
        "xy": xy.astype(np.float32),
        "trust": random.uniform(0.5, 1, len(rows)).astype(np.float32),
    }
    made = workspace.ledger.record(
        "projection", collection, {"seed": seed}, [row.id for row in rows], arrays,
        {"count": len(rows)}, 0.1,
    )  # fmt: skip
    return made.id


def add_library(workspace: Workspace, samples: int = 60) -> None:
    """Take in a composition library whose figure of merit is linear in the composition."""
    random = np.random.default_rng(5)
    elements = ("Bi", "V", "Mo", "W")
    axis = np.linspace(100, 1000, 120)
    composition = random.dirichlet(np.ones(4), samples)
    measurements = []
    for number, fractions in enumerate(composition):
        peaks = sum(
            f * np.exp(-(((axis - centre) / 40) ** 2))
            for f, centre in zip(fractions, (250, 800, 450, 620), strict=True)
        )
        data = xr.DataArray(
            peaks + random.normal(0, 0.01, len(axis)), dims=("raman_shift",),
            coords={"raman_shift": ("raman_shift", axis, {"units": "1/cm"})},
            attrs={"units": "counts"},
        )  # fmt: skip
        measurements.append(
            Measurement(
                str(number + 1), "spectrum", f"Sample {number + 1}", data,
                [Facet("simulated", True, "test")],
                dict(zip(elements, fractions.tolist(), strict=True)),
                {"P": (float(1 + 2 * fractions[2] - fractions[3]), "mW/cm^2")},
            )
        )  # fmt: skip
    reading = Reading(measurements)
    asset = Asset("library.csv", "A small library", "f", "f", "library.csv", 1, {"simulated": True})
    Intake(workspace, "files", "library", Mapper({})).commit(
        [NewRecord(asset, reading, "composition-table", 1, content_id("library"), 1)], (), ()
    )


def _taken(number: int, measurement: Measurement) -> NewRecord:
    title = HOSTILE if number == 0 else f"scan {number:04d}"
    asset = Asset(
        f"d/{number}", title, f"f{number}", f"r{number}", f"scan{number:04d}.ibw", 1,
        {"operator": OPERATORS[number % 3], "simulated": True}, {"server": "local"},
    )  # fmt: skip
    header: Sequence[tuple[str, str]] = [("ScanSize", "2e-06"), ("ImageNote", HOSTILE)]
    return NewRecord(asset, Reading([measurement], header), "asylum-ibw", 1, content_id(title), 1)


def _image(number: int) -> Measurement:
    random = np.random.default_rng(number)
    size = (1e-6, 2e-6, 5e-6)[number % 3]
    y, x = np.mgrid[0:PIXELS, 0:PIXELS] / PIXELS
    angle, waves = random.uniform(0, np.pi), random.uniform(3, 8)
    phase = 2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle))
    pattern = np.tanh(3 * np.sin(phase)) + random.normal(0, 0.15, phase.shape)
    step = size / (PIXELS - 1)
    values = np.stack([pattern, np.gradient(pattern)[0]]).astype(np.float32)
    data = xr.DataArray(
        values, dims=("channel", "y", "x"),
        coords={
            "channel": ["Height", "Amplitude"], "unit": ("channel", ["m", "V"]),
            "y": ("y", step * np.arange(PIXELS), {"units": "m"}),
            "x": ("x", step * np.arange(PIXELS), {"units": "m"}),
        },
    )  # fmt: skip
    facets: list[Any] = [
        Facet("material", MATERIALS[(number // 2) % 3], "test"),
        Facet("scan_size", size, "header:ScanSize", "m"),
        Facet("acquired_at", f"2024-0{1 + number % 6}-11T10:00:00+00:00", "header"),
        Facet("outcome", "failed" if number % 10 == 0 else "good", "test"),
        Facet("purpose", HOSTILE if number < 3 else "survey", "test"),
        Facet("simulated", True, "test"),
    ]
    title = HOSTILE if number == 0 else f"scan {number:04d}"
    return Measurement("0", "image", title, data, facets)
