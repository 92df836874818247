"""Opens HDF5 files of strangers: nothing outside the file is followed, sizes are checked first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.spm_image import LARGEST_PACKED, announced
from motif.ingest.readers.spm_values import decoded

DEEPEST = 12
MOST = 20_000
"""Objects and attributes looked at."""
PACKED = 1100
"""No filter of HDF5's own folds more than this into one byte (deflate: 1032)."""


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file for reading; whatever the library cannot make of it is one error.

    Raises:
        UnreadableFileError: the file is damaged.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except UnreadableFileError:
        raise
    except Exception as error:  # h5py raises nearly every kind there is on damaged files
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UnreadableFileError(
            f"{path.name} is a damaged HDF5 file ({reason}); fetch or copy it again"
        ) from error


def objects(file: h5py.File) -> list[h5py.Group | h5py.Dataset]:
    """Groups and datasets inside the file, parents first; links to elsewhere are passed over."""
    found: list[h5py.Group | h5py.Dataset] = []
    seen: set[int] = set()
    waiting: deque[tuple[h5py.Group, int]] = deque([(file, 0)])
    while waiting:
        group, depth = waiting.popleft()
        found.append(group)
        names = list(group) if depth < DEEPEST else []
        for name in names:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            child = group[name]
            address = h5py.h5o.get_info(child.id).addr
            if address in seen or len(seen) > MOST:
                continue
            seen.add(address)
            if isinstance(child, h5py.Group):
                waiting.append((child, depth + 1))
            elif isinstance(child, h5py.Dataset):
                found.append(child)
    return found


def values(path: Path, dataset: h5py.Dataset) -> NDArray[Any]:
    """All numbers of a dataset, once it is known that the file can hold them.

    Raises:
        UnreadableFileError: it announces more than the file holds, lies elsewhere, or holds no
            real numbers.
    """
    name = dataset.name
    if dataset.dtype.kind not in "fiub" or dataset.shape is None:
        raise UnreadableFileError(f"{name} in {path.name} holds no real numbers")
    if dataset.external or dataset.is_virtual:
        raise UnreadableFileError(
            f"the numbers of {name} lie in other files than {path.name}; put them into one file"
        )
    size = path.stat().st_size
    there = min(LARGEST_PACKED, PACKED * size) if dataset.chunks else size
    shape = " x ".join(map(str, dataset.shape)) or "1"
    announced(path, f"{shape} values of {name}", dataset.size * dataset.dtype.itemsize, there)
    for step in dataset.chunks or ():
        announced(path, f"chunks of {dataset.chunks} in {name}", step, LARGEST_PACKED)
    return np.asarray(dataset[()])


def attributes(item: h5py.Group | h5py.Dataset) -> dict[str, str]:
    """Attributes that are text or numbers, as text."""
    found = {}
    for key in list(item.attrs)[:MOST]:
        kind = item.attrs.get_id(key)
        if kind.get_storage_size() < 65536 and kind.dtype.kind in "SUOfiub":
            value = item.attrs[key]
            if not isinstance(value, h5py.Reference | h5py.RegionReference | h5py.Empty):
                found[str(key)] = as_text(value)
    return found


def as_text(value: Any) -> str:
    """Text of an attribute or a scalar dataset; several values are divided by commas."""
    if isinstance(value, bytes):
        return decoded(value)
    if isinstance(value, np.ndarray):
        return ", ".join(as_text(one) for one in value.ravel()[:1000].tolist())
    return str(value.item() if isinstance(value, np.generic) else value)


def first_text(group: h5py.Group, *names: str) -> str:
    """The first of some scalar datasets inside a group, as text."""
    for name in names:
        link = group.get(name, getlink=True)
        child = group[name] if isinstance(link, h5py.HardLink) else None
        if isinstance(child, h5py.Dataset) and child.size == 1 and not child.external:
            return as_text(child[()] if child.shape == () else child[:].ravel()[0])
    return ""
