"""Opens untrusted HDF5 files: no link leads out of the file, sizes are checked first."""

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
from motif.ingest.readers.kit import MAX_UNPACKED, check_announced, decode_text

MAX_DEPTH = 12
MAX_OBJECTS = 20_000
"""Objects and attributes that are read."""
PACKING_RATIO = 1100
"""No filter of HDF5 packs more bytes into one (deflate: 1032)."""


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file, open for reading; any error of the library is an `UnreadableFileError`.

    Raises:
        UnreadableFileError: the file is damaged.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except UnreadableFileError:
        raise
    except Exception as error:  # h5py raises nearly any exception on damaged files
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UnreadableFileError(
            f"{path.name} is a damaged HDF5 file ({reason}); fetch or copy it again"
        ) from error


def objects(file: h5py.File) -> list[h5py.Group | h5py.Dataset]:
    """Groups and datasets inside the file, parents first; links to other files are skipped."""
    items: list[h5py.Group | h5py.Dataset] = []
    seen: set[int] = set()
    queue: deque[tuple[h5py.Group, int]] = deque([(file, 0)])
    while queue:
        group, depth = queue.popleft()
        items.append(group)
        names = list(group) if depth < MAX_DEPTH else []
        for name in names:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            child = group[name]
            address = h5py.h5o.get_info(child.id).addr
            if address in seen or len(seen) > MAX_OBJECTS:
                continue
            seen.add(address)
            if isinstance(child, h5py.Group):
                queue.append((child, depth + 1))
            elif isinstance(child, h5py.Dataset):
                items.append(child)
    return items


def values(path: Path, dataset: h5py.Dataset) -> NDArray[Any]:
    """All numbers of a dataset, if the file can contain them.

    Raises:
        UnreadableFileError: it announces more than the file has, is stored elsewhere, or has no
            real numbers.
    """
    name = dataset.name
    if dataset.dtype.kind not in "fiub" or dataset.shape is None:
        raise UnreadableFileError(f"{name} in {path.name} has no real numbers")
    if dataset.external or dataset.is_virtual:
        raise UnreadableFileError(
            f"the numbers of {name} are stored in other files than {path.name}; put them into one "
            "file"
        )
    size = path.stat().st_size
    available = min(MAX_UNPACKED, PACKING_RATIO * size) if dataset.chunks else size
    shape = " x ".join(map(str, dataset.shape)) or "1"
    check_announced(
        path, f"{shape} values of {name}", dataset.size * dataset.dtype.itemsize, available
    )
    for chunk_size in dataset.chunks or ():
        check_announced(path, f"chunks of {dataset.chunks} in {name}", chunk_size, MAX_UNPACKED)
    return np.asarray(dataset[()])


def attributes(item: h5py.Group | h5py.Dataset) -> dict[str, str]:
    """Attributes that are text or numbers, as text."""
    texts = {}
    for key in list(item.attrs)[:MAX_OBJECTS]:
        stored = item.attrs.get_id(key)
        if stored.get_storage_size() < 65536 and stored.dtype.kind in "SUOfiub":
            value = item.attrs[key]
            if not isinstance(value, h5py.Reference | h5py.RegionReference | h5py.Empty):
                texts[str(key)] = as_text(value)
    return texts


def as_text(value: Any) -> str:
    """Text of an attribute or a scalar dataset; several values are separated by commas."""
    if isinstance(value, bytes):
        return decode_text(value)
    if isinstance(value, np.ndarray):
        return ", ".join(as_text(item) for item in value.ravel()[:1000].tolist())
    return str(value.item() if isinstance(value, np.generic) else value)


def first_text(group: h5py.Group, *names: str) -> str:
    """The first of some scalar datasets inside a group, as text."""
    for name in names:
        link = group.get(name, getlink=True)
        child = group[name] if isinstance(link, h5py.HardLink) else None
        if isinstance(child, h5py.Dataset) and child.size == 1 and not child.external:
            return as_text(child[()] if child.shape == () else child[:].ravel()[0])
    return ""
