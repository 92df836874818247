"""What a workspace needs from its people, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motif.core.catalog import Quarantined, Run
from motif.core.taint_report import taint_document
from motif.dashboard.atlas import newest
from motif.dashboard.lab import Lab
from motif.dashboard.quantities import ago, count

MOST_MARKED = 5
"""Marked records that are named."""
MARKED_REMEDY = "Take the mark off where its data come from once it is corrected."


@dataclass(frozen=True)
class Notice:
    """Something to look at, and the command or page that deals with it."""

    text: str
    remedy: str
    """A command, or words when it does not begin with ``motif``."""


def notices(
    lab: Lab, runs: Sequence[Run], held: Sequence[Quarantined], collections: Sequence[str]
) -> list[Notice]:
    """Failed runs, unreadable files, results that rest on wrong records or lag behind the data."""
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
    found += _tainted(lab)
    for name in collections:
        found += _lagging(lab, name)
    return found


def _tainted(lab: Lab) -> list[Notice]:
    """Records marked with an error, and the results that should be made again without them."""
    told = lab.keep(("taint", lab.version), lambda: taint_document(lab.workspace))
    found = []
    for record, why in list(told["records"].items())[:MOST_MARKED]:
        found.append(Notice(f"The record {record} is marked as wrong: {why}.", MARKED_REMEDY))
    for result in told["results"]:
        text = f'{result["stage"]} of "{result["collection"]}" rests on a record that is wrong.'
        found.append(Notice(text, result["rebuild"] or "It is made anew with what it belongs to."))
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
