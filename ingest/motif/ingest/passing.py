"""Folders for files that only pass through; what a killed process left is removed."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


@contextmanager
def passing_folder(cache: Path, what: str) -> Iterator[Path]:
    """A folder in the cache that is named after its process and goes with it.

    Args:
        cache: the workspace's own, which a transfer endpoint may reach.
        what: first word of its name: ``fetch``, ``upload``, ``publish``.
    """
    here = f"{what}-{socket.gethostname()}-"
    # All of the name is compared: other machines may be called as this one is, and a number more.
    own = re.compile(rf"{re.escape(here)}(\d+)-[^-]+")
    for left in cache.iterdir():
        named = own.fullmatch(left.name)
        if named and not psutil.pid_exists(int(named[1])):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{here}{os.getpid()}-", dir=cache, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)
