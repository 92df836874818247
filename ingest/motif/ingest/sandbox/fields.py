"""Checks of text fields, with the limits and the wording of the service."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from motif.ingest.sandbox.limits import Limits
from motif.ingest.sandbox.refusal import Refused


@dataclass(frozen=True, slots=True)
class Field:
    """What a text field may hold."""

    label: str
    longest: int
    required: bool = False
    lower: bool = False
    extra: str | None = None
    """Characters allowed beside letters and digits; none: any."""

    def clean(self, value: str | None) -> str | None:
        """Give the trimmed value, or nothing where it is empty.

        Raises:
            Refused: too long, or a character that is not allowed.
        """
        text = (value or "").strip()
        if not text:
            return None
        if len(text) > self.longest:
            raise Refused(
                f"'{self.label}' field is too long. Maximum length is {self.longest}.",
            )
        if self.lower:
            text = text.lower()
        if self.extra is not None and any(
            not (letter.isascii() and letter.isalnum()) and letter not in self.extra
            for letter in text
        ):
            raise Refused(f"Invalid character(s) in '{self.label}' field.")
        return text

    def new(self, value: str | None) -> str | None:
        """Check the value of something being created."""
        text = self.clean(value)
        if text is None and self.required:
            raise Refused(f"Missing required field '{self.label}'.")
        return text

    def changed(self, value: str) -> str | None:
        """Check a new value of something that exists; empty takes the value away."""
        text = self.clean(value)
        if text is None and self.required:
            raise Refused(f"Required field '{self.label}' cannot be deleted.")
        return text


TITLE = Field("title", 80, required=True)
DESCRIPTION = Field("description", 2000)
ALIAS = Field("alias", 40, lower=True, extra="_-.")
TOPIC = Field("topic", 500, lower=True, extra="_-.")
SOURCE = Field("source", 4096)
EXTENSION = Field("extension", 40)
IDENTIFIER = Field("ID", 40, required=True, lower=True, extra="_-.")
GROUP = Field("group ID", 40, required=True, lower=True, extra="_-.")
COMMENT = Field("comment", 2000, required=True)
SCHEMA = Field("schema", 120, lower=True, extra="_-.:")
_TAG = Field("tag", 40, lower=True, extra="_-.")


def dotted(extension: str | None) -> str | None:
    """Give a file name extension with its leading dot."""
    if extension and not extension.startswith("."):
        return f".{extension}"
    return extension


def clean_tags(values: Iterable[str]) -> list[str]:
    """Give tags in lower case, each once, in the order given."""
    found: dict[str, None] = {}
    for value in values:
        if len(value.strip()) > _TAG.longest:
            raise Refused("Tag too long (max 40 characters).")
        try:
            tag = _TAG.clean(value)
        except Refused as error:
            raise Refused("Invalid character(s) in tag.") from error
        if tag:
            found[tag] = None
    return list(found)


def parse_metadata(text: str, limits: Limits) -> dict[str, Any]:
    """Read a record's metadata.

    Raises:
        Refused: too long, not JSON (``NaN`` and ``Infinity`` are not), or no object.
    """
    if len(text) > limits.metadata_bytes:
        raise Refused(
            f"Metadata is too long ({len(text)} bytes). Maximum is {limits.metadata_bytes}."
        )
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"Unexpected exception: SyntaxError: {error}") from error
    if isinstance(value, list):
        raise Refused("Metadata cannot be an array")
    if not isinstance(value, dict):
        raise Refused("Metadata must be a JSON object")
    return value


def dump_metadata(value: dict[str, Any]) -> str:
    """Write metadata as JSON text.

    Raises:
        Refused: a number too large for JSON became infinite, or text holds half a surrogate pair.
    """
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        text.encode()
    except (ValueError, RecursionError) as error:
        raise Refused(f"Unexpected exception: SyntaxError: {error}") from error
    return text


def _no_constant(name: str) -> None:
    raise ValueError(f"Unexpected token {name} in JSON")


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Merge `new` into `old` at every depth; a null takes its key away."""
    merged = dict(old)
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    """Give metadata as it is stored by an update: keys that hold null are left out."""
    return merge({}, value)
