"""What an answer has in common: facets its hits share more than all do, and the confound alarm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.search.candidates import members, texts
from motif.analysis.search.confounding import Alarm, Facets, counted, examine, labelled

if TYPE_CHECKING:
    from motif.analysis.search.similarity_search import Hit
    from motif.core.workspace import Workspace


from collections.abc import Iterable
from typing import TYPE_CHECKING

from motif.core.records import FacetValue

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

POOL = 10_000
"""Measurements from which chance is judged: all that could have been answered, or a sample."""
LEAST_SHARE = 0.2
LEVEL = 0.01


@dataclass(frozen=True)
class AnswerFacet:
    """A value the hits have more often than the collection."""

    name: str
    value: str
    share: float
    """Of the hits."""
    overall: float
    """Of the collection."""
    p: float
    """Of so many hits by chance (hypergeometric), corrected for the values looked at."""

    @property
    def lift(self) -> float:
        """How many times more often than in the collection."""
        return self.share / self.overall

    def document(self) -> dict[str, Any]:
        """As the command line prints it."""
        return {
            "name": self.name, "value": self.value, "share": round(self.share, 4),
            "overall": round(self.overall, 6), "lift": round(self.lift, 2), "p": self.p,
        }  # fmt: skip


def facets_of_answer(
    workspace: Workspace, collection: str, hits: Sequence[Hit]
) -> list[AnswerFacet]:
    """Texts that hits have at least `LIFT` times more often than the collection, first the surest.

    Args:
        workspace: where the hits are.
        collection: what was searched.
        hits: the answer.
    """
    from scipy.stats import hypergeom

    if not hits:
        return []
    kind = workspace.measurement(hits[0].id).kind
    size, overall = counted(workspace, collection, kind)
    values = Counter(name for name, _ in overall)
    inside = Counter(
        (name, value) for hit in hits for name, value in hit.facets.items()
        if isinstance(value, str) and values[name] <= max(MOST_VALUES, size // 20)
    )  # fmt: skip
    found = []
    for (name, value), count in inside.items():
        share, among = count / len(hits), max(overall[name, value], count) / size
        p = float(hypergeom.sf(count - 1, size, max(overall[name, value], count), len(hits)))
        p = min(1.0, p * len(inside))
        if share >= LEAST_SHARE and share >= LIFT * among and p <= LEVEL:
            found.append(AnswerFacet(name, value, share, among, p))
    return sorted(found, key=lambda one: (one.p, -one.lift, one.name))


def alarm(
    workspace: Workspace,
    collection: str,
    hits: Sequence[Hit],
    asked: Sequence[str] = (),
    where: str | None = None,
) -> Alarm:
    """Whether instrument, tip, operator or session explain the answer better than the material.

    Args:
        workspace: where the hits are.
        collection: what was searched.
        hits: the answer.
        asked: measurements that were asked with.
        where: the filter of the search: chance is judged among what it leaves.
    """
    ids = [hit.id for hit in hits]
    kind = workspace.measurement(ids[0]).kind if ids else "image"
    pool = texts(members(workspace, collection, kind, where))
    if len(pool) > POOL:
        drawn = np.random.default_rng(0).choice(len(pool), POOL, replace=False)
        pool = [pool[place] for place in drawn]
    pool = [*ids, *sorted(set(pool) - set(ids) - set(asked))]
    labels = labelled(workspace, [*dict.fromkeys([*pool, *asked])])
    return examine(
        [labels[one] for one in asked], [labels[one] for one in ids], [labels[one] for one in pool]
    )


COMMON = 0.5
"""Share of the group from which a value is said to be shared."""
LIFT = 1.5
"""How many times more often than elsewhere."""
MOST_VALUES = 50
"""A facet with more distinct values distinguishes single measurements instead of grouping them."""


@dataclass(frozen=True)
class EnrichedFacet:
    """A facet value common in a group and rarer in all."""

    name: str
    value: FacetValue
    share: float
    """Of the group."""
    overall: float
    """Of all."""


def enriched_facets(group: Iterable[Facets], everything: Iterable[Facets]) -> list[EnrichedFacet]:
    """Texts and flags over-represented in `group`, the most enriched first."""
    inside, group_size = _counts(group)
    outside, size = _counts(everything)
    values = Counter(name for name, _ in outside)
    found = []
    for (name, value), count in inside.items():
        share, overall = count / group_size, outside[name, value] / size
        if values[name] <= MOST_VALUES and share >= COMMON and share >= LIFT * overall:
            found.append(EnrichedFacet(name, value, share, overall))
    return sorted(found, key=lambda one: (one.overall - one.share, one.name))


def _counts(facets: Iterable[Facets]) -> tuple[Counter[tuple[str, FacetValue]], int]:
    counts: Counter[tuple[str, FacetValue]] = Counter()
    size = 0
    for each in facets:
        size += 1
        counts.update((n, v) for n, v in each.items() if isinstance(v, str | bool))
    return counts, size
