"""Facets of measurements as columns of codes and numbers, and how changed rows are merged in.

Texts are coded as in an Arrow dictionary array: distinct texts in order, and one code per row.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from motif.core.records import ID_LENGTH, STANDARD_FACETS

if TYPE_CHECKING:
    import pyarrow as pa

Codes: TypeAlias = NDArray[np.int32]
Mask: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.float64]
ColumnKind: TypeAlias = Literal["category", "flag", "number", "date"]

MISSING = -1
SEPARATOR = "\n"
"""Between the labels of one measurement, none of which contains a line break."""
DATES = frozenset({"acquired_at"})
"""Facets whose text is a time: their columns also have it in seconds."""
FLAG = "bool"
"""Unit of true and false."""
OWN = ("kind", "title", "record")
"""Built-in names stored as columns; ids are stored as such, the collection is the same for all."""


class TextDictionary(Sequence[str]):
    """Distinct texts in the order of their code points, stored as bytes.

    Args:
        blob: (b,) UTF-8 of all texts one after the other.
        offsets: (n + 1,) where each begins.
    """

    def __init__(self, blob: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        self.blob = blob
        self.offsets = offsets

    @classmethod
    def of(cls, texts: Iterable[str]) -> TextDictionary:
        """Dictionary of distinct texts that are in order."""
        encoded = [text.encode() for text in texts]
        return cls._of_lengths(
            np.frombuffer(b"".join(encoded), np.uint8),
            np.fromiter(map(len, encoded), np.int64, len(encoded)),
        )

    @classmethod
    def of_ids(cls, ids: NDArray[np.bytes_]) -> TextDictionary:
        """Dictionary of distinct ids (n,) that are in order."""
        lengths = np.strings.str_len(ids).astype(np.int64)
        width = ids.dtype.itemsize
        cells = np.ascontiguousarray(ids).view(np.uint8).reshape(len(ids), width)
        return cls._of_lengths(cells[np.arange(width) < lengths[:, None]], lengths)

    @classmethod
    def _of_lengths(cls, blob: NDArray[np.uint8], lengths: NDArray[np.int64]) -> TextDictionary:
        return cls(blob, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return self.texts[index]
        return self._bytes(range(len(self))[index]).decode()

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All texts, decoded."""
        blob, ends = self.blob.tobytes(), self.offsets.tolist()
        return tuple(blob[start:end].decode() for start, end in pairwise(ends))

    def below(self, text: str) -> int:
        """Number of entries before `text`."""
        return bisect_left(range(len(self)), text.encode(), key=self._bytes)

    def up_to(self, text: str) -> int:
        """Number of entries before `text` or equal to it."""
        return bisect_right(range(len(self)), text.encode(), key=self._bytes)

    def merged(self, other: TextDictionary) -> tuple[TextDictionary, Codes, Codes]:
        """Dictionary of both, and the new code of each entry of this and of the other one."""
        if not len(self):
            return other, np.zeros(0, np.int32), np.arange(len(other), dtype=np.int32)
        encoded = [other._bytes(code) for code in range(len(other))]
        positions = np.array(
            [bisect_left(range(len(self)), text, key=self._bytes) for text in encoded], np.int64
        )
        known = np.array(
            [position < len(self) and self._bytes(position) == text
             for position, text in zip(positions.tolist(), encoded, strict=True)], np.bool_
        )  # fmt: skip
        insertions = positions[~known]
        own_codes = np.arange(len(self)) + np.searchsorted(
            insertions, np.arange(len(self)), side="right"
        )
        other_codes = np.empty(len(other), np.int64)
        other_codes[known] = own_codes[positions[known]]
        other_codes[~known] = insertions + np.arange(len(insertions))
        added = [text for text, is_known in zip(encoded, known, strict=True) if not is_known]
        both = self._with(insertions, added)
        return both, own_codes.astype(np.int32), other_codes.astype(np.int32)

    def reduced(self, used: Mask) -> tuple[TextDictionary, Codes]:
        """Dictionary of the used entries (n,), and the new code of each of them."""
        lengths = np.diff(self.offsets)
        texts = TextDictionary._of_lengths(self.blob[np.repeat(used, lengths)], lengths[used])
        return texts, (np.cumsum(used) - 1).astype(np.int32)

    def to_arrow(self) -> pa.Array:
        """The texts as an Arrow string array that shares their bytes."""
        import pyarrow as pa

        offsets, blob = (np.ascontiguousarray(each) for each in (self.offsets, self.blob))
        return pa.LargeStringArray.from_buffers(
            len(self), pa.py_buffer(offsets), pa.py_buffer(blob)
        )

    def _with(self, positions: NDArray[np.int64], added: Sequence[bytes]) -> TextDictionary:
        starts = self.offsets[positions].tolist()
        blobs, last = [], 0
        for start, text in zip(starts, added, strict=True):
            blobs += [self.blob[last:start], np.frombuffer(text, np.uint8)]
            last = start
        blobs.append(self.blob[last:])
        lengths = np.insert(np.diff(self.offsets), positions, [len(text) for text in added])
        return TextDictionary._of_lengths(np.concatenate(blobs), lengths)

    def _bytes(self, index: int) -> bytes:
        return self.blob[self.offsets[index] : self.offsets[index + 1]].tobytes()


