"""Contains the exceptions of plugins: a reader's costs one file, a source's ends that source."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from motif.core import plugins
from motif.core.contracts import Changes, Reader, ReaderContext, Source, SyncState
from motif.core.errors import MotifError, SourceError, UnreadableFileError
from motif.core.plugins import PluginError
from motif.core.reading_contract import check_reading
from motif.core.records import Asset, Measurement, Reading
from motif.ingest.sync.scratch import FULL_DISK_CODES

log = logging.getLogger(__name__)


def failure_reason(plugin: str, error: BaseException) -> str:
    """One sentence without full stop: ``reader wsxm failed: KeyError: 'x'; report it to its
    author``.

    Args:
        plugin: what failed, e.g. ``reader wsxm``.
    """
    return f"{plugin} failed: {_cause(error)}; report it to its author"


def log_failure(plugin: str, error: BaseException, subject: str) -> None:
    """Warn of a contained exception, with the line of code that raised it."""
    log.warning("%s: %s failed: %s (%s)", subject, plugin, _cause(error), _last_frame(error))


class ContainedReader:
    """A reader whose exceptions become an `UnreadableFileError` of the file being read.

    A full disk and an interrupt propagate.
    """

    def __init__(self, reader: Reader) -> None:
        self.name = reader.name
        self.version = reader.version
        self.fallback: bool = getattr(reader, "fallback", False)
        self.recognition_failure = ""
        """Why the reader could not decide on the last file it was asked to recognise."""
        self._reader = reader
        self._plugin = f"reader {reader.name}"

    def recognises(self, head: bytes, name: str) -> bool:
        """What the reader decides; False where it fails."""
        self.recognition_failure = ""
        try:
            return bool(self._reader.recognises(head, name))
        except Exception as error:
            log_failure(self._plugin, error, name)
            self.recognition_failure = failure_reason(self._plugin, error)
            return False

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file.

        Raises:
            UnreadableFileError: the reader refuses the file, fails, or returns something invalid.
        """
        try:
            reading = self._reader(path, context)
            _require_reading(reading)
            check_reading(reading, self.name)
        except UnreadableFileError:
            raise
        except Exception as error:
            if _is_disk_full(error):
                raise
            log_failure(self._plugin, error, path.name)
            raise UnreadableFileError(failure_reason(self._plugin, error)) from error
        return reading


def contained_readers() -> list[ContainedReader]:
    """All installed readers, ordered by name."""
    return [ContainedReader(reader) for reader in plugins.readers()]


class ContainedSource:
    """A source whose unexpected exceptions become one `SourceError` that names source and kind.

    An exception that a source yields for one asset concerns that asset alone. A full disk and an
    interrupt propagate.
    """

    def __init__(self, source: Source, name: str, kind: str) -> None:
        self.name = name
        self._source = source
        self._plugin = f'source "{name}" of kind "{kind}"'

    def changes(
        self, known: Mapping[str, SyncState], cursor: str, *, full: bool = False
    ) -> Changes:
        """The source's changes; `changed` raises `SourceError` like the call itself."""
        with contained_source(self._plugin):
            changes = self._source.changes(known, cursor, full=full)
            if not isinstance(changes, Changes):
                raise TypeError(f"changes() returned {type(changes).__name__}, not Changes")
            return replace(
                changes, deleted=list(changes.deleted), changed=self._assets(changes.changed)
            )

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        """Each asset once; those the source does not yield come with an error."""
        requested = {asset.native_id: asset for asset in assets}
        with contained_source(self._plugin):
            for asset, result in self._source.fetch(assets, into):
                if asset.native_id not in requested:
                    raise ValueError(f"fetch() yielded {asset.native_id!r} without need")
                yield requested.pop(asset.native_id), self._result(asset, result)
        for asset in requested.values():
            yield asset, SourceError(f"{self._plugin} did not fetch it")

    def close(self) -> None:
        """Close the source; an exception is logged."""
        try:
            self._source.close()
        except Exception as error:
            log_failure(self._plugin, error, "close")

    def _assets(self, changed: Iterable[Asset]) -> Iterator[Asset]:
        with contained_source(self._plugin):
            for asset in changed:
                if not isinstance(asset, Asset):
                    raise TypeError(f"changes() listed {type(asset).__name__}, not Asset")
                yield asset

    def _result(self, asset: Asset, result: Path | Exception) -> Path | Exception:
        """The result of one asset; an exception that is not expected as a `SourceError`."""
        if isinstance(result, Path | UnreadableFileError):
            return result
        if not isinstance(result, Exception):
            raise TypeError(f"fetch() yielded {type(result).__name__}, not a path or exception")
        if _is_disk_full(result):
            raise result
        if isinstance(result, OSError):
            return result
        if isinstance(result, MotifError):
            return SourceError(str(result))
        log_failure(self._plugin, result, asset.native_id)
        error = SourceError(failure_reason(self._plugin, result))
        error.__cause__ = result
        return error


def open_source(kind: str, name: str, options: Mapping[str, Any], base: Path) -> ContainedSource:
    """The source of a ``motif.toml`` table, contained.

    Raises:
        ConfigError: the table is wrong.
        SourceError: the plugin failed.
    """
    with contained_source(f'source "{name}" of kind "{kind}"'):
        try:
            source = plugins.source(kind, name, options, base)
        except PluginError as error:
            raise SourceError(f'Source "{name}" cannot be used: {error}') from error
        return ContainedSource(source, name, kind)


@contextmanager
def contained_source(plugin: str) -> Iterator[None]:
    """Turn an unexpected exception of a source into a `SourceError`."""
    try:
        yield
    except MotifError:
        raise
    except Exception as error:
        if _is_disk_full(error):
            raise
        log_failure(plugin, error, "sync")
        advice = (
            "check that it can be reached and run motif ingest again"
            if isinstance(error, OSError)
            else "report it to its author"
        )
        sentence = f"{plugin} failed: {_cause(error)}; everything stored before is complete"
        raise SourceError(f"{sentence[0].upper()}{sentence[1:]}: {advice}.") from error


def _require_reading(reading: object) -> None:
    """Raise `TypeError` for anything but a reading of measurements."""
    if not isinstance(reading, Reading):
        raise TypeError(f"it returned {type(reading).__name__}, not a Reading")
    for measurement in reading.measurements:
        if not isinstance(measurement, Measurement):
            raise TypeError(f"it returned {type(measurement).__name__}, not a Measurement")


def _is_disk_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in FULL_DISK_CODES


def _cause(error: BaseException) -> str:
    """Type and first line of an exception."""
    lines = str(error).strip().splitlines()
    name = type(error).__name__
    return f"{name}: {lines[0][:200].rstrip('.;')}" if lines else name


def _last_frame(error: BaseException) -> str:
    """``file.py:12 in parse``: where an exception was raised."""
    trace: TracebackType | None = error.__traceback__
    if trace is None:
        return "no traceback"
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{code.co_filename}:{trace.tb_lineno} in {code.co_name}"
