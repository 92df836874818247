"""HDF5 files of microscopes (.h5, .hdf5, .nxs): USID, NSID and NeXus.

Run as a module, it is the process in which the HDF5 library reads untrusted files.
"""

from __future__ import annotations

from pathlib import Path

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.core.units import registry
from motif.ingest.readers.hdf5.hdf5_file import objects, opened
from motif.ingest.readers.hdf5.hdf5_usid import read_usid
from motif.ingest.readers.hdf5.nexus_nsid import read_nexus, read_nsid
from motif.ingest.readers.isolation import ReaderProcess, serve
from motif.ingest.readers.kit import suffix_warnings

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUFFIXES = (".h5", ".hdf5", ".hf5", ".nxs", ".nx")
_PROCESS = ReaderProcess("motif.ingest.readers.hdf5.reader")


class Hdf5:
    """Reads images and spectra stored by one of three conventions, distinguished by content.

    USID (Somnath et al., arXiv:1903.09515): two-dimensional tables with positions and
    spectroscopic values; NSID: arrays with dimension scales; NeXus: ``NXdata`` groups.

    The HDF5 library never returns from some damaged files and crashes on others, so it runs in a
    process of its own, which is kept for the next file.
    """

    name = "hdf5"
    version = 3
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """A superblock at the beginning, with addresses of 8 bytes as all have in practice."""
        size_offset = {0: 13, 1: 13, 2: 9, 3: 9}.get(head[8] if len(head) > 8 else 255, 0)
        return (
            head.startswith(SIGNATURE)
            and size_offset > 0
            and head[size_offset : size_offset + 2] == b"\x08\x08"
        )

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file by the first convention that applies."""
        reading = _PROCESS.read(path)
        warnings = [*reading.warnings, *suffix_warnings(path, "an HDF5 file", *SUFFIXES)]
        return Reading(reading.measurements, reading.header, warnings)


CONVENTIONS = (read_usid, read_nsid, read_nexus)


def read(path: Path) -> Reading:
    """Read a file by the first convention that applies.

    Raises:
        UnreadableFileError: none does, or the file is damaged.
    """
    with opened(path) as file:
        items = objects(file)
        for convention in CONVENTIONS:
            reading = convention(path, file, items)
            if reading is not None:
                return reading
        names = [str(item.name) for item in items if hasattr(item, "dtype")]
    content = f"{len(names)} datasets such as {names[0]}" if names else "no dataset"
    raise UnreadableFileError(
        f"{path.name} is an HDF5 file with {content} that follows none of USID, NSID and NeXus, "
        "so the meaning of its numbers is unknown; export it by one of these conventions"
    )


if __name__ == "__main__":
    registry()  # loaded once: no file is charged for it
    serve(read)