@dataclass(frozen=True)
class FacetColumn:
    """One facet of n measurements, each of which has a text, a number or no value.

    Attributes:
        codes: (n,) index of the text in `labels`, -1 where there is none.
        labels: distinct texts in order, so that codes compare as the texts do.
        numbers: SI unit ("bool" for flags) -> (n,) numbers in it, NaN where there is none.
        seconds: (n,) seconds since 1970 of a facet of dates, NaN where there is none.
        groups: (g, l) which labels each group has, where a measurement may have several:
            `codes` are then indices of groups.
    """

    codes: Codes | None = None
    labels: TextDictionary = field(default_factory=lambda: TextDictionary.of(()))
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
        by_unit = list(self.numbers.values())
        if not by_unit:
            return np.full(0 if self.codes is None else len(self.codes), np.nan)
        values = by_unit[0]
        for numbers in by_unit[1:]:
            values = np.where(np.isnan(values), numbers, values)
        return values

    @property
    def known(self) -> Mask:
        """(n,) where there is any value."""
        masks = [] if self.codes is None else [self.codes >= 0]
        masks += [~np.isnan(numbers) for numbers in self.numbers.values()]
        known: Mask = np.logical_or.reduce(masks)
        return known

    def counts(self, mask: Mask | None = None) -> dict[str, int]:
        """Value as text -> number of measurements within the mask, the most frequent first."""
        texts, codes = (self.labels, self.codes) if self.groups is not None else self.categories
        assert codes is not None
        chosen = codes if mask is None else codes[mask]
        size = len(texts) if self.groups is None else len(self.groups)
        numbers = np.bincount(chosen + 1, minlength=size + 1)[1:]
        if self.groups is not None:
            numbers = numbers @ self.groups
        order = np.argsort(-numbers, kind="stable")[: int((numbers > 0).sum())]
        return {texts[code]: int(numbers[code]) for code in order.tolist()}

    @cached_property
    def grouped(self) -> FacetColumn:
        """The same column with several labels per measurement, split at line breaks."""
        split = [text.split(SEPARATOR) for text in self.labels]
        labels = TextDictionary.of(sorted({label for group in split for label in group}))
        groups = np.array([[label in group for label in labels] for group in split], np.bool_)
        return FacetColumn(self.codes, labels, groups=groups)

    @cached_property
    def categories(self) -> tuple[Sequence[str], Codes]:
        """Distinct values as texts in order, and the index of each measurement's value (n,)."""
        if self.codes is not None and not self.numbers:
            return self.labels, self.codes
        spelled: list[tuple[str, Mask]] = []
        for unit, numbers in self.numbers.items():
            known = numbers[~np.isnan(numbers)]
            spelled += [
                (number_text(value, unit), numbers == value) for value in np.unique(known).tolist()
            ]
        labels = [] if self.codes is None else list(self.labels)
        texts = sorted({*labels, *(text for text, _ in spelled)})
        code_of = {text: code for code, text in enumerate(texts)}
        if self.codes is None:
            codes = np.full(len(self.values), MISSING, np.int32)
        else:
            codes = recoded(self.codes, np.array([code_of[text] for text in labels], np.int32))
        for text, chosen in spelled:
            codes[chosen] = code_of[text]
        return texts, codes

    def to_arrow(self) -> pa.Array:
        """The column as an Arrow array (n,) with nulls where there is no value.

        Numbers and dates become float64 (SI units, seconds since 1970), flags boolean, labels
        lists of dictionary-coded strings, everything else dictionary-coded strings.
        """
        import pyarrow as pa

        if self.kind == "number" or self.kind == "date":
            return pa.array(self.values, mask=np.isnan(self.values))
        if self.kind == "flag" and self.unit == FLAG:
            return pa.array(self.values == 1, mask=np.isnan(self.values))
        if self.groups is not None and self.codes is not None:
            has_label = np.vstack([self.groups, np.zeros(len(self.labels), np.bool_)])[self.codes]
            ends = np.concatenate([[0], np.cumsum(has_label.sum(axis=1))]).astype(np.int32)
            indices = np.nonzero(has_label)[1].astype(np.int32)
            coded = pa.DictionaryArray.from_arrays(pa.array(indices), self.labels.to_arrow())
            return pa.ListArray.from_arrays(pa.array(ends), coded)
        texts, codes = self.categories
        dictionary = texts.to_arrow() if isinstance(texts, TextDictionary) else pa.array(texts)
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), dictionary)


