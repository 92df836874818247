"""The process in which the HDF5 library reads the files of strangers."""

from __future__ import annotations

from motif.core.units import registry
from motif.ingest.readers.hdf5_conventions import read
from motif.ingest.readers.isolation import serve

if __name__ == "__main__":
    registry()  # so that no file is charged for loading it
    serve(read)
