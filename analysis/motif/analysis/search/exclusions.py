"""Which measurements may not answer: of the same sample, session or record, of the same material.

Everything is said in the query language, so it holds before the search as any filter does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from motif.core.errors import ConfigError
from motif.core.query.nodes import spelled
from motif.core.query.values import quoted
from motif.core.records import FacetValue

if TYPE_CHECKING:
    from motif.core.workspace import Workspace


import numpy as np
from numpy.typing import NDArray

Facets = Mapping[str, FacetValue]

RECORD, SESSION = "record", "session"
SESSION_OF = ("operator", "instrument")
"""Measurements of one operator on one instrument on one day are of one session, where no facet
``session`` says which are."""


def condition(
    workspace: Workspace,
    asked: Sequence[str],
    file_facets: Facets,
    *,
    not_same: Sequence[str] = (),
    different: Sequence[str] = (),
) -> str:
    """A query that excludes hits that share facets with the query; empty where nothing is excluded.

    Args:
        workspace: where the measurements are.
        asked: measurements asked with.
        file_facets: facets of a file used as query.
        not_same: ``record``, ``session`` or a facet whose value the answer may not share; what
            does not tell it may answer.
        different: facets the answer must tell, with a value other than the question's.

    Raises:
        ConfigError: the question does not tell what the answer should differ in.
    """
    known = [*workspace.facets(asked).values(), *([file_facets] if file_facets else [])]
    records = [row.record_id for row in workspace.select(ids=asked)] if asked else []
    terms = []
    for name in not_same:
        if name == RECORD:
            terms += [f"record != {quoted(one)}" for one in dict.fromkeys(records)]
            continue
        own = [_session(each) if name == SESSION else _equal(name, each) for each in known]
        terms += [f"not ({term})" for term in _some(name, own)]
    for name in different:
        own = [_equal(name, each) for each in known]
        terms += [f"has {spelled(name)} and not ({term})" for term in _some(name, own)]
    return " and ".join(terms)


def session(facets: Facets) -> str | None:
    """The session of a measurement as text; None where its facets do not tell."""
    own = facets.get(SESSION)
    if isinstance(own, str):
        return own
    day = facets.get("acquired_at")
    who = [facets.get(name) for name in SESSION_OF]
    if not isinstance(day, str) or not any(who):
        return None
    return " / ".join([*(str(one) for one in who if one), day[:10]])


def _session(facets: Facets) -> str | None:
    if isinstance(facets.get(SESSION), str):
        return _equal(SESSION, facets)
    day = facets.get("acquired_at")
    if session(facets) is None or not isinstance(day, str):
        return None
    who = [_equal(name, facets) for name in SESSION_OF]
    return " and ".join([*(one for one in who if one), f"acquired_at = {day[:10]}"])


def _equal(name: str, facets: Facets) -> str | None:
    value = facets.get(name)
    if isinstance(value, bool):
        return f"{spelled(name)} = {str(value).lower()}"
    if isinstance(value, str):
        return f"{spelled(name)} = {quoted(value)}"
    if value is None:
        return None
    raise ConfigError(f"{name} is a number, which is never quite the same; use a filter on it.")


def _some(name: str, terms: Sequence[str | None]) -> list[str]:
    found = list(dict.fromkeys(term for term in terms if term))
    if not found:
        raise ConfigError(
            f"The query has no {name}, so nothing can be excluded by it; "
            "leave out that option or search with a measurement that has it."
        )
    return found


POOL = 10
"""Nearest measurements for every hit among which diverse ones are chosen."""


def diverse(
    vectors: NDArray[np.float32], distances: NDArray[np.float64], k: int, amount: float
) -> NDArray[np.int64]:
    """Places of `k` of the rows, nearest first, by maximal marginal relevance.

    Each next one has the largest ``(1 - amount) * -d(question) + amount * d(nearest chosen)``
    (Carbonell & Goldstein, SIGIR 1998, with distances for similarities). 0 gives the nearest.

    Args:
        vectors: weighted features (n, d).
        distances: from the question (n,), ascending.
        k: how many.
        amount: from 0 to 1.
    """
    if not 0 <= amount <= 1:
        raise ConfigError(f"Diversity lies from 0 to 1, not at {amount:g}.")
    k = min(k, len(vectors))
    if amount == 0 or k < 2:
        return np.arange(k)
    chosen = [0]
    nearest = np.full(len(vectors), np.inf)
    while len(chosen) < k:
        step = vectors - vectors[chosen[-1]]
        nearest = np.minimum(nearest, np.sqrt(np.einsum("ij,ij->i", step, step)))
        gain = amount * nearest - (1 - amount) * distances
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return np.sort(np.array(chosen))
