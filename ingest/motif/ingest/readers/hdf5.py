"""HDF5 files of microscopes (.h5, .hdf5, .nxs): USID, NSID and NeXus."""

from __future__ import annotations

from pathlib import Path

from motif.core.records import Reading
from motif.ingest.readers.isolation import Child
from motif.ingest.readers.naming import misnamed

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUFFIXES = (".h5", ".hdf5", ".hf5", ".nxs", ".nx")
_CHILD = Child("motif.ingest.readers.hdf5_child")


class Hdf5:
    """Reads images and spectra stored by one of three conventions, told apart by content.

    USID (Somnath et al., arXiv:1903.09515): two-dimensional tables with positions and
    spectroscopic values beside; NSID: arrays with dimension scales; NeXus: ``NXdata`` groups.

    The HDF5 library never returns from some damaged files and crashes on others, so it runs in a
    process of its own, which is kept for the next file.
    """

    name = "hdf5"
    version = 2
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """A superblock at the beginning, whose addresses have 8 bytes as all have in practice."""
        at = {0: 13, 1: 13, 2: 9, 3: 9}.get(head[8] if len(head) > 8 else 255, 0)
        return head.startswith(SIGNATURE) and at > 0 and head[at : at + 2] == b"\x08\x08"

    def __call__(self, path: Path) -> Reading:
        """Read what the first convention that applies tells."""
        reading = _CHILD.read(path)
        notes = [*reading.notes, *misnamed(path, "an HDF5 file", *SUFFIXES)]
        return Reading(reading.measurements, reading.header, notes)
