"""The client protocol as the installed ``datafed`` package defines it.

Message types are read from the ``Envelope`` descriptor at run time: the number that travels in a
frame is the field number of the message in the envelope's ``payload``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datafed import VERSION
from datafed import envelope_pb2 as pb
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from motif.core.errors import ConfigError

__all__ = [
    "API_MAJOR",
    "BY_NUMBER",
    "MESSAGES",
    "VERSION",
    "Message",
    "MessageType",
    "UndecodableError",
    "decode",
    "encode",
    "pb",
    "require_protocol",
]

API_MAJOR = 3
"""The only wire format this server speaks."""

Message = Any
"""A protobuf message of the envelope (generated classes carry no types)."""


@dataclass(frozen=True, slots=True)
class MessageType:
    """One message of the envelope."""

    name: str
    number: int
    field: str


MESSAGES: dict[str, MessageType] = {
    field.message_type.name: MessageType(field.message_type.name, field.number, field.name)
    for field in pb.Envelope.DESCRIPTOR.fields
    if field.message_type is not None
}
BY_NUMBER: dict[int, MessageType] = {message.number: message for message in MESSAGES.values()}


def require_protocol() -> None:
    """Refuse to work with a client package of another protocol.

    Raises:
        ConfigError: the installed ``datafed`` speaks another API major than 3.
    """
    major = VERSION.DATAFED_COMMON_PROTOCOL_API_MAJOR
    if major != API_MAJOR:
        raise ConfigError(
            f"The sandbox speaks DataFed API {API_MAJOR}, but datafed {VERSION.__version__} "
            f"speaks API {major}: install 'datafed>=5.1,<6'."
        )


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def encode(message: Message) -> tuple[int, bytes]:
    """Serialize `message` inside an envelope; give its type number and the bytes.

    The envelope is one length-delimited field, so it is written around the message instead of
    copying a reply of possibly many megabytes into it.
    """
    number = MESSAGES[message.DESCRIPTOR.name].number
    body: bytes = message.SerializeToString()
    return number, _varint(number << 3 | 2) + _varint(len(body)) + body


class UndecodableError(ValueError):
    """The body of a request cannot be read as the message its frame announces."""


def decode(number: int, body: bytes) -> Message:
    """Give the message of type `number` that `body` holds.

    Raises:
        UndecodableError: the bytes are not an envelope, or hold another message than announced.
    """
    kind = BY_NUMBER.get(number)
    if kind is None:
        raise UndecodableError(f"Unknown message type {number}.")
    envelope = pb.Envelope()
    if not body:
        return getattr(envelope, kind.field)
    try:
        envelope.ParseFromString(body)
    except DecodeError as error:
        raise UndecodableError(f"Message body of {kind.name} cannot be parsed.") from error
    field = envelope.WhichOneof("payload")
    if field != kind.field:
        raise UndecodableError(
            f"Frame announces {kind.name} but the body holds {field or 'nothing'}."
        )
    return getattr(envelope, field)


_NO_TOKENS = "There is no Globus here: transfers need no access token."
_NO_REPOSITORY_SERVER = "Between core and repository servers; here both are one."
REFUSED: dict[str, str] = {
    "UserSetAccessTokenRequest": _NO_TOKENS,
    "UserGetAccessTokenRequest": _NO_TOKENS,
    "UserCreateRequest": "Users are added with `motif sandbox user`.",
    "UserFindByUUIDsRequest": "Users have no Globus identities here.",
    "RecordAllocChangeRequest": "Only the web application moves records between repositories.",
    "RecordOwnerChangeRequest": "Only the web application moves records between owners.",
    "CollListPublishedRequest": "Only the web application browses the catalog.",
    "ProjectSearchRequest": "Only the web application searches projects.",
    "RepoDataDeleteRequest": _NO_REPOSITORY_SERVER,
    "RepoDataGetSizeRequest": _NO_REPOSITORY_SERVER,
    "RepoPathCreateRequest": _NO_REPOSITORY_SERVER,
    "RepoPathDeleteRequest": _NO_REPOSITORY_SERVER,
    "RepoCalcSizeRequest": "Only the web application shows these sums.",
    "RepoAuthzRequest": "Only the Globus server of a repository asks this.",
    "TopicListTopicsRequest": "Only the web application browses the catalog.",
    "TopicViewRequest": "Only the web application browses the catalog.",
    "TopicSearchRequest": "Only the web application browses the catalog.",
}
"""Request messages that are refused, and why; the client package sends none of them."""


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
