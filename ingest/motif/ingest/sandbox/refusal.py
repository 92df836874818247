"""Refusals: what the server answers instead of doing what was asked."""

from __future__ import annotations

from motif.ingest.sandbox.protocol import pb


class Refused(Exception):  # noqa: N818 - an answer to the client, not a fault of the server
    """A request is refused; the client receives a ``NackReply``.

    Attributes:
        code: value of the protocol's ``ErrorCode``.
    """

    def __init__(self, message: str, code: int = pb.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code


def denied(message: str = "Permission Denied") -> Refused:
    """The client lacks a permission."""
    return Refused(message)


def missing(message: str) -> Refused:
    """Something named in the request does not exist."""
    return Refused(message)


def nack_text(error: Refused) -> str:
    """Text sent to the client.

    The real service appends the place in its database layer, so a caller that compares texts for
    equality fails there; the same tail makes it fail here too.
    """
    return f"{error} (source: dbPost:236 code:{error.code})"
