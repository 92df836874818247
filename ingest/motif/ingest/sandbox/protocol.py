"""The client protocol as the installed ``datafed`` package defines it.

Message types are read from the ``Envelope`` descriptor at run time: the number that travels in a
frame is the field number of the message in the envelope's ``payload``.
"""

from __future__ import annotations

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
        UndecodableError: the bytes are no envelope, or hold another message than announced.
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
