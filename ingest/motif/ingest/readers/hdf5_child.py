"""The process in which the HDF5 library reads the files of strangers."""

from __future__ import annotations

from motif.ingest.readers.hdf5_conventions import read
from motif.ingest.readers.isolation import serve

if __name__ == "__main__":
    serve(read)
