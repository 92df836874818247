"""Which convention an HDF5 file follows, by its content."""

from __future__ import annotations

from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.hdf5_file import objects, opened
from motif.ingest.readers.hdf5_nexus import read_nexus
from motif.ingest.readers.hdf5_nsid import read_nsid
from motif.ingest.readers.hdf5_usid import read_usid

CONVENTIONS = (read_usid, read_nsid, read_nexus)


def read(path: Path) -> Reading:
    """Read a file by the first convention that applies.

    Raises:
        UnreadableFileError: none does, or the file is damaged.
    """
    with opened(path) as file:
        found = objects(file)
        for convention in CONVENTIONS:
            reading = convention(path, file, found)
            if reading is not None:
                return reading
        names = [str(one.name) for one in found if hasattr(one, "dtype")]
    held = f"{len(names)} datasets such as {names[0]}" if names else "no dataset"
    raise UnreadableFileError(
        f"{path.name} is an HDF5 file with {held} that follows none of USID, NSID and NeXus, "
        "so what its numbers mean is not told; export it by one of these conventions"
    )
