"""What a workspace needs from its people, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motif.core.catalog import Quarantined, Run
from motif.dashboard.atlas import newest
from motif.dashboard.lab import Lab
from motif.dashboard.quantities import ago, count


@dataclass(frozen=True)
class Notice:
    """Something to look at, and the command or page that deals with it."""

    text: str
    remedy: str
    """A command, or words when it does not begin with ``motif``."""


def notices(
    lab: Lab, runs: Sequence[Run], held: Sequence[Quarantined], collections: Sequence[str]
) -> list[Notice]:
    """Failed runs, unreadable files, and results that lag behind the data."""
    found: list[Notice] = []
    seen: set[str] = set()
    for run in runs:
        if run.job not in seen and run.state in ("failed", "lost"):
            text = f'The job "{run.job}" {run.state} {ago(run.started_at)}.'
            found.append(Notice(text, f"motif jobs retry {run.id}"))
        seen.add(run.job)
    sources: dict[str, int] = {}
    for one in held:
        sources[one.source] = sources.get(one.source, 0) + 1
    for source, number in sources.items():
        text = f'{count(number, "file")} of "{source}" could not be read.'
        found.append(Notice(text, "The reasons stand on the page Jobs."))
    for name in collections:
        found += _lagging(lab, name)
    return found


def _lagging(lab: Lab, collection: str) -> list[Notice]:
    images = lab.collections()[collection].get("image", 0)
    if not images:
        return []
    if not lab.derivations("embedding", collection):
        text = f'{count(images, "image")} of "{collection}" cannot be searched yet.'
        return [Notice(text, f"motif embed {collection}")]
    maps = lab.derivations("projection", collection)
    if not maps:
        text = f'{count(images, "image")} of "{collection}" are on no map yet.'
        return [Notice(text, f"motif project {collection}")]
    latest = newest(maps)
    shown = set(lab.placement(latest.id).ids)
    table = lab.table(collection)
    missing = sum(
        kind == "image" and one not in shown
        for one, kind in zip(table.ids, table.kinds, strict=True)
    )
    if missing and not latest.parameters.get("where"):
        text = f'{count(missing, "image")} of "{collection}" came after its newest map.'
        return [Notice(text, f"motif project {collection}")]
    return []
