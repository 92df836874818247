"""Words and signs of an AQL expression."""

from __future__ import annotations

import re

from motif.ingest.sandbox.language.rewrite import QuerySyntaxError

Token = tuple[str, str, int]
"""Kind, text and place of a token."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)
    |(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<operator>==|!=|<=|>=|=~|!~|&&|\|\||[-+*/<>!().,\[\]])
    |(?P<end>$))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def tokens(source: str) -> list[Token]:
    """Split an expression; the last token is its end.

    Raises:
        QuerySyntaxError: a character that begins no token.
    """
    found, place = [], 0
    while True:
        match = _TOKEN.match(source, place)
        if match is None:
            raise QuerySyntaxError(
                f"AQL: syntax error, unexpected '{source[place:].strip()[:1]}' at position {place}"
            )
        kind = str(match.lastgroup)
        found.append((kind, match[kind], match.start(kind)))
        if kind == "end":
            return found
        place = match.end()


def unquote(literal: str) -> str:
    """Give the text that a quoted string stands for."""
    body = literal[1:-1]
    return re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPES.get(match[2], match[2]),
        body,
        flags=re.DOTALL,
    )
