"""Everything derived: same inputs never run twice, and every result knows what made it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from motif.core import schema, taint
from motif.core.catalog import Catalog, Derivation
from motif.core.errors import NotFoundError
from motif.core.records import canonical_json, content_id
from motif.core.rows import StoredDerivation
from motif.core.schema import batched

if TYPE_CHECKING:
    from motif.core.store import Snapshot, Store, Transaction

Commit = Callable[[Callable[["Transaction"], dict[str, Any] | None]], None]

MADE_BY = {
    "embedding": "motif embed {collection}",
    "tiles": "motif embed {collection} --tiles 4",
    "projection": "motif project {collection}",
    "ensemble-member": "motif train composition {collection}",
    "gradients": "motif train composition {collection}",
    "symmetry-model": "motif train symmetry",
}
"""Stage -> the command that makes one, for error messages."""


def derivation_id(stage: str, parameters: Mapping[str, Any], inputs: Sequence[str]) -> str:
    """Hash of stage, parameters (with code version and weights) and input ids."""
    return content_id(stage, canonical_json(dict(parameters)), *inputs)


class Arrays(Mapping[str, NDArray[Any]]):
    """Arrays of one derivation, each read from the store when asked for."""

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
    """Derivations of one workspace."""

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

    def get(self, derivation: str) -> Derivation:
        """The derivation of this id."""
        found = self._load(schema.derivations.c.id == derivation)
        if not found:
            raise NotFoundError(f'There is no result "{derivation}"; list them with motif status.')
        return found[0]

    def holds(self, identity: str) -> bool:
        """Whether there is a derivation of this id."""
        return bool(self._load(schema.derivations.c.id == identity))

    def find(
        self, stage: str, parameters: Mapping[str, Any], inputs: Sequence[str]
    ) -> Derivation | None:
        """The result of exactly this computation, if it was made before."""
        found = self._load(schema.derivations.c.id == derivation_id(stage, parameters, inputs))
        return found[0] if found else None

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
        """Store a result in one commit; a result made meanwhile by another process wins."""
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
        """Number of derivations by stage, in the order the stages first ran."""
        table = schema.derivations
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
        """Derivations oldest first; keyword arguments filter on parameters."""
        table = schema.derivations
        conditions = []
        if stage is not None:
            conditions.append(table.c.stage == stage)
        if collection is not None:
            conditions.append(table.c.collection == collection)
        return [
            one
            for one in self._load(*conditions)
            if all(one.parameters.get(key) == value for key, value in parameters.items())
        ]

    def latest(self, stage: str, collection: str, **parameters: Any) -> Derivation:
        """The newest result of a stage; `NotFoundError` names the command that makes one."""
        found = self.all(stage, collection, **parameters)
        if not found:
            command = MADE_BY.get(stage, "motif status").format(collection=collection)
            raise NotFoundError(f'"{collection}" has no {stage} yet; make it with {command}.')
        return found[-1]

    def made_from(self, identity: str) -> list[Derivation]:
        """What was derived from a measurement or from another derivation."""
        table = schema.derivation_inputs
        chosen = select(table.c.derivation_id).where(table.c.input_id == identity)
        return self._load(schema.derivations.c.id.in_(chosen))

    def tainted(self) -> list[Derivation]:
        """What rests on records marked with an error, oldest first.

        A result made of itemwise ones (features of images) is tainted only where it holds a
        marked measurement itself.
        """
        marked = self._marked()
        if not marked:
            return []

        def made_from(ids: Collection[str]) -> list[Derivation]:
            table = schema.derivation_inputs
            found: dict[str, Derivation] = {}
            for part in batched(list(ids)):
                chosen = select(table.c.derivation_id).where(table.c.input_id.in_(part))
                found |= {one.id: one for one in self._load(schema.derivations.c.id.in_(chosen))}
            return list(found.values())

        found = taint.spread(marked, made_from, self._members)
        return sorted(found.values(), key=lambda one: one.number)

    def _members(self, derivation: Derivation) -> Collection[str] | None:
        arrays = self.arrays(derivation)
        if "ids" not in arrays:
            return None
        return [one.decode() for one in arrays["ids"].tolist()]

    def arrays(self, derivation: Derivation) -> Arrays:
        return Arrays(self._store.snapshot(), result_group(derivation.stage, derivation.id))

    def _load(self, *conditions: Any) -> list[Derivation]:
        table = schema.derivations
        statement = select(table).where(*conditions).order_by(table.c.number)
        with self._catalog.reading() as connection:
            return [
                StoredDerivation(self._inputs, **row._mapping)
                for row in connection.execute(statement)
            ]

    def _inputs(self, identity: str) -> tuple[str, ...]:
        table = schema.derivation_inputs
        statement = (
            select(table.c.input_id)
            .where(table.c.derivation_id == identity)
            .order_by(table.c.position)
        )
        with self._catalog.reading() as connection:
            return tuple(connection.scalars(statement))


def result_group(stage: str, identity: str) -> str:
    """Where the store keeps the arrays of a result."""
    return f"derived/{stage}/{identity}"
