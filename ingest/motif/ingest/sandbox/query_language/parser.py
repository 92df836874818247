"""Second step of a metadata query: an AQL expression becomes a function of a record.

Operators from weakest to strongest, as in AQL: ``||``, ``&&``, ``== !=``, ``in``, ``< <= >= >``,
``+ -``, ``* /``, unary ``! + -``, then calls, ``.name`` and ``[index]``; ``like``, ``=~`` and
``!~`` bind as ``==`` does.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from motif.ingest.sandbox.query_language import functions
from motif.ingest.sandbox.query_language.operators import (
    RELATIONS,
    Expression,
    QuerySyntaxError,
    array,
    attribute,
    element,
    folded,
    logical,
    prefix,
    rewrite,
)
from motif.ingest.sandbox.query_language.query_values import Value

__all__ = ["Expression", "compile_query", "parse"]

DEEPEST = 30
"""Levels of brackets, signs in a row and steps behind a value."""

GRAMMAR = r"""
    ?start: alternatives
    ?alternatives: conjunction ("||" conjunction)*
    ?conjunction: equality ("&&" equality)*
    ?equality: membership ((EQUALITY | LIKE) membership)*
    ?membership: order (IN order)*
    ?order: sum (ORDER sum)*
    ?sum: product (SIGN product)*
    ?product: unary (PRODUCT unary)*
    ?unary: (NOT | SIGN)* postfix -> signed
    ?postfix: primary step*
    step: "." NAME         -> attribute
        | "[" alternatives "]"      -> index
    ?primary: NUMBER       -> number
        | STRING           -> string
        | "(" alternatives ")"
        | "[" items "]"     -> array
        | NAME "(" items ")" -> call
        | NAME             -> name
    items: [alternatives ("," alternatives)*]

    EQUALITY: "==" | "!=" | "=~" | "!~"
    LIKE.2: /like(?![A-Za-z0-9_])/
    IN.2: /in(?![A-Za-z0-9_])/
    ORDER: "<=" | ">=" | "<" | ">"
    SIGN: "+" | "-"
    PRODUCT: "*" | "/"
    NOT: "!"
    NUMBER: /\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+/
    STRING: /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/s
    NAME: /[A-Za-z_][A-Za-z0-9_]*/
    %ignore /\s+/
"""

_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_NESTING = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?P<open>[(\[])|(?P<close>[)\]])"""
    r"|(?P<signs>(?:[-+!]\s*)+)",
    re.DOTALL,
)


def parse(source: str) -> Expression:
    """Compile an AQL expression over the record ``i``.

    Raises:
        QuerySyntaxError: syntax error, with its place in `source`.
    """
    _check_nesting(source)
    try:
        expression: Any = _parser().parse(source)
    except UnexpectedToken as error:
        unexpected = "" if error.token.type == "$END" else str(error.token)
        raise _unexpected(unexpected, error.pos_in_stream, source) from None
    except UnexpectedCharacters as error:
        place = int(error.pos_in_stream or 0)
        raise _unexpected(source[place : place + 1], place, source) from None
    except UnexpectedInput as error:
        raise _unexpected("", error.pos_in_stream, source) from None
    except VisitError as error:
        raise error.orig_exc from None
    return cast(Expression, expression)


def _unexpected(token: str, place: int | None, source: str) -> QuerySyntaxError:
    where = len(source) if place is None or not token else place
    return QuerySyntaxError(
        f"AQL: syntax error, unexpected '{token or 'end of query'}' at position {where}"
    )


def _check_nesting(source: str) -> None:
    """Refuse what evaluation by nested functions could not survive."""
    depth = 0
    for match in _NESTING.finditer(source):
        depth += 1 if match["open"] else -1 if match["close"] else 0
        signs = len(re.sub(r"\s", "", match["signs"] or ""))
        if depth >= DEEPEST or signs > DEEPEST:
            raise QuerySyntaxError("Metadata expression is nested too deeply.")


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", transformer=_Functions())


@v_args(inline=True)
class _Functions(Transformer[Token, Any]):
    """Builds functions of a record, from the innermost expression outwards.

    Long chains are evaluated in a loop, not by recursion.
    """

    def alternatives(self, *parts: Expression) -> Expression:
        return logical(True, list(parts))

    def conjunction(self, *parts: Expression) -> Expression:
        return logical(False, list(parts))

    def equality(self, first: Expression, *rest: Any) -> Expression:
        pairs = zip(rest[::2], rest[1::2], strict=True)
        return folded(first, [(RELATIONS[str(operator)], inner) for operator, inner in pairs])

    membership = order = sum = product = equality

    def signed(self, *parts: Any) -> Expression:
        *signs, expression = parts
        for sign in reversed(signs):
            expression = prefix(str(sign), expression)
        return expression  # type: ignore[no-any-return]

    def postfix(self, first: Expression, *steps: Any) -> Expression:
        if len(steps) > DEEPEST:
            raise QuerySyntaxError("Metadata expression is nested too deeply.")
        for name, index in steps:
            first = attribute(first, name) if index is None else folded(first, [(element, index)])
        return first

    def attribute(self, name: Token) -> tuple[str, None]:
        return str(name), None

    def index(self, index: Expression) -> tuple[str, Expression]:
        return "", index

    def number(self, literal: Token) -> Expression:
        value = int(literal) if literal.isdigit() else float(literal)
        return lambda record: value

    def string(self, literal: Token) -> Expression:
        value = unquote(str(literal))
        return lambda record: value

    def items(self, *parts: Expression | None) -> list[Expression]:
        return [part for part in parts if part is not None]

    def array(self, parts: list[Expression]) -> Expression:
        return array(parts)

    def call(self, name: Token, arguments: list[Expression]) -> Expression:
        if name not in functions.FUNCTIONS and name not in functions.DATE_FUNCTIONS:
            raise QuerySyntaxError(f"AQL: unknown function '{name}' at position {name.start_pos}")
        return lambda record: functions.call(str(name), [each(record) for each in arguments])

    def name(self, name: Token) -> Expression:
        if name in _CONSTANTS:
            constant = _CONSTANTS[str(name)]
            return lambda record: constant
        if name == "i":
            return lambda record: record
        raise QuerySyntaxError(
            f"AQL: syntax error, unexpected '{name}' at position {name.start_pos}"
        )


def unquote(literal: str) -> str:
    """The text that a quoted string stands for."""
    body = literal[1:-1]
    return re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPES.get(match[2], match[2]),
        body,
        flags=re.DOTALL,
    )


def compile_query(text: str) -> Expression:
    """Compile a metadata expression.

    Returns:
        a function of a record document (keys ``title``, ``ut``, ``md``, ...) that gives the
        expression's value; `truth` of it says whether the record matches.

    Raises:
        QuerySyntaxError: the text is not an expression of the language.
    """
    return parse(rewrite(text))
