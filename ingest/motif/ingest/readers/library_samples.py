"""The rows of a composition library table as measurements."""

from __future__ import annotations

import xarray as xr

from motif.core.records import Facet, Measurement
from motif.ingest.readers.library_columns import Columns
from motif.ingest.readers.library_values import Values


def samples(values: Values, columns: Columns, axis: xr.Variable, title: str) -> list[Measurement]:
    """One spectrum a sample; the axis is shared by all."""
    coordinates = xr.Coordinates({"raman_shift": axis})
    common = [Facet("technique", "Raman spectroscopy", "header:columns")]
    if "simulated" in title.lower():
        common.append(Facet("simulated", True, "header:title"))
    origin = (
        "header:columns" if columns.sample is None else f"header:{columns.headings[columns.sample]}"
    )
    targets = [columns.target(index) for index in columns.targets]
    return [
        Measurement(
            key=sample,
            kind="spectrum",
            title=f"sample {sample}",
            data=xr.DataArray(
                spectrum, coordinates, ("raman_shift",), attrs={"units": "arb. unit"}
            ),
            facets=[Facet("sample", sample, origin), *common],
            composition=dict(zip(columns.symbols, fractions, strict=True)),
            targets={
                name: (value, unit) for (name, unit), value in zip(targets, figures, strict=True)
            },
        )
        for sample, fractions, spectrum, figures in zip(
            values.samples,
            values.composition.tolist(),
            values.spectra,
            values.targets.tolist(),
            strict=True,
        )
    ]
