"""Readers: one file a format, each turning a raw file into measurements."""

from motif.ingest.readers.file_recognition import choose, installed

__all__ = ["choose", "installed"]
