"""Distinct texts of a column in order, kept as bytes so that a million of them open at once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]


class Labels(Sequence[str]):
    """Texts in the order of their code points, without repetition.

    Args:
        blob: (b,) UTF-8 of all texts one after the other.
        offsets: (n + 1,) where each begins.
    """

    def __init__(self, blob: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        self.blob = blob
        self.offsets = offsets

    @classmethod
    def of(cls, texts: Iterable[str]) -> Labels:
        """Labels of distinct texts that are in order."""
        pieces = [text.encode() for text in texts]
        return cls._of_lengths(
            np.frombuffer(b"".join(pieces), np.uint8),
            np.fromiter(map(len, pieces), np.int64, len(pieces)),
        )

    @classmethod
    def of_ids(cls, ids: NDArray[np.bytes_]) -> Labels:
        """Labels of distinct ids (n,) that are in order."""
        lengths = np.strings.str_len(ids).astype(np.int64)
        width = ids.dtype.itemsize
        cells = np.ascontiguousarray(ids).view(np.uint8).reshape(len(ids), width)
        return cls._of_lengths(cells[np.arange(width) < lengths[:, None]], lengths)

    @classmethod
    def _of_lengths(cls, blob: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Labels:
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
        """All of them as text."""
        blob, ends = self.blob.tobytes(), self.offsets.tolist()
        return tuple(blob[start:end].decode() for start, end in pairwise(ends))

    def below(self, text: str) -> int:
        """How many labels come before `text`."""
        return bisect_left(range(len(self)), text.encode(), key=self._bytes)

    def up_to(self, text: str) -> int:
        """How many labels come before `text` or are it."""
        return bisect_right(range(len(self)), text.encode(), key=self._bytes)

    def merged(self, other: Labels) -> tuple[Labels, Codes, Codes]:
        """The labels of both, and the new code of each label of this and of the other."""
        if not len(self):
            return other, np.zeros(0, np.int32), np.arange(len(other), dtype=np.int32)
        pieces = [other._bytes(code) for code in range(len(other))]
        places = np.array(
            [bisect_left(range(len(self)), one, key=self._bytes) for one in pieces], np.int64
        )
        known = np.array(
            [place < len(self) and self._bytes(place) == one
             for place, one in zip(places.tolist(), pieces, strict=True)], np.bool_
        )  # fmt: skip
        new = places[~known]
        mine = np.arange(len(self)) + np.searchsorted(new, np.arange(len(self)), side="right")
        theirs = np.empty(len(other), np.int64)
        theirs[known] = mine[places[known]]
        theirs[~known] = new + np.arange(len(new))
        added = [piece for piece, old in zip(pieces, known, strict=True) if not old]
        both = self._with(new, added)
        return both, mine.astype(np.int32), theirs.astype(np.int32)

    def kept(self, used: NDArray[np.bool_]) -> tuple[Labels, Codes]:
        """The labels in use, and the new code of each old one (meaningless for the others)."""
        lengths = np.diff(self.offsets)
        labels = Labels._of_lengths(self.blob[np.repeat(used, lengths)], lengths[used])
        return labels, (np.cumsum(used) - 1).astype(np.int32)

    def _with(self, places: NDArray[np.int64], pieces: Sequence[bytes]) -> Labels:
        starts = self.offsets[places].tolist()
        blobs, last = [], 0
        for start, piece in zip(starts, pieces, strict=True):
            blobs += [self.blob[last:start], np.frombuffer(piece, np.uint8)]
            last = start
        blobs.append(self.blob[last:])
        lengths = np.insert(np.diff(self.offsets), places, [len(piece) for piece in pieces])
        return Labels._of_lengths(np.concatenate(blobs), lengths)

    def _bytes(self, index: int) -> bytes:
        return self.blob[self.offsets[index] : self.offsets[index + 1]].tobytes()
