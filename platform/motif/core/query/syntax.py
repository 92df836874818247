"""The grammar of the query language, its parser, and explanations of syntax errors."""

from __future__ import annotations

import re
from functools import cache

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from motif.core.errors import QueryError

GRAMMAR = r"""
start: disjunction
disjunction: conjunction (_OR conjunction)*
conjunction: _factor (_AND _factor)*
_factor: negation | group | compare | between | member | like | has | phrase
negation: NOT _factor
group: "(" disjunction ")"

compare: name OPERATOR value
between: name NOT? _BETWEEN value _AND value
       | name NOT? _IN value _TO value
       | name OPERATOR value _TO value
member: name NOT? _IN "(" value ("," value)* ","? ")"
like: name NOT? _LIKE STRING
has: _HAS name
phrase: _TEXT STRING

name: NAME | STRING
value: STRING | NUMBER UNIT? | DATE | FLAG

_AND.3: /and(?![\w.])/i
_OR.3: /or(?![\w.])/i
NOT.3: /not(?![\w.])/i
_IN.3: /in(?![\w.])/i
_BETWEEN.3: /between(?![\w.])/i
_LIKE.3: /like(?![\w.])/i
_HAS.3: /has(?![\w.])/i
_TEXT.3: /text(?![\w.])/i
FLAG.3: /(true|false)(?![\w.])/i
_TO: ".."
OPERATOR: /<=|>=|!=|<>|==|[=<>≤≥≠]/
DATE.2: /\d{4}-\d{2}(?![\d.])/ (/-\d{2}/ CLOCK?)? /(?!\w)/
CLOCK: /[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?/
NUMBER.1: /[+-]?(\d+(\.(?!\.)\d*)?|\.\d+)(e[+-]?\d+)?/i
UNIT: /(?!(and|or)(?!\w))(1(?=\/)|[^\W\d]|[%°\/])/ UNIT_REST*
UNIT_REST: /[^\W\d]|[%°·]|[*^]+-?\d+|[-+]?\d+|[\/*](?=[^\W\d]|[%°])/
NAME: /[^\W\d]\w*(\.\w+)*/
STRING: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/s

%import common.WS
%ignore WS
"""


@cache
def parser() -> Lark:
    """The parser: LALR(1), so any text takes time linear in its length."""
    return Lark(GRAMMAR, parser="lalr", lexer="contextual")


_VALUE = 'a value such as "text", 2 um, 2019-01-31 or true'
_NAME = re.compile(r"[^\W\d]\w*(?=\s*$)")
_DATED = re.compile(r"\bacquired_at(?:\s+(?:not\s+)?between)?\W*$", re.IGNORECASE)
"""Matches text that ends where the value of a date is expected."""
_PHRASES = (
    ({"NUMBER", "DATE", "FLAG"}, _VALUE),
    ({"OPERATOR"}, "a comparison such as =, <=, in (...), between, like"),
    ({"NAME"}, "the name of a facet"),
    ({"STRING"}, "text in quotes"),
    ({"_AND", "_OR"}, "and, or, or the end"),
    ({"_TO"}, "a range low .. high"),
    ({"RPAR"}, "a closing parenthesis"),
)


def explain(error: UnexpectedInput, query: str) -> QueryError:
    """The `QueryError` for what Lark reports."""
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        position = error.token.start_pos or 0
        expected = set(error.expected)
        ends = error.token.type in ("_AND", "_OR", "RPAR")
        bare = _bare(query[:position], expected) if ends else ""
        reason = _hint(error.token, expected, query[:position]) or (
            f"found {_shown(error.token)} where {_wanted(expected)} is expected{bare}"
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


def _shown(token: Token) -> str:
    return str(token) if token.type in ("NUMBER", "DATE", "STRING") else f"{str(token)!r}"


def _bare(before: str, expected: set[str]) -> str:
    """Advice for a facet name without a comparison."""
    name = _NAME.search(before)
    if "OPERATOR" not in expected or name is None:
        return ""
    return f"; write has {name[0]}, or {name[0]} = true if it is a flag"


def _hint(token: Token, expected: set[str], before: str) -> str | None:
    if token.type in ("NAME", "UNIT") and "DATE" in expected and _DATED.search(before):
        return "dates are written like 2019-05-17 or 2019-05-17T09:30"
    if token.type in ("NAME", "UNIT") and expected & {"DATE", "STRING"} and "NAME" not in expected:
        return f'text is written in quotes; write "{token}"'
    if token.type in ("_TEXT", "_HAS", "_LIKE", "_IN", "_BETWEEN") and "NAME" in expected:
        return f'{token} is a keyword; write "{token}" in quotes if it is a facet'
    if token.type == "OPERATOR" and expected == {"STRING"}:
        return (
            'text is followed by the phrase to search for; write "text" in quotes if it is a facet'
        )
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
