"""Entries of the Raman Open Database (``.rod``)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.cif_items import read_cif
from motif.ingest.readers.facet_values import Rule, by_rules, moment, once
from motif.ingest.readers.formulas import fractions
from motif.ingest.readers.library_text import table_lines
from motif.ingest.readers.naming import misnamed
from motif.ingest.readers.number_rows import LARGEST
from motif.ingest.readers.processing import by_settings
from motif.ingest.readers.spectral_axes import Axis
from motif.ingest.readers.spectrum import coordinates, sized, spectrum

X, Y = "_raman_spectrum.raman_shift", "_raman_spectrum.intensity"
DEVICE, MEASUREMENT = "_raman_measurement_device.", "_raman_measurement."
DATES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")
STEPS = ((MEASUREMENT + "baseline_correction", "baseline correction"),)
RULES: tuple[Rule, ...] = (
    ("material", "_chemical_name_mineral", None), ("material", "_chemical_name_common", None),
    ("material", "_chemical_name_systematic", None), ("made_by", "_chemical_compound_source", None),
    ("laser_wavelength", DEVICE + "excitation_laser_wavelength", "nm"),
    ("laser_power", DEVICE + "power_on_sample", "mW"),
    ("instrument", DEVICE + "model", None), ("resolution", DEVICE + "resolution", "1/cm"),
    ("temperature", MEASUREMENT + "temperature", "K"),
    ("pressure", MEASUREMENT + "pressure", "kPa"),
    ("exposure_time", MEASUREMENT + "integration_time", "s"),
    ("accumulations", MEASUREMENT + "number_of_accumulations", ""),
    ("status", "_raman_determination.method", None),
)  # fmt: skip
"""Units as the database's dictionary gives them."""


class RodCif:
    """Reads the spectrum of an entry, with the composition of its sum formula."""

    name = "rod-cif"
    version = 2
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """A data block, with items of the database's dictionary or its address."""
        ours = b"_raman_" in head or b"_rod_d" in head or b"Raman Open Database" in head
        return ours and re.search(rb"(?:^|[\r\n])data_", head) is not None

    def __call__(self, path: Path) -> Reading:
        """Read the entry; an entry without intensities is refused."""
        sized(path, LARGEST)
        items, loops = read_cif(path, table_lines(path.read_bytes()))
        table = next(((n, r) for n, r in loops if X in n and Y in n), None)
        if table is None:
            raise UnreadableFileError(
                f"{path.name} has no table of {X} and {Y}, so it holds no spectrum; download it "
                "again"
            )
        names, rows = table
        try:
            x, y = (np.array([float(row[names.index(n)]) for row in rows]) for n in (X, Y))
        except ValueError as error:
            raise UnreadableFileError(
                f"{path.name} is damaged: {error} in its spectrum; download it again"
            ) from error
        facets = [Facet("technique", "Raman spectroscopy", f"header:{X}"), *by_rules(items, RULES)]
        told = dict(items)
        when = told.get(MEASUREMENT + "datetime_initiated", "")
        facets += [*moment(when, "datetime_initiated", DATES), *by_settings(items, STEPS)]
        material = next((f.value for f in facets if f.name == "material"), path.stem)
        on = coordinates(path, Axis("raman_shift", "cm^-1"), x)
        found = spectrum("0", str(material), on, y, "arb. unit", once(facets))
        found = replace(found, composition=fractions(told.get("_chemical_formula_sum", "")))
        return Reading([found], items, misnamed(path, "a ROD entry", ".rod", ".cif"))
