"""Which samples each member is trained on, and scores of held-out predictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from motif.analysis.arrays import FloatArray, IntArray
from motif.analysis.composition.datasets.composition_library import PreparedLibrary
from motif.analysis.composition.regression.training_recipe import EnsembleMember
from motif.analysis.composition.training_request import TrainingRequest
from motif.core.errors import ConfigError, UnreadableFileError, UnsuitableDataError
from motif.core.provenance.rebuild_commands import STRATIFIED
from motif.core.records import content_id

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

PRESENT = 1e-3
"""Atomic fraction from which an element belongs to a sample's composition system."""
MAX_ORDER_FILE = 1 << 28
"""Bytes of an order file; 8 runs of 100,000 samples take 5 MB."""


@dataclass(frozen=True)
class SamplePartition:
    """Folds of n samples and, where a file gives them, the order of the samples in each run."""

    folds: int
    fold: IntArray
    """(n,) fold of each sample; all 0 without folds."""
    identity: int | str
    """What decided the folds, for the ledger."""
    first_seed: int
    orders: IntArray | None = None
    """(runs, n) permutations."""
    file: str = ""
    """Name of the file that gives the orders."""

    def summary(self) -> dict[str, str]:
        """Entries of a result's summary that name the order file."""
        return {"shuffle_index": self.file} if self.file else {}

    def rows(self, member: EnsembleMember) -> IntArray:
        """Samples `member` is trained on, in the order of its first epoch before shuffling."""
        run = 0 if member.fold is not None else member.seed - self.first_seed
        order = np.arange(len(self.fold)) if self.orders is None else self.orders[run]
        return order if member.fold is None else order[self.fold[order] != member.fold]

    def order_of(self, member: EnsembleMember) -> str | None:
        """Hash of the order that a file gives to a member trained on all samples."""
        if self.orders is None or member.fold is not None:
            return None
        return content_id(self.rows(member).tobytes())


def make_partition(
    workspace: Workspace, prepared: PreparedLibrary, request: TrainingRequest
) -> SamplePartition:
    """Folds of a request: random, stratified by composition system, or those of an order file.

    The file has one permutation of the table's samples per line. Line k is the order of member
    k; the folds are consecutive parts of the first line. Samples that are left out of the study
    are left out of the permutations.

    Raises:
        ConfigError: there are too many folds, or the file has too few lines.
        UnreadableFileError: a line of the file is not a permutation; the message names the line.
        UnsuitableDataError: the file is for another number of samples.
    """
    n, folds, seed = len(prepared.ids), request.folds, request.seed
    if folds > n // 2:
        raise ConfigError(
            f"{folds} folds do not divide {n} samples; request 2 to {n // 2}, or 0 for none."
        )
    parts = max(folds, 1)
    if request.shuffle_index is None:
        if request.stratify:
            fold = stratified_folds(prepared.samples.composition, parts, seed)
            return SamplePartition(folds, fold, f"{STRATIFIED}{seed}", seed)
        return SamplePartition(folds, random_folds(n, parts, seed), seed, seed)
    path = request.shuffle_index
    orders = _orders_of_study(workspace, prepared, path)
    if request.members > len(orders):
        raise ConfigError(
            f"{path.name} orders {len(orders)} runs, not {request.members}; "
            f"request --members {len(orders)} or fewer."
        )
    fold = np.empty(n, np.int64)
    fold[orders[0]] = np.arange(n) * parts // n
    return SamplePartition(folds, fold, content_id(orders[0].tobytes()), seed, orders, path.name)


def random_folds(n: int, folds: int, seed: int) -> IntArray:
    """Fold (0 … folds-1) of each of n samples: a random partition into equal parts."""
    order = np.random.default_rng(np.random.SeedSequence((seed, n, folds))).permutation(n)
    fold = np.empty(n, np.int64)
    fold[order] = np.arange(n) % folds
    return fold


