"""A cache of computed values with a bounded size, shared by the threads of a process."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")


class ComputedCache(Generic[Value]):
    """The `size` values used last; each is computed once even when threads ask together."""

    def __init__(self, size: int) -> None:
        self._values: LRUCache[Hashable, Value] = LRUCache(size)
        self._lock = Lock()
        self._computing: dict[Hashable, Lock] = {}

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of `key`, computed where it is not cached."""
        with self._lock:
            if key in self._values:
                return self._values[key]
            computing = self._computing.setdefault(key, Lock())
        with computing:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            try:
                value = compute()
            finally:
                with self._lock:
                    self._computing.pop(key, None)
            with self._lock:
                self._values[key] = value
            return value
