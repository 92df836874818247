"""Whether something other than the material explains why the hits are alike.

A facet explains similarity as far as the hits share the query's value more than chance has it:
the excess of their share, ``(share - chance) / (1 - chance)``, is 1 when all share it and 0 when
no more do than in the pool. That an instrument, tip, operator or session comes with a material
says nothing; so its share is tested against draws that keep the material of every hit (a
conditional permutation test, stratified by material as in Mantel & Haenszel 1959), and the
p-values of several confounders are corrected together (Holm 1979).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from motif.core.workspace import Workspace
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from motif.analysis.search.computed_cache import ComputedCache
from motif.analysis.search.exclusions import SESSION, SESSION_OF, session
from motif.core.catalog.catalog_queries import text_facet_counts, text_facets
from motif.core.records import FacetValue

if TYPE_CHECKING:
    from motif.core.workspace import Workspace


from numpy.typing import NDArray

DRAWS = 4_999
LEVEL = 0.01
"""Corrected p-value below which a confounder explains more than its material brings along."""
FEWEST = 5
"""Hits below which nothing is concluded."""
INSEPARABLE = 0.9
"""Normalised mutual information from which a confounder stands for the material."""

ConfounderColumn = Sequence[str | None]


@dataclass(frozen=True)
class Explanation:
    """How far one facet explains that the hits are like the question."""

    name: str
    value: str
    """The question's value, or the hits' most common one where the question tells none."""
    share: float
    """Of the hits that have it."""
    chance: float
    """Share of the pool that has it."""
    excess: float
    p: float
    """Of so large a share by chance, the material of each hit kept; corrected for several."""
    with_material: float
    """Mutual information with the material in the pool over the smaller entropy, 0 to 1."""

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name, "value": self.value, "share": round(self.share, 4),
            "chance": round(self.chance, 4), "excess": round(self.excess, 4),
            "p": round(self.p, 5), "with_material": round(self.with_material, 4),
        }  # fmt: skip


@dataclass(frozen=True)
class Alarm:
    """What is said of the confounders of one answer."""

    confounded: bool
    sentence: str
    material: Explanation | None
    confounders: Sequence[Explanation]
    """The most explaining first."""
    hits: int
    pool: int

    def document(self) -> dict[str, Any]:
        """As the command line prints it."""
        return {
            "confounded": self.confounded, "sentence": self.sentence,
            "material": None if self.material is None else self.material.document(),
            "confounders": [one.document() for one in self.confounders],
            "hits": self.hits, "pool": self.pool, "level": LEVEL,
        }  # fmt: skip


def examine(
    asked: Sequence[Facets], hits: Sequence[Facets], pool: Sequence[Facets], seed: int = 0
) -> Alarm:
    """Compare the material with every confounder.

    Args:
        asked: facets of what was asked with; empty where they are unknown.
        hits: facets of the answer.
        pool: facets of what could have been answered, hits included; or a fair sample of it.
        seed: of the draws.
    """
    materials = [label(MATERIAL, each) for each in pool]
    own = [label(MATERIAL, each) for each in hits]
    explained = {
        name: _explained(name, asked, hits, pool, own, materials, np.random.default_rng(seed))
        for name in (MATERIAL, *CONFOUNDERS)
    }
    material = explained.pop(MATERIAL)
    found = _corrected([one for one in explained.values() if one is not None])
    found.sort(key=lambda one: (-one.excess, one.name))
    return _judged(material, found, len(hits), len(pool))


def _judged(
    material: Explanation | None, found: Sequence[Explanation], hits: int, pool: int
) -> Alarm:
    least = 0.0 if material is None else material.excess
    worse = [one for one in found if one.p < LEVEL and one.excess > least]
    bound = [
        one for one in found
        if one.with_material >= INSEPARABLE and one.excess >= max(least, 0.1) - 0.05
    ]  # fmt: skip
    if hits < FEWEST:
        text = f"{hits} hits are too few to tell what makes them alike."
    elif not found:
        text = "Nothing tells the instrument, tip, operator or session of these hits."
    elif worse:
        one = worse[0]
        rival = (
            "their material is not given"
            if material is None
            else f"{material.share:.0%} its material {material.value} "
            f"(against {material.chance:.0%})"
        )
        text = (
            f"{one.share:.0%} of the hits share the {one.name} {one.value} against "
            f"{one.chance:.0%} of all, {rival}: the {one.name} explains the similarity better "
            f"than the material does (p = {one.p:.2g})."
        )
    elif bound:
        one = bound[0]
        text = (
            f"The {one.name} and the material coincide here, so the similarity cannot be "
            "attributed "
            "to either; compare across them with a filter."
        )
    else:
        text = "No instrument, tip, operator or session explains the similarity better than the "
        text += "material does."
    return Alarm(bool(worse) and hits >= FEWEST, text, material, found, hits, pool)


def _explained(
    name: str,
    asked: Sequence[Facets],
    hits: Sequence[Facets],
    pool: Sequence[Facets],
    own: ConfounderColumn,
    materials: ConfounderColumn,
    rng: np.random.Generator,
) -> Explanation | None:
    among = [label(name, each) for each in hits]
    everywhere = [label(name, each) for each in pool]
    known = Counter(one for each in asked if (one := label(name, each)))
    shown = Counter(one for one in among if one)
    if not shown:
        return None
    value = (known or shown).most_common(1)[0][0]
    share = shown[value] / len(among)
    chance = everywhere.count(value) / len(everywhere)
    excess = (share - chance) / (1 - chance) if chance < 1 else 0.0
    p = 1.0
    if name != MATERIAL and chance < 1:
        candidates = [value] if known else sorted(shown)
        p = _p_value(among, everywhere, own, materials, candidates, rng)
    return Explanation(
        name, value, share, chance, excess, p, mutual_information(everywhere, materials)
    )


def _p_value(
    among: ConfounderColumn,
    everywhere: ConfounderColumn,
    own: ConfounderColumn,
    materials: ConfounderColumn,
    candidates: Sequence[str],
    rng: np.random.Generator,
) -> float:
    """Share of draws with as many hits of one value, of each material as many as there are.

    Where the value was not given but is the hits' most common one, draws have that choice too.
    """
    place = {value: number for number, value in enumerate(candidates)}
    rest = len(place)
    totals = np.zeros((DRAWS, rest), np.int64)
    for material, count in Counter(own).items():
        inside = [one for one, each in zip(everywhere, materials, strict=True) if each == material]
        sizes = np.bincount([place.get(one or "", rest) for one in inside], minlength=rest + 1)
        if sizes.sum() >= count:
            totals += rng.multivariate_hypergeometric(sizes, count, size=DRAWS)[:, :rest]
    observed = max(Counter(among)[value] for value in candidates)
    return float((1 + (totals.max(1) >= observed).sum()) / (1 + DRAWS))


def _corrected(found: Sequence[Explanation]) -> list[Explanation]:
    """With p-values by Holm's step-down procedure."""
    from dataclasses import replace

    ordered = sorted(found, key=lambda one: one.p)
    result, highest = [], 0.0
    for place, one in enumerate(ordered):
        highest = max(highest, min(1.0, one.p * (len(ordered) - place)))
        result.append(replace(one, p=highest))
    return result


