"""Errors a user can act on: one sentence with the values concerned and the next step.

Each class also inherits the built-in a caller would catch.
"""


class MotifError(Exception):
    """Base class of expected errors; the command line prints them as one sentence."""


class ConfigError(MotifError, ValueError):
    """``motif.toml`` or an option is wrong."""


class QueryError(MotifError, ValueError):
    """A query cannot be parsed, or compares values that are not comparable.

    Attributes:
        query: the text as given.
        position: 0-based offset of the offending token in `query`.
    """

    def __init__(self, message: str, query: str = "", position: int = 0) -> None:
        super().__init__(message)
        self.query = query
        self.position = position


class UnreadableFileError(MotifError, ValueError):
    """A file is damaged or of an unknown format; its record is quarantined."""


class NotFoundError(MotifError, LookupError):
    """A workspace, collection, record, measurement or result does not exist."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SourceError(MotifError, ConnectionError):
    """A source cannot be reached, refuses the credentials, or returns invalid answers."""


class UnsuitableDataError(MotifError, ValueError):
    """Readable data that an analysis cannot use (too few samples, constant target, ...)."""
