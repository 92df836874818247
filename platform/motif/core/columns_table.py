"""Facets of measurements as columns, and how changed rows are put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.columns_labels import Codes, Labels
from motif.core.records import ID_LENGTH, STANDARD_FACETS

Mask: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.float64]
ColumnKind: TypeAlias = Literal["category", "flag", "number", "date"]

MISSING = -1
SEPARATOR = "\n"
"""Between the labels of one measurement, none of which holds a line break."""
DATES = frozenset({"acquired_at"})
"""Facets whose text is a time: their columns hold seconds beside it."""
FLAG = "bool"
"""Unit of true and false."""
OWN = ("kind", "title", "record")
"""Built-in names kept as columns; ids are kept as such, the collection is one for all."""


@dataclass(frozen=True)
class Column:
    """One facet of n measurements, each of which has a text, a number or neither.

    Attributes:
        codes: (n,) place of the text among `labels`, -1 where there is none.
        labels: distinct texts in order, so that codes compare as the texts do.
        numbers: SI unit ("bool" for flags) -> (n,) numbers in it, NaN where there is none.
        seconds: (n,) seconds since 1970 of a facet of dates, NaN where there is none.
        groups: (g, l) which labels each group holds, where a measurement may have several:
            `codes` are then places of groups.
    """

    codes: Codes | None = None
    labels: Labels = field(default_factory=lambda: Labels.of(()))
    numbers: Mapping[str, Numbers] = field(default_factory=dict)
    seconds: Numbers | None = None
    groups: Mask | None = None

    @property
    def kind(self) -> ColumnKind:
        """How people choose its values."""
        if self.seconds is not None:
            return "date"
        if self.codes is not None or not self.numbers:
            return "category"
        return "number" if FLAG not in self.numbers else "flag"

    @property
    def unit(self) -> str:
        """Unit of its numbers; empty where they have none or several."""
        return next(iter(self.numbers)) if len(self.numbers) == 1 else ""

    @cached_property
    def values(self) -> Numbers:
        """Numbers, or seconds of dates, (n,); NaN where there are none."""
        if self.seconds is not None:
            return self.seconds
        parts = list(self.numbers.values())
        if not parts:
            size = 0 if self.codes is None else len(self.codes)
            return np.full(size, np.nan)
        whole = parts[0]
        for part in parts[1:]:
            whole = np.where(np.isnan(whole), part, whole)
        return whole

    @property
    def known(self) -> Mask:
        """(n,) where there is any value."""
        found = [] if self.codes is None else [self.codes >= 0]
        found += [~np.isnan(part) for part in self.numbers.values()]
        whole: Mask = np.logical_or.reduce(found)
        return whole

    def counts(self, mask: Mask | None = None) -> dict[str, int]:
        """Value in words -> its measurements among those of the mask, the most frequent first."""
        words, codes = (self.labels, self.codes) if self.groups is not None else self.categories
        assert codes is not None
        chosen = codes if mask is None else codes[mask]
        size = len(words) if self.groups is None else len(self.groups)
        numbers = np.bincount(chosen + 1, minlength=size + 1)[1:]
        if self.groups is not None:
            numbers = numbers @ self.groups
        order = np.argsort(-numbers, kind="stable")[: int((numbers > 0).sum())]
        return {words[code]: int(numbers[code]) for code in order.tolist()}

    @cached_property
    def grouped(self) -> Column:
        """A column of texts that are several labels joined by line breaks, with the labels."""
        joined = [text.split(SEPARATOR) for text in self.labels]
        labels = Labels.of(sorted({one for part in joined for one in part}))
        groups = np.array([[one in part for one in labels] for part in joined], np.bool_)
        return Column(self.codes, labels, groups=groups)

    @cached_property
    def categories(self) -> tuple[Sequence[str], Codes]:
        """Distinct values in words, in order, and the place of each measurement's (n,)."""
        if self.codes is not None and not self.numbers:
            return self.labels, self.codes
        spelled: list[tuple[str, Mask]] = []
        for unit, part in self.numbers.items():
            known = part[~np.isnan(part)]
            spelled += [(word(value, unit), part == value) for value in np.unique(known).tolist()]
        texts = [] if self.codes is None else list(self.labels)
        words = sorted({*texts, *(one for one, _ in spelled)})
        place = {one: code for code, one in enumerate(words)}
        if self.codes is None:
            codes = np.full(len(self.values), MISSING, np.int32)
        else:
            codes = recoded(self.codes, np.array([place[one] for one in texts], np.int32))
        for one, chosen in spelled:
            codes[chosen] = place[one]
        return words, codes