def mutual_information(first: ConfounderColumn, second: ConfounderColumn) -> float:
    """Mutual information of two columns over their smaller entropy; 0 where one is constant."""
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a and b]
    if not pairs:
        return 0.0
    joint = _entropy(Counter(pairs))
    one, other = _entropy(Counter(a for a, _ in pairs)), _entropy(Counter(b for _, b in pairs))
    smaller = min(one, other)
    return max(0.0, (one + other - joint) / smaller) if smaller > 0 else 0.0


def _entropy(counts: Mapping[Any, int]) -> float:
    numbers: NDArray[np.float64] = np.array(list(counts.values()), np.float64)
    shares = numbers / numbers.sum()
    return float(-(shares * np.log(shares)).sum())


Facets = Mapping[str, FacetValue]


MATERIAL = "material"


CONFOUNDERS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "instrument": ("instrument",),
        "tip": ("tip", "probe", "cantilever"),
        "operator": ("operator", "made_by"),
        SESSION: (SESSION,),
    }
)
"""What other than the material may make measurements similar, and the facets that state it."""


_counted: ComputedCache[tuple[int, Counter[tuple[str, str]]]] = ComputedCache(8)


def label(name: str, facets: Facets) -> str | None:
    """What a measurement tells of its material or of one confounder."""
    if name == SESSION:
        return session(facets)
    for each in CONFOUNDERS.get(name, (name,)):
        value = facets.get(each)
        if isinstance(value, str):
            return value
    return None


def labelled(workspace: Workspace, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """The facets `label` looks at, of many measurements."""
    names = {MATERIAL, SESSION, "acquired_at", *SESSION_OF}
    names |= {each for sources in CONFOUNDERS.values() for each in sources}
    return text_facets(workspace.catalog, ids, names)


def counted(
    workspace: Workspace, collection: str, kind: str
) -> tuple[int, Counter[tuple[str, str]]]:
    """How many measurements a collection has, and how many of them have each text facet."""
    state = workspace.catalog.journal_length
    return _counted.get(
        (str(workspace.root), state, collection, kind),
        lambda: text_facet_counts(workspace.catalog, collection, kind),
    )
