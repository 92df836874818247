"""Which samples each member sees: folds, folds by composition system, and orders from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.composition.preparation import Prepared
from motif.analysis.composition.samples import Member, fold_of
from motif.core.errors import ConfigError, UnreadableFileError, UnsuitableDataError
from motif.core.rebuilding import STRATIFIED
from motif.core.records import content_id
from motif.core.workspace import Workspace

PRESENT = 1e-3
"""Atomic fraction from which an element belongs to a sample's composition system."""
LARGEST = 1 << 28
"""Bytes of an order file; 8 runs of 100,000 samples take 5 MB."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Partition:
    """Folds of n samples and, where a file tells them, the order of the samples in each run."""

    folds: int
    fold: Rows
    """(n,) fold of each sample; all 0 without folds."""
    identity: int | str
    """What decided the folds, for the ledger."""
    first_seed: int
    orders: Rows | None = None
    """(runs, n)"""
    file: str = ""
    """Name of the file that tells the orders."""

    def told(self) -> dict[str, str]:
        """What a summary says of the file, so that the same can be asked for again."""
        return {"shuffle_index": self.file} if self.file else {}

    def rows(self, member: Member) -> Rows:
        """Samples `member` is trained on, in the order its first shuffle finds them."""
        run = 0 if member.fold is not None else member.seed - self.first_seed
        order = np.arange(len(self.fold)) if self.orders is None else self.orders[run]
        return order if member.fold is None else order[self.fold[order] != member.fold]

    def order_of(self, member: Member) -> str | None:
        """Hash of the order a file gives to a member trained on everything."""
        if self.orders is None or member.fold is not None:
            return None
        return content_id(self.rows(member).tobytes())


def make_partition(
    workspace: Workspace,
    prepared: Prepared,
    *,
    folds: int,
    seed: int,
    members: int = 1,
    stratify: bool = False,
    shuffle_index: Path | None = None,
) -> Partition:
    """Folds as asked for: random, random within composition systems, or those of a file.

    The file holds a permutation of the table's samples a line. Line k is the order of member k;
    the folds are consecutive parts of the first line. Samples that are left out of the study
    are left out of the permutations.

    Raises:
        ConfigError: options are out of range or exclude each other, or the file is too short.
        UnreadableFileError: the file holds no permutations; says in which line.
        UnsuitableDataError: the file is for another number of samples.
    """
    n = len(prepared.ids)
    if folds == 1 or folds < 0 or folds > n // 2:
        raise ConfigError(
            f"{folds} folds do not divide {n} samples; ask for 2 to {n // 2}, or 0 for none."
        )
    parts = max(folds, 1)
    if shuffle_index is None:
        if stratify:
            fold = stratified_fold_of(prepared.samples.composition, parts, seed)
            return Partition(folds, fold, f"{STRATIFIED}{seed}", seed)
        return Partition(folds, fold_of(n, parts, seed), seed, seed)
    if stratify:
        raise ConfigError(
            "The order file decides the folds, so they cannot be stratified too; "
            "leave out --stratify or --shuffle-index."
        )
    orders = _for_study(workspace, prepared, shuffle_index)
    if members > len(orders):
        raise ConfigError(
            f"{shuffle_index.name} orders {len(orders)} runs, not {members}; "
            f"ask for --members {len(orders)} or fewer."
        )
    fold = np.empty(n, np.int64)
    fold[orders[0]] = np.arange(n) * parts // n
    return Partition(folds, fold, content_id(orders[0].tobytes()), seed, orders, shuffle_index.name)


def stratified_fold_of(composition: NDArray[np.float64], folds: int, seed: int) -> Rows:
    """Fold (n,) of samples of composition (n, E): every system is spread evenly over the folds.

    A system is the set of elements present. Each fold gets its share of a system give or take
    one sample, and so of the whole.
    """
    n = len(composition)
    _, system = np.unique(composition >= PRESENT, axis=0, return_inverse=True)
    order = np.random.default_rng(np.random.SeedSequence((seed, n, folds, 1))).permutation(n)
    order = order[np.argsort(system[order], kind="stable")]
    fold = np.empty(n, np.int64)
    fold[order] = np.arange(n) % folds
    return fold


def read_orders(path: Path) -> Rows:
    """Permutations (runs, n) of 0 … n-1 from text, one a line, counted from 0 or from 1.

    Numbers are separated by blanks, tabs, commas or semicolons.

    Raises:
        UnreadableFileError: a line is no permutation of as many numbers as the first.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UnreadableFileError(f"{path.name} is too large for a table of permutations.")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UnreadableFileError(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"{path.name} cannot be read as text: {error}.") from None
    orders: list[Rows] = []
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
        raise UnreadableFileError(f"{path.name} holds no numbers; it takes a permutation a line.")
    return np.stack(orders)


def _permutation(tokens: list[str], place: str) -> Rows:
    try:
        values = np.array(tokens, dtype=np.float64)
    except ValueError as error:
        raise UnreadableFileError(f"{place}: {error}; a line holds sample numbers.") from None
    n = len(values)
    first = 1 if values.min() == 1 else 0
    if not np.array_equal(np.sort(values), np.arange(first, first + n)):
        raise UnreadableFileError(
            f"{place}: its {n} numbers are no permutation of 0 to {n - 1} or of 1 to {n}."
        )
    return values.astype(np.int64) - first


def _for_study(workspace: Workspace, prepared: Prepared, path: Path) -> Rows:
    """Orders (runs, n) of the study's samples from those of its whole table."""
    orders = read_orders(path)
    rows = {row.id: row for row in workspace.select(ids=prepared.ids)}
    tables = {(row.record_id, row.array) for row in rows.values()}
    collection = rows[prepared.ids[0]].collection
    if len(tables) > 1:
        raise UnsuitableDataError(
            f'{path.name} orders the samples of one table; "{collection}" was made from '
            f"{len(tables)}."
        )
    table: list[Any] = [
        row
        for row in workspace.select(collection, None, "spectrum")
        if (row.record_id, row.array) in tables and row.composition
    ]
    table.sort(key=lambda row: row.row)
    if orders.shape[1] != len(table):
        turned = "; its lines and columns seem to be swapped" if len(orders) == len(table) else ""
        raise UnsuitableDataError(
            f"{path.name} orders {orders.shape[1]} samples a line and the table of "
            f'"{collection}" has {len(table)}{turned}.'
        )
    place = {identity: i for i, identity in enumerate(prepared.ids)}
    used = np.array([place.get(row.id, -1) for row in table])
    return np.stack([line[line >= 0] for line in used[orders]])
