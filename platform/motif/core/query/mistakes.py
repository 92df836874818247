"""What the parser tripped over, said for people."""

from __future__ import annotations

import re

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from motif.core.errors import QueryError

_VALUE = 'a value such as "text", 2 um, 2019-01-31 or true'
_NAME = re.compile(r"[^\W\d]\w*(?=\s*$)")
_DATED = re.compile(r"\bacquired_at(?:\s+(?:not\s+)?between)?\W*$", re.IGNORECASE)
"""Ends what stands before the value of a date."""
_PHRASES = (
    ({"NUMBER", "DATE", "FLAG"}, _VALUE),
    ({"OPERATOR"}, "a comparison such as =, <=, in (...), between, like"),
    ({"NAME"}, "the name of a facet"),
    ({"STRING"}, "a text in quotes"),
    ({"_AND", "_OR"}, "and, or, or the end"),
    ({"_TO"}, "a range low .. high"),
    ({"RPAR"}, "a closing parenthesis"),
)


def explain(error: UnexpectedInput, query: str) -> QueryError:
    """The `QueryError` for what Lark reports."""
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        position = error.token.start_pos or 0
        found = _found(error.token)
        expected = set(error.expected)
        ends = error.token.type in ("_AND", "_OR", "RPAR")
        bare = _bare(query[:position], expected) if ends else ""
        reason = _hint(error.token, expected, query[:position]) or (
            f"found {found} where {_wanted(expected)} is expected{bare}"
        )
    elif isinstance(error, UnexpectedCharacters):
        position = error.pos_in_stream or 0
        reason = _character(query, position, set(error.allowed or ()))
    else:
        position = len(query.rstrip())
        expected = set(getattr(error, "expected", ()))
        bare = _bare(query[:position], expected)
        reason = f"the query ends where {_wanted(expected)} is expected{bare}"
    sentence = reason[0].upper() + reason[1:]
    return QueryError(f"At character {position + 1}: {sentence}.", query, position)


def _wanted(expected: set[str]) -> str:
    for terminals, phrase in _PHRASES:
        if terminals & expected:
            return phrase
    return "something else"


def _found(token: Token) -> str:
    return str(token) if token.type in ("NUMBER", "DATE", "STRING") else f"{str(token)!r}"


def _bare(before: str, expected: set[str]) -> str:
    """What a name that stands alone may have meant."""
    name = _NAME.search(before)
    if "OPERATOR" not in expected or name is None:
        return ""
    return f"; write has {name[0]}, or {name[0]} = true if it is a yes or no"


def _hint(token: Token, expected: set[str], before: str) -> str | None:
    if token.type in ("NAME", "UNIT") and "DATE" in expected and _DATED.search(before):
        return "dates are written like 2019-05-17 or 2019-05-17T09:30"
    if token.type in ("NAME", "UNIT") and expected & {"DATE", "STRING"} and "NAME" not in expected:
        return f'texts stand in quotes; write "{token}"'
    if token.type in ("_TEXT", "_HAS", "_LIKE", "_IN", "_BETWEEN") and "NAME" in expected:
        return f'{token} is a word of the language; write "{token}" in quotes if it is a facet'
    if token.type == "OPERATOR" and expected == {"STRING"}:
        return 'text is followed by what to look for; write "text" in quotes if it is a facet'
    return None


def _character(query: str, position: int, allowed: set[str]) -> str:
    character = query[position]
    if character in "\"'":
        return f"the text that starts here has no closing {character}"
    if character in "“”„‘’":
        return f'{character} is a typographic quote; write " instead'
    if character in "&|":
        return f"{character} is not understood; write and, or"
    return f"found {character!r} where {_wanted(allowed)} is expected"