@dataclass(frozen=True)
class Table:
    """Live measurements of one collection with their facets.

    Attributes:
        ids: (n,) ids in order.
        own: columns of kind, title and record.
        facets: columns by name.
    """

    ids: NDArray[np.bytes_]
    own: Mapping[str, Column]
    facets: Mapping[str, Column]

    @classmethod
    def empty(cls) -> Table:
        """A table of no measurement."""
        none = Column(np.zeros(0, np.int32))
        return cls(np.zeros(0, f"S{ID_LENGTH}"), dict.fromkeys(OWN, none), {})

    def places(self, ids: NDArray[np.bytes_]) -> NDArray[np.intp]:
        """Rows of those of the ids that the table holds."""
        if not len(self.ids):
            return np.zeros(0, np.intp)
        found = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        rows: NDArray[np.intp] = found[self.ids[found] == ids]
        return rows

    def updated(self, gone: NDArray[np.bytes_], fresh: Table) -> Table:
        """This table without the rows `gone`, with the rows of another."""
        keep = np.ones(len(self.ids), np.bool_)
        keep[self.places(gone)] = False
        at = np.searchsorted(self.ids[keep], fresh.ids)
        splice = _Splice(keep, at)
        none = Column()
        own = {name: splice.column(self.own[name], fresh.own[name]) for name in OWN}
        if not keep.any() and not len(at):
            own = dict(Table.empty().own)
        facets = {}
        for name in {*self.facets, *fresh.facets}:
            column = splice.column(self.facets.get(name, none), fresh.facets.get(name, none))
            if column.codes is not None or column.numbers:
                facets[name] = column
        return Table(np.insert(self.ids[keep], at, fresh.ids), own, in_order(facets))


@dataclass(frozen=True)
class _Splice:
    """Drops rows of one table and puts those of another between the others."""

    keep: Mask
    at: NDArray[np.intp]

    def column(self, old: Column, new: Column) -> Column:
        codes, labels = self._texts(old, new)
        numbers = {}
        for unit in sorted({*old.numbers, *new.numbers}):
            part = self._joined(old.numbers.get(unit), new.numbers.get(unit), np.nan)
            if not np.isnan(part).all():
                numbers[unit] = part
        seconds = None
        if old.seconds is not None or new.seconds is not None:
            seconds = self._joined(old.seconds, new.seconds, np.nan)
        return Column(codes, labels, numbers, None if codes is None else seconds)

    def _texts(self, old: Column, new: Column) -> tuple[Codes | None, Labels]:
        if old.codes is None and new.codes is None:
            return None, Labels.of(())
        labels, mine, theirs = old.labels.merged(new.labels)
        first = None if old.codes is None else recoded(old.codes, mine)
        second = None if new.codes is None else recoded(new.codes, theirs)
        codes = self._joined(first, second, MISSING).astype(np.int32)
        used = np.bincount(codes + 1, minlength=len(labels) + 1)[1:] > 0
        if not used.all():
            labels, renumbered = labels.kept(used)
            codes = recoded(codes, renumbered)
        return (codes if len(labels) else None), labels

    def _joined(self, old: Any, new: Any, missing: float) -> NDArray[Any]:
        kept = np.full(int(self.keep.sum()), missing) if old is None else old[self.keep]
        return np.insert(kept, self.at, missing if new is None else new)


def recoded(codes: Codes, places: Codes) -> Codes:
    """Codes (n,) with each replaced by its new place; missing ones stay so."""
    return np.append(places, np.int32(MISSING))[codes]


def in_order(columns: Mapping[str, Column]) -> dict[str, Column]:
    """The standard facets first, the others by name."""
    rank = {name: place for place, name in enumerate(STANDARD_FACETS)}
    names = sorted(columns, key=lambda name: (rank.get(name, len(rank)), name))
    return {name: columns[name] for name in names}


def word(number: float, unit: str) -> str:
    """A number as a category: ``true``, ``256`` or ``2 V``."""
    if unit == FLAG:
        return "true" if number else "false"
    return f"{number:g} {unit}".strip()
