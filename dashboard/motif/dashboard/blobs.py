"""Bytes the browser will ask for in a moment: masks and colours, named by their content."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from motif.core.records import content_id

LIMIT = 256 * 1024 * 1024


class Blobs:
    """A content-addressed store in memory that forgets what was used longest ago."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def put(self, data: bytes) -> str:
        """Hold `data` and return its key."""
        key = content_id(data)
        with self._lock:
            if key not in self._held:
                self._held[key] = data
                self._size += len(data)
            self._held.move_to_end(key)
            while self._size > self._limit and len(self._held) > 1:
                _, dropped = self._held.popitem(last=False)
                self._size -= len(dropped)
        return key

    def get(self, key: str) -> bytes | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)
