"""What is published of the ledger: a result, its parts, and the records it was made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from motif.core import schema
from motif.core.catalog import Derivation
from motif.core.errors import ConfigError, NotFoundError, UnsuitableDataError
from motif.core.ledger import MADE_BY
from motif.core.rebuilding import asked as before_marking
from motif.core.records import canonical_json, content_id
from motif.core.remarks import STAGE as LABELS
from motif.core.schema import batched
from motif.core.taint import ITEMWISE
from motif.core.workspace import Workspace

SHORTEST_PREFIX = 6
_DIGEST = re.compile(r"[0-9a-f]{16,}")
_CHANGES = frozenset({"version", "fingerprint", "data"})
"""Parameters that tell by what code and from what data; not what was asked for."""


@dataclass(frozen=True)
class Origin:
    """A record a result was made from."""

    record_id: str
    server: str
    native_id: str
    live: bool
    simulated: bool


@dataclass(frozen=True)
class Result:
    """One result as it is published; itemwise ones are made of several derivations."""

    parts: tuple[Derivation, ...]

    @property
    def id(self) -> str:
        if len(self.parts) == 1:
            return self.parts[0].id
        return content_id("parts", *sorted(part.id for part in self.parts))

    @property
    def newest(self) -> Derivation:
        return self.parts[-1]

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for part in self.parts for one in part.inputs))

    @property
    def line(self) -> str:
        """The same for results that answer the same question: a later one is a new version.

        One that leaves marked measurements out answers the question of the tainted one.
        """
        question = {
            key: value
            for key, value in self.newest.parameters.items()
            if key not in _CHANGES and not (isinstance(value, str) and _DIGEST.fullmatch(value))
        }
        if not (where := before_marking(str(question.get("where") or ""))):
            question.pop("where", None)
        else:
            question["where"] = where
        return content_id(self.newest.stage, self.newest.collection, canonical_json(question))

    def arrays(self, workspace: Workspace) -> dict[str, NDArray[Any]]:
        """Arrays by name, those of several parts one after the other."""
        held = [dict(workspace.ledger.arrays(part)) for part in self.parts]
        if len(held) == 1:
            return held[0]
        return {name: _joined([arrays[name] for arrays in held]) for name in held[0]}

    def document(self) -> dict[str, Any]:
        """How the result was made, in full."""
        newest = self.newest
        return {
            "derivation": self.id, "parts": [part.id for part in self.parts],
            "stage": newest.stage, "collection": newest.collection,
            "parameters": dict(newest.parameters), "summary": dict(newest.summary),
            "snapshot": newest.snapshot, "created_at": newest.created_at,
            "seconds": round(sum(part.seconds for part in self.parts), 3),
            "code": {"motif-lab": version("motif-lab")}, "line": self.line,
        }  # fmt: skip


def resolve(workspace: Workspace, name: str, collection: str | None = None) -> Result:
    """The result meant by an id, the beginning of one, or a stage (its newest).

    Labels and notes of a collection are one result, whichever of them is meant.

    Raises:
        NotFoundError: there is none.
        ConfigError: there are several.
    """
    ledger = workspace.ledger
    if re.fullmatch(rf"[0-9a-f]{{{SHORTEST_PREFIX},32}}", name):
        found = [one for one in ledger.all() if one.id.startswith(name)]
        if len(found) > 1:
            raise ConfigError(f'{len(found)} results begin with "{name}"; give more digits.')
        if found and found[0].stage != LABELS:
            return Result((found[0],))
        name, collection = (LABELS, found[0].collection) if found else (name, collection)
    made = ledger.all(name, collection)
    places = sorted({one.collection for one in made})
    if not made:
        stages = ", ".join(sorted({one.stage for one in ledger.all()})) or "none yet"
        command = MADE_BY.get(name, "").format(collection=collection or "COLLECTION")
        advice = f"make it with {command}" if command else f"there are {stages}"
        raise NotFoundError(f'There is no result "{name}"; {advice}.')
    if len(places) > 1:
        raise ConfigError(f'"{name}" was made of {", ".join(places)}; say which with --collection.')
    newest = made[-1]
    if newest.stage == LABELS:
        from motif.ingest.publish.labels import Labels

        return Labels(tuple(made))
    if newest.stage not in ITEMWISE:
        return Result((newest,))
    return Result(tuple(one for one in made if one.parameters == newest.parameters))


def origins(workspace: Workspace, inputs: Iterable[str]) -> list[Origin]:
    """Records at the far end of everything these inputs were made from, by record id."""
    measured: set[str] = set()
    seen: set[str] = set()
    front = list(inputs)
    while front:
        fresh = [one for one in dict.fromkeys(front) if one not in seen]
        seen.update(fresh)
        front = []
        derived = _derivations(workspace, fresh)
        measured.update(one for one in fresh if one not in derived)
        for one in derived.values():
            front.extend(one.inputs)
    return _records(workspace, sorted(measured))


def derived_inputs(workspace: Workspace, result: Result) -> list[Derivation]:
    """Other results this one was made from."""
    return list(_derivations(workspace, result.inputs).values())


def _derivations(workspace: Workspace, ids: Sequence[str]) -> dict[str, Derivation]:
    table = schema.derivations
    with workspace.catalog.reading() as connection:
        held = [
            one
            for part in batched(list(ids))
            for one in connection.scalars(select(table.c.id).where(table.c.id.in_(part)))
        ]
    return {one: workspace.ledger.get(one) for one in held}


def _records(workspace: Workspace, measurements: Sequence[str]) -> list[Origin]:
    records, table = schema.records, schema.measurements
    found: dict[str, Origin] = {}
    with workspace.catalog.reading() as connection:
        for part in batched(measurements):
            chosen = select(table.c.record_id).where(table.c.id.in_(part))
            for row in connection.execute(
                select(
                    records.c.id,
                    records.c.native_id,
                    records.c.origin,
                    records.c.live,
                    records.c.simulated,
                ).where(records.c.id.in_(chosen))
            ):
                found[row.id] = _origin(row)
    return [found[record] for record in sorted(found)]


def _origin(row: Any) -> Origin:
    told: Mapping[str, Any] = row.origin
    return Origin(
        row.id, str(told.get("server", "")), str(told.get("native_id", row.native_id)),
        row.live, row.simulated,
    )  # fmt: skip


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    if len({array.shape[1:] for array in arrays}) != 1:
        raise UnsuitableDataError(
            "The parts of this result have different widths; publish them one by one by their ids."
        )
    return np.concatenate(arrays)
