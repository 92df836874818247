"""HDF5 files of microscopes (.h5, .hdf5, .nxs): USID, NSID and NeXus."""

from __future__ import annotations

from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.hdf5_file import is_hdf5, objects, opened
from motif.ingest.readers.hdf5_nexus import read_nexus
from motif.ingest.readers.hdf5_nsid import read_nsid
from motif.ingest.readers.hdf5_usid import read_usid
from motif.ingest.readers.spm_image import misnamed

SUFFIXES = (".h5", ".hdf5", ".hf5", ".nxs", ".nx")
CONVENTIONS = (read_usid, read_nsid, read_nexus)


class Hdf5:
    """Reads images and spectra stored by one of three conventions, told apart by content.

    USID (Somnath et al., arXiv:1903.09515): two-dimensional tables with positions and
    spectroscopic values beside; NSID: arrays with dimension scales; NeXus: ``NXdata`` groups.
    """

    name = "hdf5"
    version = 1

    def recognises(self, head: bytes, name: str) -> bool:
        """A superblock at the beginning."""
        return is_hdf5(head)

    def __call__(self, path: Path) -> Reading:
        """Read what the first convention that applies tells."""
        with opened(path) as file:
            found = objects(file)
            for convention in CONVENTIONS:
                reading = convention(path, file, found)
                if reading is not None:
                    notes = [*reading.notes, *misnamed(path, "an HDF5 file", *SUFFIXES)]
                    return Reading(reading.measurements, reading.header, notes)
            names = [str(one.name) for one in found if hasattr(one, "dtype")]
        held = f"{len(names)} datasets such as {names[0]}" if names else "no dataset"
        raise UnreadableFileError(
            f"{path.name} is an HDF5 file with {held} that follows none of USID, NSID and NeXus, "
            "so what its numbers mean is not told; export it by one of these conventions"
        )
