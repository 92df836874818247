"""Instances of a composition library with its diffraction patterns, as DRNets reads them.

The format of Chen et al., "Automating crystal-structure phase mapping by combining deep learning
with constraint reasoning", Nat. Mach. Intell. 3, 812 (2021): ``key=value,value,...`` lines, one
list a quantity, one value a sample. Q is in 1/nm.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from motif.core.records import Facet, Reading
from motif.ingest.readers.drnets_lists import lists_of, numbers, q_axis, samples_of, texts
from motif.ingest.readers.facet_values import quantity, text
from motif.ingest.readers.headings import from_sidecar
from motif.ingest.readers.library_text import table_lines
from motif.ingest.readers.library_values import distinct, fractions
from motif.ingest.readers.naming import TEXTS, misnamed
from motif.ingest.readers.number_rows import LARGEST
from motif.ingest.readers.sidecar import sidecar
from motif.ingest.readers.spectrum import coordinates, sized, spectrum


class DrnetsInstance:
    """Reads every sample as a diffraction pattern over Q with its composition and place."""

    name = "drnets-instance"
    version = 1
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The metadata section and its keys."""
        keys = (rb"M=\d", rb"Elements=", rb"Composition=", rb"N=\d")
        return b"\0" not in head and all(
            re.search(rb"(?:^|[\r\n]|\xbf)" + key, head) for key in keys
        )

    def __call__(self, path: Path) -> Reading:
        """Read the instance; nothing of it is taken if a list has not one value a sample."""
        sized(path, LARGEST)
        told = lists_of(table_lines(path.read_bytes()))
        count, elements = samples_of(path, told)
        beside, notes = sidecar(path)
        q = numbers(path, told, "Q")
        axis = from_sidecar(beside) or q_axis(path, q)
        on = coordinates(path, axis, q)
        names = distinct(texts(told, "sample_no", count))
        shares = np.column_stack([numbers(path, told, e, count) for e in elements])
        composition, remarks = fractions(path, names, shares)
        places = [numbers(path, told, key, count) for key in "XY" if key in told]
        unit = str(beside.get("coordinate_unit", ""))
        if places and not unit:
            notes.append(
                f'X and Y have no unit; put {{"coordinate_unit": "mm"}} into {path.name}.json'
            )
        plates, patterns = (texts(told, key, count) for key in ("plate_id", "pattern_fn"))
        measurements = []
        for i, name in enumerate(names):
            values = numbers(path, told, f"I{i + 1}", len(q))
            facets = [
                *text("sample", name, "sample_no"), *text("plate", plates[i], "plate_id"),
                *text("pattern", patterns[i], "pattern_fn"),
                *(found for key, place in zip("xy", places, strict=False)
                  for found in quantity(f"wafer_{key}", place[i], unit, key.upper()) if unit),
                Facet("technique", "X-ray diffraction", "header:Q"),
            ]  # fmt: skip
            found = spectrum(name, f"sample {name}", on, values, "arb. unit", facets)
            shares_here = dict(zip(elements, composition[i].tolist(), strict=True))
            measurements.append(replace(found, composition=shares_here))
        header = [(k, v) for k, v in told.items() if len(v) < 400]
        return Reading(
            measurements, header, [*notes, *remarks, *misnamed(path, "a DRNets instance", *TEXTS)]
        )
