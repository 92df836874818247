"""The reader kit: all that a reader of a format needs in addition to `motif.core`.

Everything exported here is public and used by Motif's own readers; ``docs/extending/reader.md``
explains it with two complete readers.
"""

from motif.ingest.readers.kit.file_checks import (
    MAX_UNPACKED,
    TEXT_SUFFIXES,
    check_announced,
    check_size,
    numbered_suffix_warnings,
    suffix_warnings,
    with_warnings,
)
from motif.ingest.readers.kit.header_facets import (
    SETTING_OFF,
    FacetRule,
    datetime_facets,
    facets_by_rules,
    filetime_facets,
    first_of_each_name,
    moment_facets,
    number_facets,
    processing_by_settings,
    processing_facets,
    quantity_facets,
    quantity_text_facets,
    text_facets,
)
from motif.ingest.readers.kit.header_text import (
    ELEMENT_SYMBOLS,
    MAX_TEXT_BYTES,
    atomic_fractions,
    base_unit,
    decode_text,
    first_row,
    leading_number,
    length_in_metres,
    number_and_rest,
    parse_row,
    read_rows,
    text_lines,
)
from motif.ingest.readers.kit.sidecar import declared_grid, read_sidecar
from motif.ingest.readers.kit.spectral_axes import (
    ARBITRARY_UNIT,
    MAX_POINTS,
    MAX_SPECTRA,
    SpectralAxis,
    axis_coordinates,
    axis_from_lines,
    axis_from_sidecar,
    axis_of_quantity,
    declaration_hint,
    intensity_unit_from_sidecar,
    parse_axis,
    spectrum,
)
from motif.ingest.readers.kit.spm_image import (
    ScanAxis,
    ScanGrid,
    ScanPlane,
    image,
    numbered_names,
    pixel_distance,
    scan_array,
    unit_warnings,
)

__all__ = [
    "ARBITRARY_UNIT", "ELEMENT_SYMBOLS", "MAX_POINTS", "MAX_SPECTRA", "MAX_TEXT_BYTES",
    "MAX_UNPACKED", "SETTING_OFF", "TEXT_SUFFIXES", "FacetRule", "ScanAxis", "ScanGrid",
    "ScanPlane", "SpectralAxis", "atomic_fractions", "axis_coordinates", "axis_from_lines",
    "axis_from_sidecar", "axis_of_quantity", "base_unit", "check_announced", "check_size",
    "datetime_facets", "declaration_hint", "declared_grid", "decode_text", "facets_by_rules",
    "filetime_facets", "first_of_each_name", "first_row", "image", "intensity_unit_from_sidecar",
    "leading_number", "length_in_metres", "moment_facets", "number_and_rest", "number_facets",
    "numbered_names", "numbered_suffix_warnings", "parse_axis", "parse_row", "pixel_distance",
    "processing_by_settings", "processing_facets", "quantity_facets", "quantity_text_facets",
    "read_rows", "read_sidecar", "scan_array", "spectrum", "suffix_warnings", "text_facets",
    "text_lines", "unit_warnings", "with_warnings",
]  # fmt: skip
