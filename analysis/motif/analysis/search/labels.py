"""What facets tell of many measurements, as columns: the material, and what may confound it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from motif.analysis.search.apart import SESSION, SESSION_OF, session
from motif.analysis.search.recent import Recent
from motif.core.records import FacetValue
from motif.core.schema import batched

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

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
"""What may make measurements alike beside their material, and the facets that tell of it."""

_counted: Recent[tuple[int, Counter[tuple[str, str]]]] = Recent(8)


def label(name: str, facets: Facets) -> str | None:
    """What a measurement tells of its material or of one confounder."""
    if name == SESSION:
        return session(facets)
    for each in CONFOUNDERS.get(name, (name,)):
        value = facets.get(each)
        if isinstance(value, str):
            return value
    return None


def labelled(workspace: Workspace, ids: Sequence[str]) -> dict[str, dict[str, FacetValue]]:
    """The facets `label` looks at, of many measurements."""
    from sqlalchemy import select

    from motif.core.schema import facets, measurements

    names = {MATERIAL, SESSION, "acquired_at", *SESSION_OF}
    names |= {each for sources in CONFOUNDERS.values() for each in sources}
    found: dict[str, dict[str, FacetValue]] = {one: {} for one in ids}
    with workspace.catalog.reading() as connection:
        for part in batched(ids):
            statement = (
                select(measurements.c.id, facets.c.name, facets.c.text)
                .join(facets, facets.c.measurement == measurements.c.number)
                .where(measurements.c.id.in_(part), facets.c.name.in_(names))
                .where(facets.c.text.is_not(None))
            )
            for one, name, text in connection.execute(statement):
                found[one][name] = text
    return found


def counted(
    workspace: Workspace, collection: str, kind: str
) -> tuple[int, Counter[tuple[str, str]]]:
    """How many measurements a collection has, and how many of them have each text facet."""
    from sqlalchemy import func, select

    from motif.core.schema import facets, measurements

    def make() -> tuple[int, Counter[tuple[str, str]]]:
        chosen = (
            measurements.c.live, measurements.c.collection == collection,
            measurements.c.kind == kind,
        )  # fmt: skip
        statement = (
            select(facets.c.name, facets.c.text, func.count())
            .join(measurements, facets.c.measurement == measurements.c.number)
            .where(*chosen, facets.c.text.is_not(None))
            .group_by(facets.c.name, facets.c.text)
        )
        with workspace.catalog.reading() as connection:
            size = connection.scalar(select(func.count()).select_from(measurements).where(*chosen))
            counts = Counter({(name, text): n for name, text, n in connection.execute(statement)})
        return int(size or 0), counts

    state = workspace.catalog.journal_length
    return _counted.get((str(workspace.root), state, collection, kind), make)
