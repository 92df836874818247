"""Framing: multipart messages to requests, replies to multipart messages.

A request is ``[identity, BEGIN_DATAFED, route count, routes..., empty, correlation, key, user,
frame, body]``; the frame holds body size (u32), message type (u16) and context (u16), big-endian.
A reply has the same parts with a compulsory empty part after the identity.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

HEADER = b"BEGIN_DATAFED"
MAX_PARTS = 24
MAX_ROUTES = 8
MAX_CORRELATION = 256
KEY_LENGTH = 40

_FRAME = struct.Struct(">LHH")
_COUNT = struct.Struct("!i")


class MalformedError(ValueError):
    """A multipart message does not follow the framing; it is dropped."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came from the wire."""

    identity: bytes
    correlation: bytes
    key: str
    """Public key the sender claims (z85), not yet compared with the one it proved."""
    number: int
    context: int
    body: bytes


def parse(parts: Sequence[bytes]) -> Request:
    """Read the parts of one multipart message, identity first.

    Raises:
        MalformedError: a part is missing, has the wrong size or content.
    """
    if not 9 <= len(parts) <= MAX_PARTS:
        raise MalformedError(f"{len(parts)} parts")
    identity, *rest = parts
    if rest[0] == b"":
        rest = rest[1:]
    if rest[0] != HEADER:
        raise MalformedError("no header")
    if len(rest[1]) != _COUNT.size:
        raise MalformedError("route count has the wrong size")
    routes = _COUNT.unpack(rest[1])[0]
    if not 0 <= routes <= MAX_ROUTES or len(rest) != routes + 8:
        raise MalformedError(f"{routes} routes in {len(parts)} parts")
    delimiter, correlation, key, _user, frame, body = rest[2 + routes :]
    if delimiter != b"" or len(correlation) > MAX_CORRELATION or len(frame) != _FRAME.size:
        raise MalformedError("delimiter, correlation id or frame has the wrong size")
    size, number, context = _FRAME.unpack(frame)
    if size != len(body):
        raise MalformedError(f"frame announces {size} bytes, body has {len(body)}")
    return Request(identity, _text(correlation).encode(), _key(key), number, context, body)


def reply_parts(request: Request, number: int, body: bytes) -> list[bytes]:
    """Give the parts of the reply to `request`, its context echoed."""
    return [
        request.identity,
        b"",
        HEADER,
        _COUNT.pack(0),
        b"",
        request.correlation,
        request.key.encode(),
        b"no_user",
        _FRAME.pack(len(body), number, request.context),
        body,
    ]


def _text(part: bytes) -> str:
    try:
        return part.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("correlation id is not UTF-8") from error


def _key(part: bytes) -> str:
    """Give the claimed key, or nothing where it cannot be a key."""
    if len(part) != KEY_LENGTH or not part.isascii():
        return ""
    return part.decode()