def stratified_folds(composition: FloatArray, folds: int, seed: int) -> IntArray:
    """Fold (n,) of samples of composition (n, E), every system spread evenly over the folds.

    A composition system is the set of elements present. Each fold gets its share of a system
    within one sample, and so its share of the whole.
    """
    n = len(composition)
    _, system = np.unique(composition >= PRESENT, axis=0, return_inverse=True)
    order = np.random.default_rng(np.random.SeedSequence((seed, n, folds, 1))).permutation(n)
    order = order[np.argsort(system[order], kind="stable")]
    fold = np.empty(n, np.int64)
    fold[order] = np.arange(n) % folds
    return fold


def read_orders(path: Path) -> IntArray:
    """Permutations (runs, n) of 0 … n-1 from text, one per line, counted from 0 or from 1.

    Numbers are separated by blanks, tabs, commas or semicolons.

    Raises:
        UnreadableFileError: a line is not a permutation of as many numbers as the first.
    """
    try:
        if path.stat().st_size > MAX_ORDER_FILE:
            raise UnreadableFileError(f"{path.name} is too large for a table of permutations.")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UnreadableFileError(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"{path.name} cannot be read as text: {error}.") from None
    orders: list[IntArray] = []
    for number, line in enumerate(text.splitlines(), 1):
        tokens = line.replace(",", " ").replace(";", " ").split()
        if tokens:
            orders.append(_permutation(tokens, f"{path.name}, line {number}"))
            if len(orders[-1]) != len(orders[0]):
                raise UnreadableFileError(
                    f"{path.name}, line {number}: {len(orders[-1])} numbers where the first "
                    f"line has {len(orders[0])}; every line orders the same samples."
                )
    if not orders:
        raise UnreadableFileError(
            f"{path.name} has no numbers; write one permutation of the samples per line."
        )
    return np.stack(orders)


def r2_score(target: FloatArray, predicted: FloatArray) -> float:
    """Share of the target's variance that the predictions explain."""
    residual = ((target - predicted) ** 2).sum()
    return float(1 - residual / ((target - target.mean()) ** 2).sum())


def mean_absolute_error(target: FloatArray, predicted: FloatArray) -> float:
    """Mean absolute error in units of the target."""
    return float(np.abs(target - predicted).mean())


def _permutation(tokens: list[str], position: str) -> IntArray:
    try:
        values = np.array(tokens, dtype=np.float64)
    except ValueError as error:
        raise UnreadableFileError(
            f"{position}: {error}; a line consists of sample numbers."
        ) from None
    n = len(values)
    first = 1 if values.min() == 1 else 0
    if not np.array_equal(np.sort(values), np.arange(first, first + n)):
        raise UnreadableFileError(
            f"{position}: its {n} numbers are not a permutation of 0 to {n - 1} or of 1 to {n}."
        )
    return values.astype(np.int64) - first


def _orders_of_study(workspace: Workspace, prepared: PreparedLibrary, path: Path) -> IntArray:
    """Orders (runs, n) of the study's samples from those of its whole table."""
    orders = read_orders(path)
    rows = {row.id: row for row in workspace.select(ids=prepared.ids)}
    tables = {(row.record_id, row.array) for row in rows.values()}
    collection = rows[prepared.ids[0]].collection
    if len(tables) > 1:
        raise UnsuitableDataError(
            f'{path.name} orders the samples of one table; "{collection}" was ingested from '
            f"{len(tables)}."
        )
    table = [
        row
        for row in workspace.select(collection, None, "spectrum")
        if (row.record_id, row.array) in tables and row.composition
    ]
    table.sort(key=lambda row: row.row)
    if orders.shape[1] != len(table):
        hint = "; its lines and columns seem to be swapped" if len(orders) == len(table) else ""
        raise UnsuitableDataError(
            f"{path.name} orders {orders.shape[1]} samples per line and the table of "
            f'"{collection}" has {len(table)}{hint}.'
        )
    index = {identity: i for i, identity in enumerate(prepared.ids)}
    in_study = np.array([index.get(row.id, -1) for row in table])
    return np.stack([order[order >= 0] for order in in_study[orders]])
