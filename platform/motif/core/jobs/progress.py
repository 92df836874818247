"""Progress of long work: a bar on a terminal, plain lines elsewhere, always on stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

PLAIN_EVERY = 5.0
"""Seconds between two plain lines."""


class Progress:
    """``with Progress("embedding", total=n) as bar: bar.advance(k)``."""

    def __init__(self, what: str, total: int | None = None, *, quiet: bool = False) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._quiet = quiet
        self._reported = self._started = time.monotonic()
        self._bar = None
        if not quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                TextColumn,
                TimeRemainingColumn,
            )
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                TimeRemainingColumn(), console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()
        if kind is None and self.done:
            self._report(f"{self.what}: {self.done} in {time.monotonic() - self._started:.1f} s")

    def expect(self, total: int) -> None:
        """Set the total once it is known."""
        self.total = total
        if self._bar:
            self._bar.update(self._task, total=total)

    def advance(self, count: int = 1) -> None:
        self.done += count
        if self._bar:
            self._bar.update(self._task, advance=count)
        elif time.monotonic() - self._reported > PLAIN_EVERY:
            self._reported = time.monotonic()
            of = f" of {self.total}" if self.total else ""
            self._report(f"{self.what}: {self.done}{of}")

    def _report(self, line: str) -> None:
        if not self._quiet:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
