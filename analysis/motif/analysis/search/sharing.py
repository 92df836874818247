"""What some measurements share more than all do: names for clusters, facets of an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from motif.core.records import FacetValue

COMMON = 0.5
"""Share of the group from which a value is said to be shared."""
LIFT = 1.5
"""How many times more often than elsewhere."""
MOST_VALUES = 50
"""A facet with more distinct values tells things apart instead of grouping them."""

Facets = Mapping[str, FacetValue]


@dataclass(frozen=True)
class Shared:
    """A facet value common in a group and rarer in all."""

    name: str
    value: FacetValue
    share: float
    """Of the group."""
    overall: float
    """Of all."""


def shared_facets(group: Iterable[Facets], everything: Iterable[Facets]) -> list[Shared]:
    """Texts and flags over-represented in `group`, the most telling first."""
    inside, group_size = _counts(group)
    outside, size = _counts(everything)
    values = Counter(name for name, _ in outside)
    found = []
    for (name, value), count in inside.items():
        share, overall = count / group_size, outside[name, value] / size
        if values[name] <= MOST_VALUES and share >= COMMON and share >= LIFT * overall:
            found.append(Shared(name, value, share, overall))
    return sorted(found, key=lambda one: (one.overall - one.share, one.name))


def _counts(facets: Iterable[Facets]) -> tuple[Counter[tuple[str, FacetValue]], int]:
    counts: Counter[tuple[str, FacetValue]] = Counter()
    size = 0
    for each in facets:
        size += 1
        counts.update((n, v) for n, v in each.items() if isinstance(v, str | bool))
    return counts, size
