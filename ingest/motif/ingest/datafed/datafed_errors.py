"""Errors of a DataFed server; each is a `SourceError`."""

from __future__ import annotations

from motif.core.errors import SourceError


class DataFedError(SourceError):
    """The server refused a request or could not be reached.

    Attributes:
        code: the server's ``ErrorCode``, 0 where the server did not answer.
        request: name of the request message, empty where none was sent.
    """

    def __init__(self, message: str, code: int = 0, request: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.request = request


class RefusedError(DataFedError):
    """The server answered a request with a refusal (``NackReply``)."""


class AuthenticationError(DataFedError):
    """The key does not belong to the expected user."""


class LostReplyError(DataFedError):
    """No usable reply arrived; whether the server acted on the request is unknown."""


class ReplyTimeoutError(LostReplyError, TimeoutError):
    """The server did not answer in time."""


class TransferError(DataFedError):
    """A file transfer failed or delivered other bytes than announced.

    Attributes:
        task: id of the transfer's task, empty where none was started.
    """

    def __init__(self, message: str, task: str = "") -> None:
        super().__init__(message)
        self.task = task
