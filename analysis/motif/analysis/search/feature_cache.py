"""Feature rows of one method on disk: a cache that grows, right whenever a process is killed.

Three files only ever grow: ids, vectors, and which source (a result of the ledger, a measurement)
brought rows up to where. ``state.json`` says how much of them counts and is replaced in one step
after the bytes lie on disk; whatever a killed process wrote beyond is written over. Readers map
the files and see the same rows for as long as they look.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from motif.core.records import ID_LENGTH

Vectors: TypeAlias = NDArray[np.float32]
Ids: TypeAlias = NDArray[np.bytes_]
Load: TypeAlias = Callable[[Sequence[str]], Iterable[tuple[Ids, Vectors]]]

SOURCE = np.dtype([("id", f"S{ID_LENGTH}"), ("end", "<i8")])
BATCH = 256
"""Sources loaded between two updates of the state."""


@dataclass(frozen=True)
class State:
    """How much of the files of a generation counts."""

    generation: int = 0
    dimension: int = 0
    sources: int = 0
    rows: int = 0


class FeatureCache:
    """Rows (id, vector) of one folder. Processes may read and extend it together.

    Args:
        folder: where they lie.
        length: of an id.
    """

    def __init__(self, folder: Path, length: int = ID_LENGTH) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._id = np.dtype(f"S{length}")
        self._lock = FileLock(folder / ".lock")

    def rows(
        self, sources: Sequence[str], load: Load, dimension: int, *, ordered: bool = True
    ) -> tuple[Ids, Vectors]:
        """Ids (n,) and vectors (n, d) that `sources` bring.

        Args:
            sources: ids; those kept already are not loaded again.
            load: brings the rows of each source; those that are not finite are left out, and
                of an id that comes twice the first counts.
            dimension: of the vectors.
            ordered: rows come in the order of `sources`, and no others; else in the order in
                which they were first asked for, with all others that ever were.
        """
        try:
            kept = self._kept(sources, dimension, ordered)
        except FileNotFoundError:  # between two looks another process began a new generation
            kept = None
        if kept is None:
            with self._lock:
                self._extend(sources, load, dimension, ordered)
                kept = self._kept(sources, dimension, ordered)
        if kept is None:
            raise RuntimeError(f"{self._folder} changed while it was locked")
        return kept

    def _kept(
        self, sources: Sequence[str], dimension: int, ordered: bool
    ) -> tuple[Ids, Vectors] | None:
        """The rows of `sources` where all are here."""
        state = self._state()
        known = self._sources(state)
        if state.dimension != dimension:
            return None
        if ordered:
            known = known[: len(sources)]
        if not (_same(known, sources) if ordered else _missing(known, sources) == []):
            return None
        rows = int(known["end"][-1]) if len(known) else 0
        if not rows:
            return np.empty(0, self._id), np.empty((0, dimension), np.float32)
        ids = np.fromfile(self._path("ids", state), self._id, rows)
        vectors = np.memmap(self._path("vectors", state), np.float32, "r", shape=(rows, dimension))
        return ids, vectors

    def _extend(self, sources: Sequence[str], load: Load, dimension: int, ordered: bool) -> None:
        state = self._state()
        known = self._sources(state)
        fits = state.dimension == dimension
        if ordered:
            fits = fits and _same(known, sources[: len(known)])
        if not fits:
            state = State(state.generation + 1, dimension)
            known = known[:0]
        fresh = sources[len(known) :] if ordered else _missing(known, sources)
        seen = set(
            np.fromfile(self._path("ids", state), self._id, state.rows).tolist() if fits else ()
        )
        for start in range(0, len(fresh), BATCH):
            part = fresh[start : start + BATCH]
            ids, vectors, ends = _gathered(load(part), seen, state.rows, dimension, self._id)
            self._write("ids", state, state.rows * self._id.itemsize, ids.tobytes())
            self._write("vectors", state, state.rows * 4 * dimension, vectors.tobytes())
            places = np.array(
                [(one.encode(), end) for one, end in zip(part, ends, strict=True)], SOURCE
            )
            self._write("sources", state, state.sources * SOURCE.itemsize, places.tobytes())
            state = State(
                state.generation, dimension, state.sources + len(part), state.rows + len(ids)
            )
            self._put(state)
        if not fresh:
            self._put(state)
        self._forget(state)

    def _state(self) -> State:
        try:
            return State(**json.loads((self._folder / "state.json").read_text("utf-8")))
        except FileNotFoundError:
            return State()

    def _put(self, state: State) -> None:
        path = self._folder / "state.new"
        with path.open("w", encoding="utf-8") as stream:
            json.dump(asdict(state), stream)
            stream.flush()
            os.fsync(stream.fileno())
        path.replace(self._folder / "state.json")

    def _sources(self, state: State) -> NDArray[np.void]:
        if not state.sources:
            return np.empty(0, SOURCE)
        return np.fromfile(self._path("sources", state), SOURCE, state.sources)

    def _write(self, name: str, state: State, place: int, content: bytes) -> None:
        path = self._path(name, state)
        path.touch()
        with path.open("r+b") as stream:
            stream.seek(place)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())

    def _path(self, name: str, state: State) -> Path:
        return self._folder / f"{name}-{state.generation}.bin"

    def _forget(self, state: State) -> None:
        """Remove files of earlier generations; who maps them keeps them."""
        for path in self._folder.glob("*-*.bin"):
            if path.stem.rpartition("-")[2] != str(state.generation):
                path.unlink(missing_ok=True)


def _same(known: NDArray[np.void], sources: Sequence[str]) -> bool:
    if len(known) != len(sources):
        return False
    return bool((known["id"] == np.array([one.encode() for one in sources], f"S{ID_LENGTH}")).all())


def _missing(known: NDArray[np.void], sources: Sequence[str]) -> list[str]:
    kept = set(known["id"].tolist())
    return [one for one in sources if one.encode() not in kept]


def _gathered(
    parts: Iterable[tuple[Ids, Vectors]],
    seen: set[bytes],
    rows: int,
    dimension: int,
    id_type: np.dtype[np.bytes_],
) -> tuple[Ids, Vectors, list[int]]:
    """New finite rows of some sources, and how many rows there are after each."""
    ids: list[Ids] = [np.empty(0, id_type)]
    vectors: list[Vectors] = [np.empty((0, dimension), np.float32)]
    ends = []
    for each, found in parts:
        fresh = np.fromiter(_fresh(each, found, seen), bool, len(each))
        ids.append(each[fresh])
        vectors.append(np.asarray(found[fresh], np.float32))
        rows += int(fresh.sum())
        ends.append(rows)
    return np.concatenate(ids), np.concatenate(vectors), ends


def _fresh(ids: Ids, vectors: Vectors, seen: set[bytes]) -> Iterator[bool]:
    finite = np.asarray(np.isfinite(vectors).all(axis=1))
    for one, good in zip(ids.tolist(), finite.tolist(), strict=True):
        yield good and one not in seen
        if good:
            seen.add(one)
