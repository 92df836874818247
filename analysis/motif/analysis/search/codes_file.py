"""Bytes of a space on disk, so that a new process need not make them again.

A file holds the bytes of the first rows of a space and a digest of their ids; it counts for every
space that begins with them. It is replaced in one step and may be deleted at any time.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np

from motif.analysis.search.codes import Codes, Vectors
from motif.analysis.search.members import Ids
from motif.core.records import content_id

WORTH = 20_000_000
"""Components from which making bytes takes longer than reading them."""


@dataclass(frozen=True)
class CodesFile:
    """Where the bytes of a space lie under some scales."""

    path: Path
    ids: Ids
    """Of the rows of the space (n,)."""

    def read(self, scales: Vectors | None) -> Codes | None:
        """Bytes of the first rows; None where none are kept that fit."""
        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                state = dict(file)
            codes = Codes.of_state(state, scales)
        except (OSError, ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile):
            return None
        fits = len(codes) <= len(self.ids) and str(state["digest"]) == self._digest(len(codes))
        return codes if fits else None

    def write(self, codes: Codes) -> None:
        """Keep these bytes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{uuid4().hex}.npz")
        state = {"digest": np.array(self._digest(len(codes))), **codes.state()}
        np.savez(draft, allow_pickle=False, **state)
        os.replace(draft, self.path)

    def _digest(self, count: int) -> str:
        return content_id(np.ascontiguousarray(self.ids[:count]).tobytes())
