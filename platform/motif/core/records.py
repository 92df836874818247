"""The nouns of a lab: facets, measurements, readings and the assets they come from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import xarray as xr

Kind: TypeAlias = Literal["image", "spectrum"]
FacetValue: TypeAlias = str | float | bool
Header: TypeAlias = Sequence[tuple[str, str]]
"""The instrument's own header: (key, value) text in file order; repeated keys are kept."""

ID_LENGTH = 32
"""Hexadecimal digits of a measurement or derivation id (128 bits)."""

STANDARD_FACETS = (
    "operator", "made_by", "material", "substrate", "technique", "mode", "instrument",
    "acquired_at", "scan_size", "pixels", "channels", "temperature", "purpose", "outcome",
    "project", "simulated",
)  # fmt: skip
"""Facets that every reader and source maps to where its file or record states them."""
OWN_FACETS = ("disagreement", "tainted")
"""Facets that Motif adds: file and record disagree, the record is marked with an error."""


@dataclass(frozen=True, slots=True)
class Facet:
    """One filterable value of a measurement.

    Numbers are in SI base units of their dimension with `unit` naming that unit ("m", "V",
    "K", "" for none); dates are ISO 8601 text in UTC. A reader returns a date without a
    zone where its file states none; the workspace's clock converts it to UTC.
    """

    name: str
    value: FacetValue
    origin: str
    """Where the value came from, e.g. ``header:ScanSize`` or ``record:metadata.material``."""
    unit: str = ""
    raw_text: str = ""
    """What the file or record states letter by letter, where the value was converted from it."""


@dataclass(frozen=True)
class Measurement:
    """One image or spectrum as measured.

    `data` is float32 or float64 with named dimensions:

    * image: dims ``("channel", "y", "x")``; coordinates ``channel`` (names), ``unit`` (along
      channel), ``y`` and ``x`` (each with ``attrs["units"]``, metres for microscopy).
    * spectrum: dims ``(axis,)``, e.g. ``("raman_shift",)``, whose coordinate carries
      ``attrs["units"]``; ``data.attrs["units"]`` is the unit of the intensity.
    """

    key: str
    """Identifies the measurement in its file: ``"0"``, a sample name, a map position."""
    kind: Kind
    title: str
    data: xr.DataArray
    facets: Sequence[Facet] = ()
    composition: Mapping[str, float] = field(default_factory=dict)
    """Atomic fraction by element symbol."""
    targets: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    """Figures of merit: name -> (value, unit); NaN where not measured."""


@dataclass(frozen=True)
class Reading:
    """What a reader returns for one file."""

    measurements: Sequence[Measurement]
    header: Header = ()
    warnings: Sequence[str] = ()
    """Sentences a person should see, e.g. a suffix that does not match the content."""


@dataclass(frozen=True)
class Asset:
    """One record of a source, with at most one raw file."""

    native_id: str
    """The source's own name for it: ``d/1234``, or a path relative to the folder."""
    title: str
    fingerprint: str
    """Changes whenever metadata or raw data change."""
    raw_fingerprint: str
    """Changes whenever the raw data may have changed; empty when there are none."""
    file_name: str = ""
    """Name of the raw file as its owner gave it: untrusted, never used as a path."""
    size: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Free-form record metadata (JSON values)."""
    origin: Mapping[str, Any] = field(default_factory=dict)
    """Where it is stored and to whom it belongs: server, repository, owner, tags, dependencies,
    parents."""


def content_id(*parts: str | bytes | memoryview) -> str:
    """Hash length-prefixed parts into an id of `ID_LENGTH` hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else memoryview(part).cast("B")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()[:ID_LENGTH]


def canonical_json(value: Any) -> str:
    """The canonical JSON text of a value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
