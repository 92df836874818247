"""The rows of a composition library table as measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from motif.core.records import Facet, Measurement
from motif.ingest.readers.facet_values import once
from motif.ingest.readers.library_facets import sample_facets
from motif.ingest.readers.library_values import Values
from motif.ingest.readers.spectrum import spectrum


def inline(values: Values, on: xr.Coordinates, unit: str) -> list[Measurement]:
    """One spectrum a row; the axis is shared by all."""
    return [
        spectrum(sample, f"sample {sample}", on, np.ascontiguousarray(row), unit, ())
        for sample, row in zip(values.samples, values.spectra, strict=True)
    ]


def complete(
    values: Values,
    measured: Sequence[Measurement],
    common: Sequence[Facet],
    told: Mapping[str, Any],
) -> list[Measurement]:
    """Spectra with what the table says about their samples; its word counts first.

    Args:
        values: the table.
        measured: one spectrum a row, inline or from a file beside.
        common: facets of all samples.
        told: the sidecar of the table.
    """
    columns = values.columns
    targets = [columns.target(index) for index in columns.targets]
    rows = zip(
        values.samples,
        measured,
        values.composition.tolist(),
        values.targets.tolist(),
        values.extras,
        strict=True,
    )
    return [
        replace(
            found,
            key=sample,
            title=f"sample {sample}",
            facets=once([*sample_facets(columns, sample, extras, told), *common, *found.facets]),
            composition=dict(zip(columns.symbols, shares, strict=True)),
            targets={
                name: (value, unit) for (name, unit), value in zip(targets, figures, strict=True)
            },
        )
        for sample, found, shares, figures, extras in rows
    ]