@dataclass(frozen=True)
class ColumnTable:
    """Live measurements of one collection with their facets.

    Attributes:
        ids: (n,) ids in order.
        own: columns of kind, title and record.
        facets: columns by name.
    """

    ids: NDArray[np.bytes_]
    own: Mapping[str, FacetColumn]
    facets: Mapping[str, FacetColumn]

    @classmethod
    def empty(cls) -> ColumnTable:
        """A table of no measurements."""
        none = FacetColumn(np.zeros(0, np.int32))
        return cls(np.zeros(0, f"S{ID_LENGTH}"), dict.fromkeys(OWN, none), {})

    def rows_of(self, ids: NDArray[np.bytes_]) -> NDArray[np.intp]:
        """Rows of those of the ids that are in the table."""
        if not len(self.ids):
            return np.zeros(0, np.intp)
        positions = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        rows: NDArray[np.intp] = positions[self.ids[positions] == ids]
        return rows

    def updated(self, removed: NDArray[np.bytes_], added: ColumnTable) -> ColumnTable:
        """This table without the rows with the ids `removed`, with the rows of another."""
        keep = np.ones(len(self.ids), np.bool_)
        keep[self.rows_of(removed)] = False
        at = np.searchsorted(self.ids[keep], added.ids)
        splice = _Splice(keep, at)
        none = FacetColumn()
        own = {name: splice.column(self.own[name], added.own[name]) for name in OWN}
        if not keep.any() and not len(at):
            own = dict(ColumnTable.empty().own)
        facets = {}
        for name in {*self.facets, *added.facets}:
            column = splice.column(self.facets.get(name, none), added.facets.get(name, none))
            if column.codes is not None or column.numbers:
                facets[name] = column
        return ColumnTable(np.insert(self.ids[keep], at, added.ids), own, in_order(facets))


@dataclass(frozen=True)
class _Splice:
    """Drops rows of one table and inserts those of another in order of id."""

    keep: Mask
    at: NDArray[np.intp]

    def column(self, old: FacetColumn, new: FacetColumn) -> FacetColumn:
        codes, labels = self._texts(old, new)
        numbers = {}
        for unit in sorted({*old.numbers, *new.numbers}):
            joined = self._joined(old.numbers.get(unit), new.numbers.get(unit), np.nan)
            if not np.isnan(joined).all():
                numbers[unit] = joined
        seconds = None
        if old.seconds is not None or new.seconds is not None:
            seconds = self._joined(old.seconds, new.seconds, np.nan)
        return FacetColumn(codes, labels, numbers, None if codes is None else seconds)

    def _texts(self, old: FacetColumn, new: FacetColumn) -> tuple[Codes | None, TextDictionary]:
        if old.codes is None and new.codes is None:
            return None, TextDictionary.of(())
        labels, old_codes, new_codes = old.labels.merged(new.labels)
        first = None if old.codes is None else recoded(old.codes, old_codes)
        second = None if new.codes is None else recoded(new.codes, new_codes)
        codes = self._joined(first, second, MISSING).astype(np.int32)
        used = np.bincount(codes + 1, minlength=len(labels) + 1)[1:] > 0
        if not used.all():
            labels, renumbered = labels.reduced(used)
            codes = recoded(codes, renumbered)
        return (codes if len(labels) else None), labels

    def _joined(self, old: Any, new: Any, missing: float) -> NDArray[Any]:
        kept = np.full(int(self.keep.sum()), missing) if old is None else old[self.keep]
        return np.insert(kept, self.at, missing if new is None else new)


def recoded(codes: Codes, new_codes: Codes) -> Codes:
    """Codes (n,) with each replaced by its new code; missing ones stay missing."""
    return np.append(new_codes, np.int32(MISSING))[codes]


def in_order(columns: Mapping[str, FacetColumn]) -> dict[str, FacetColumn]:
    """The standard facets first, the others by name."""
    rank = {name: position for position, name in enumerate(STANDARD_FACETS)}
    names = sorted(columns, key=lambda name: (rank.get(name, len(rank)), name))
    return {name: columns[name] for name in names}


def number_text(number: float, unit: str) -> str:
    """A number as a category: ``true``, ``256`` or ``2 V``."""
    if unit == FLAG:
        return "true" if number else "false"
    return f"{number:g} {unit}".strip()
