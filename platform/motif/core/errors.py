"""Errors a user can act on: one sentence built from the values at hand, with the next step.

Each class also inherits the built-in a caller would catch.
"""


class MotifError(Exception):
    """Anything Motif refuses on purpose; the command line prints it as one sentence."""


class ConfigError(MotifError, ValueError):
    """``motif.toml`` or an option is wrong."""


class QueryError(MotifError, ValueError):
    """A query cannot be understood.

    Attributes:
        query: the text as given.
        position: 0-based offset of the offending token in `query`.
    """

    def __init__(self, message: str, query: str = "", position: int = 0) -> None:
        super().__init__(message)
        self.query = query
        self.position = position


class UnreadableFileError(MotifError, ValueError):
    """A file is known to be bad or of no known format; its record goes to quarantine."""


class NotFoundError(MotifError, LookupError):
    """A workspace, collection, record, measurement or result does not exist."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SourceError(MotifError, ConnectionError):
    """A source cannot be reached, refuses the credentials, or answers nonsense."""


class UnsuitableDataError(MotifError, ValueError):
    """Readable data that an analysis cannot use (too few samples, constant target, ...)."""
