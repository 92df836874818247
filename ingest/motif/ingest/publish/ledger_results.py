"""Results of the ledger for publication: their parts, and the records they were computed from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.annotations.annotation_log import STAGE as LABELS
from motif.core.annotations.annotation_log import annotations_of
from motif.core.catalog.catalog_queries import records_of
from motif.core.catalog.database import Derivation
from motif.core.errors import ConfigError, NotFoundError, UnsuitableDataError
from motif.core.provenance.rebuild_commands import original_filter as before_marking
from motif.core.provenance.stages import stage
from motif.core.records import canonical_json, content_id
from motif.core.workspace import Workspace

SHORTEST_PREFIX = 6
_DIGEST = re.compile(r"[0-9a-f]{16,}")
_CHANGES = frozenset({"version", "fingerprint", "data"})
"""Parameters that identify code and data, not the request."""


@dataclass(frozen=True)
class RecordOrigin:
    """A record that a result was computed from."""

    record_id: str
    server: str
    native_id: str
    live: bool
    simulated: bool


@dataclass(frozen=True)
class Result:
    """One result as it is published; an itemwise one may consist of several derivations."""

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
        return tuple(dict.fromkeys(identity for part in self.parts for identity in part.inputs))

    @property
    def line(self) -> str:
        """Equal for results of the same request, of which later ones are new versions.

        A result that leaves out marked measurements has the line of the tainted result.
        """
        request = {
            key: value
            for key, value in self.newest.parameters.items()
            if key not in _CHANGES and not (isinstance(value, str) and _DIGEST.fullmatch(value))
        }
        if not (where := before_marking(str(request.get("where") or ""))):
            request.pop("where", None)
        else:
            request["where"] = where
        return content_id(self.newest.stage, self.newest.collection, canonical_json(request))

    def arrays(self, workspace: Workspace) -> dict[str, NDArray[Any]]:
        """Arrays by name; those of several parts are concatenated."""
        by_part = [dict(workspace.ledger.arrays(part)) for part in self.parts]
        if len(by_part) == 1:
            return by_part[0]
        return {name: _concatenated([arrays[name] for arrays in by_part]) for name in by_part[0]}

    def document(self) -> dict[str, Any]:
        """How the result was computed, in full."""
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
    """The result with an id, with a unique beginning of an id, or the newest of a stage.

    All labels and notes of a collection are one result.

    Raises:
        NotFoundError: no result matches.
        ConfigError: several results match.
    """
    ledger = workspace.ledger
    if re.fullmatch(rf"[0-9a-f]{{{SHORTEST_PREFIX},32}}", name):
        matches = [derivation for derivation in ledger.all() if derivation.id.startswith(name)]
        if len(matches) > 1:
            raise ConfigError(f'{len(matches)} results begin with "{name}"; give more digits.')
        if matches and matches[0].stage != LABELS:
            return Result((matches[0],))
        name, collection = (LABELS, matches[0].collection) if matches else (name, collection)
    derivations = ledger.all(name, collection)
    collections = sorted({derivation.collection for derivation in derivations})
    if not derivations:
        stages = ", ".join(sorted({derivation.stage for derivation in ledger.all()})) or "none yet"
        known = stage(name)
        command = known.create_command(collection or "COLLECTION")
        advice = f"create it with {command}" if known.command else f"there are {stages}"
        raise NotFoundError(f'There is no result "{name}"; {advice}.')
    if len(collections) > 1:
        raise ConfigError(
            f'"{name}" exists for {", ".join(collections)}; choose one with --collection.'
        )
    newest = derivations[-1]
    if newest.stage == LABELS:
        return AnnotationsResult(tuple(derivations))
    if not stage(newest.stage).itemwise:
        return Result((newest,))
    return Result(
        tuple(
            derivation for derivation in derivations if derivation.parameters == newest.parameters
        )
    )


def origin_records(workspace: Workspace, inputs: Iterable[str]) -> list[RecordOrigin]:
    """Records from which these inputs were computed, over any number of steps, by record id."""
    measured: set[str] = set()
    seen: set[str] = set()
    front = list(inputs)
    while front:
        new = [identity for identity in dict.fromkeys(front) if identity not in seen]
        seen.update(new)
        front = []
        derived = workspace.ledger.among(new)
        measured.update(identity for identity in new if identity not in derived)
        for derivation in derived.values():
            front.extend(derivation.inputs)
    return [
        RecordOrigin(
            record.id, str(record.origin.get("server", "")),
            str(record.origin.get("native_id", record.native_id)), record.live, record.simulated,
        )
        for record in records_of(workspace.catalog, sorted(measured))
    ]  # fmt: skip


def derived_inputs(workspace: Workspace, result: Result) -> list[Derivation]:
    """Other results that this one was computed from."""
    return list(workspace.ledger.among(result.inputs).values())


def _concatenated(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    if len({array.shape[1:] for array in arrays}) != 1:
        raise UnsuitableDataError(
            "The parts of this result have different widths; publish them one by one by their ids."
        )
    return np.concatenate(arrays)


@dataclass(frozen=True)
class AnnotationsResult(Result):
    """All labels and notes added to measurements of one collection or removed, oldest first."""

    @property
    def line(self) -> str:
        """Each state is a new version of the one before."""
        return content_id(self.newest.stage, self.newest.collection)

    def document(self) -> dict[str, Any]:
        """How the result came about; labels and their authors are in the arrays."""
        return {**super().document(), "parameters": {}, "summary": {"changes": len(self.parts)}}

    def arrays(self, workspace: Workspace) -> dict[str, NDArray[Any]]:
        """Columns ``ids``, ``records``, ``kind``, ``text``, ``at``, ``who``: a row per annotation.

        Authors are left out where the workspace's privacy policy hides persons.
        """
        annotations = annotations_of(workspace.catalog, self.inputs)
        rows = {row.id: row.record_id for row in workspace.select(ids=list(annotations))}
        pairs = [
            (identity, annotation)
            for identity in sorted(annotations)
            if identity in rows
            for annotation in annotations[identity]
        ]
        arrays = {
            "ids": np.array([identity for identity, _ in pairs], "S32"),
            "records": np.array([rows[identity] for identity, _ in pairs], str),
            "kind": np.array([annotation.kind for _, annotation in pairs], str),
            "text": np.array([annotation.text for _, annotation in pairs], str),
            "at": np.array([annotation.at for _, annotation in pairs], str),
        }
        if workspace.mapper().privacy.keeps:
            arrays["who"] = np.array([annotation.who for _, annotation in pairs], str)
        return arrays
