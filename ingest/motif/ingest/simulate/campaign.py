"""Who measured what, when and why in the simulated lab: five years of scans with trends in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from motif.ingest.simulate.simulated_scan import FAILURES

FIRST_DAY = datetime(2016, 2, 1)

FINEST, COARSEST = 7.0, 34.0
"""Pixels a period may take."""


DAYS = 5 * 365


SIZES = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
"""Scan sizes in µm."""


PIXELS = 128


FAILED = 0.12
"""Share of experiments that fail."""


@dataclass(frozen=True)
class Material:
    """A material and what its domains look like."""

    name: str
    short: str
    substrates: tuple[str, ...]
    surface: str
    relief: float
    patterns: tuple[str, ...]
    """Patterns it shows; one named twice is twice as likely."""
    period: float
    """Typical period in nm."""
    amplitude: float
    """Typical piezoresponse in m."""
    project: str


MATERIALS = (
    Material(
        "PbTiO3", "PTO", ("SrTiO3", "DyScO3"), "terraces", 1.2,
        ("a/c", "a/c", "stripe"), 180, 2.2e-11, "ferroelastic walls",
    ),
    Material(
        "BiFeO3", "BFO", ("SrTiO3", "DyScO3", "SrRuO3/SrTiO3"), "terraces", 0.5,
        ("stripe", "stripe", "zigzag"), 220, 1.4e-11, "conducting walls",
    ),
    Material(
        "PZT", "PZT", ("Pt/Si", "SrRuO3/SrTiO3"), "grains", 0.3,
        ("labyrinth", "a/c", "labyrinth"), 260, 3.0e-11, "fatigue",
    ),
    Material(
        "LiNbO3", "LNO", ("bulk crystal",), "rolling", 0.1,
        ("hexagonal lattice", "triangular lattice", "rectangular lattice"), 1600, 6e-12, "poling",
    ),
    Material(
        "BaTiO3", "BTO", ("bulk crystal", "GdScO3"), "rolling", 0.9,
        ("a/c", "square lattice", "stripe"), 420, 1.8e-11, "ferroelastic walls",
    ),
    Material(
        "PbTiO3/SrTiO3", "PTOSTO", ("SrTiO3", "DyScO3"), "terraces", 0.1,
        ("bubble", "bubble", "labyrinth", "square lattice"), 60, 5e-12, "polar textures",
    ),
    Material(
        "PMN-PT", "PMN", ("bulk crystal",), "grains", 0.2,
        ("labyrinth", "labyrinth", "zigzag"), 320, 4.0e-11, "fatigue",
    ),
    Material(
        "CuInP2S6", "CIPS", ("Au/Si", "Pt/Si"), "rolling", 0.2,
        ("bubble", "labyrinth"), 380, 9e-12, "layered ferroelectrics",
    ),
    Material(
        "ErMnO3", "EMO", ("bulk crystal",), "rolling", 0.1,
        ("chiral hexagonal lattice", "chiral square lattice", "triangular lattice"),
        900, 7e-12, "polar textures",
    ),
)  # fmt: skip


OPERATORS = (
    ("xu", 0.0, 0.55),
    ("lindqvist", 0.0, 1.0),
    ("okafor", 0.25, 1.0),
    ("tanaka", 0.5, 1.0),
)
"""Who sat at the microscope, from when to when (fractions of the five years)."""


MAKERS = ("duarte", "sato", "weber")


INSTRUMENTS = (("Cypher", 0.3, 1.0), ("MFP3D", 0.0, 0.8))


PURPOSES = ("survey", "thickness series", "switching", "temperature series", "tip check")


@dataclass(frozen=True)
class Experiment:
    """One scan as planned."""

    index: int
    material: Material
    pattern: str
    period: float
    """In nm."""
    angle: float
    """In degrees."""
    size: float
    """In µm."""
    failure: str
    moment: datetime
    temperature: float
    """In K."""
    operator: str
    made_by: str
    substrate: str
    instrument: str
    purpose: str

    @property
    def stem(self) -> str:
        """Name of the file and the wave."""
        return f"{self.material.short}_{self.moment:%y%m%d}_{self.index:04d}"

    @property
    def title(self) -> str:
        return f"{self.material.name} ({self.substrate}), {self.size:g} um, {self.purpose}"

    def metadata(self) -> dict[str, Any]:
        """Metadata of the lab's record, with the truth behind the picture."""
        return {
            "operator": self.operator,
            "made_by": self.made_by,
            "material": self.material.name,
            "substrate": self.substrate,
            "technique": "Piezoresponse force microscopy",
            "instrument": self.instrument,
            "purpose": self.purpose,
            "project": self.material.project,
            "outcome": "failed" if self.failure else "ok",
            "temperature": {"value": self.temperature, "unit": "K"},
            "scan_size": {"value": self.size, "unit": "um"},
            "acquired_at": self.moment.isoformat() + "Z",
            "simulated": True,
            "pattern": self.pattern,
            "period_nm": round(self.period, 1),
            "angle_deg": round(self.angle, 1),
            **({"failure": self.failure} if self.failure else {}),
        }


def plan(index: int, share: float, rng: np.random.Generator) -> Experiment:
    """Plan one experiment.

    Args:
        index: its number.
        share: when in the five years, 0 to 1.
        rng: the dice.
    """
    material = MATERIALS[int(rng.integers(len(MATERIALS)))]
    period = material.period * rng.lognormal(0, 0.35)
    size = float(rng.choice(_sizes(period)))
    pixel = 1000 * size / (PIXELS - 1)
    period = float(np.clip(period, FINEST * pixel, COARSEST * pixel))
    day = FIRST_DAY + timedelta(days=int(share * DAYS))
    purpose = str(rng.choice(PURPOSES, p=[0.35, 0.2, 0.2, 0.15, 0.1]))
    warm = purpose == "temperature series"
    return Experiment(
        index=index,
        material=material,
        pattern=str(rng.choice(material.patterns)),
        period=period,
        angle=float(rng.uniform(0, 180)),
        size=size,
        failure=str(rng.choice(FAILURES)) if rng.random() < FAILED else "",
        moment=day + timedelta(seconds=int(rng.integers(9 * 3600, 19 * 3600))),
        temperature=float(rng.choice([323.15, 373.15, 423.15])) if warm else 295.15,
        operator=_active(OPERATORS, share, rng),
        made_by=str(rng.choice(MAKERS)),
        substrate=str(rng.choice(material.substrates)),
        instrument=_active(INSTRUMENTS, share, rng),
        purpose=purpose,
    )


def _sizes(period: float) -> list[float]:
    """Scan sizes (µm) at which a period in nm is neither lost nor larger than the picture."""
    pixels = {size: period * (PIXELS - 1) / (1000 * size) for size in SIZES}
    fitting = [size for size in SIZES if FINEST <= pixels[size] <= COARSEST]
    return fitting or [min(SIZES, key=lambda size: abs(pixels[size] - 16))]


def _active(
    people: tuple[tuple[str, float, float], ...], share: float, rng: np.random.Generator
) -> str:
    """One of those who are there at the time."""
    return str(rng.choice([name for name, since, until in people if since <= share <= until]))
