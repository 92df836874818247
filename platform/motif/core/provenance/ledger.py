"""The ledger of derived results: what each was computed from, so that nothing is computed twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from motif.core.catalog import tables
from motif.core.catalog.database import Catalog
from motif.core.catalog.journal_format import former_stage
from motif.core.catalog.rows import Derivation, StoredDerivation
from motif.core.catalog.tables import batched
from motif.core.errors import NotFoundError
from motif.core.provenance import stages, taint
from motif.core.records import canonical_json, content_id

if TYPE_CHECKING:
    from motif.core.store.repository import Snapshot, Store, Transaction

Commit = Callable[[Callable[["Transaction"], dict[str, Any] | None]], None]


def derivation_id(stage: str, parameters: Mapping[str, Any], inputs: Sequence[str]) -> str:
    """Hash of stage, parameters (with code version and weights) and input ids."""
    return content_id(stage, canonical_json(dict(parameters)), *inputs)


class ResultArrays(Mapping[str, NDArray[Any]]):
    """Arrays of one result by name, each read from the store on access."""

    def __init__(self, snapshot: Snapshot, group: str) -> None:
        self._snapshot = snapshot
        self._group = group
        self._names = snapshot.names(group)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._names:
            raise KeyError(name)
        return self._snapshot.load(f"{self._group}/{name}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Ledger:
    """Derived results of one workspace.

    Args:
        catalog: where results are indexed.
        store: where their arrays are.
        commit: commits arrays together with a journal line (`Workspace.commit`).
        marked: ids of the measurements whose records are marked with an error.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        commit: Commit,
        marked: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._commit = commit
        self._marked = marked

    def get(self, identity: str) -> Derivation:
        """The result with this id; `NotFoundError` when there is none."""
        results = self._load(tables.derivations.c.id == identity)
        if not results:
            raise NotFoundError(f'There is no result "{identity}"; list them with motif status.')
        return results[0]

    def has(self, identity: str) -> bool:
        """Whether there is a result with this id."""
        return bool(self._load(tables.derivations.c.id == identity))

    def among(self, ids: Sequence[str]) -> dict[str, Derivation]:
        """Those of the ids that are ids of results, with the results, in the order given."""
        results: dict[str, Derivation] = {}
        for part in batched(ids):
            for derivation in self._load(tables.derivations.c.id.in_(part)):
                results[derivation.id] = derivation
        return {identity: results[identity] for identity in ids if identity in results}

    def find(
        self, stage: str, parameters: Mapping[str, Any], inputs: Sequence[str]
    ) -> Derivation | None:
        """The result of exactly this computation, if it was recorded before."""
        results = self._load(tables.derivations.c.id == derivation_id(stage, parameters, inputs))
        return results[0] if results else None

    def record(
        self,
        stage: str,
        collection: str,
        parameters: Mapping[str, Any],
        inputs: Sequence[str],
        arrays: Mapping[str, NDArray[Any]],
        summary: Mapping[str, Any],
        seconds: float,
    ) -> Derivation:
        """Store a result in one commit, unless another process recorded the same one meanwhile.

        Args:
            stage: kind of computation (`motif.core.provenance.stages`).
            collection: of the measurements it was computed from; empty for none.
            parameters: JSON values that, with the inputs, determine the result.
            inputs: ids of measurements or of other results.
            arrays: name -> array; a row per measurement comes with their ids as ``ids``.
            summary: JSON values for people.
            seconds: time the computation took.
        """
        identity = derivation_id(stage, parameters, inputs)

        def build(transaction: Transaction) -> dict[str, Any] | None:
            if self.find(stage, parameters, inputs) is not None:
                return None
            for name, array in arrays.items():
                transaction.put(f"{result_group(stage, identity)}/{name}", np.asarray(array))
            document = {
                "id": identity, "stage": stage, "collection": collection,
                "parameters": dict(parameters), "inputs": list(inputs),
                "summary": dict(summary), "seconds": round(seconds, 3),
                "snapshot": self._store.snapshot().id,
            }  # fmt: skip
            return {"what": "derive", "derivation": document, "arrays": sorted(arrays)}

        self._commit(build)
        return self.get(identity)

    def count(self) -> dict[str, int]:
        """Number of results by stage, in the order the stages first ran."""
        table = tables.derivations
        statement = (
            select(table.c.stage, func.count().label("number"))
            .group_by(table.c.stage)
            .order_by(func.min(table.c.number))
        )
        with self._catalog.reading() as connection:
            return {row.stage: row.number for row in connection.execute(statement)}

    def all(
        self, stage: str | None = None, collection: str | None = None, **parameters: Any
    ) -> list[Derivation]:
        """Results, oldest first; keyword arguments filter on parameters."""
        table = tables.derivations
        conditions = []
        if stage is not None:
            conditions.append(table.c.stage == stage)
        if collection is not None:
            conditions.append(table.c.collection == collection)
        return [
            derivation
            for derivation in self._load(*conditions)
            if all(derivation.parameters.get(key) == value for key, value in parameters.items())
        ]

    def latest(self, stage: str, collection: str, **parameters: Any) -> Derivation:
        """The newest result of a stage; `NotFoundError` names the command that creates one."""
        results = self.all(stage, collection, **parameters)
        if not results:
            command = stages.stage(stage).create_command(collection)
            raise NotFoundError(f'"{collection}" has no {stage} yet; create it with {command}.')
        return results[-1]

    def derived_from(self, identity: str) -> list[Derivation]:
        """Results with a measurement or another result among their inputs, oldest first."""
        return self._derived_from_any([identity])

    def tainted(self) -> list[Derivation]:
        """Results that rest on records marked with an error, oldest first.

        A result computed from itemwise ones (features of images) is tainted only where it uses
        the row of a marked measurement.
        """
        marked = self._marked()
        if not marked:
            return []
        tainted = taint.tainted_derivations(marked, self._derived_from_any, self._measurement_ids)
        return sorted(tainted.values(), key=lambda derivation: derivation.number)

    def arrays(self, derivation: Derivation) -> ResultArrays:
        """Arrays of a result by name."""
        snapshot = self._store.snapshot()
        arrays = ResultArrays(snapshot, result_group(derivation.stage, derivation.id))
        former = former_stage(derivation.stage)
        if former is not None and not arrays:
            return ResultArrays(snapshot, result_group(former, derivation.id))
        return arrays

    def _derived_from_any(self, ids: Collection[str]) -> list[Derivation]:
        """Results with any of the ids among their inputs, oldest first."""
        table = tables.derivation_inputs
        results: dict[str, Derivation] = {}
        for part in batched(list(ids)):
            chosen = select(table.c.derivation_id).where(table.c.input_id.in_(part))
            for derivation in self._load(tables.derivations.c.id.in_(chosen)):
                results[derivation.id] = derivation
        return sorted(results.values(), key=lambda derivation: derivation.number)

    def _measurement_ids(self, derivation: Derivation) -> Collection[str] | None:
        """Measurements a result has rows of; None where it has no array ``ids``."""
        arrays = self.arrays(derivation)
        if "ids" not in arrays:
            return None
        return [identity.decode() for identity in arrays["ids"].tolist()]

    def _load(self, *conditions: Any) -> list[Derivation]:
        table = tables.derivations
        statement = select(table).where(*conditions).order_by(table.c.number)
        with self._catalog.reading() as connection:
            return [
                StoredDerivation(self._inputs, **row._mapping)
                for row in connection.execute(statement)
            ]

    def _inputs(self, identity: str) -> tuple[str, ...]:
        table = tables.derivation_inputs
        statement = (
            select(table.c.input_id)
            .where(table.c.derivation_id == identity)
            .order_by(table.c.position)
        )
        with self._catalog.reading() as connection:
            return tuple(connection.scalars(statement))


def result_group(stage: str, identity: str) -> str:
    """Group of the store that has the arrays of a result."""
    return f"derived/{stage}/{identity}"
