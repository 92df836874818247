"""Second step of a metadata query: an AQL expression becomes a function of a record.

Operators from weakest to strongest, as in AQL: ``||``, ``&&``, ``== !=``, ``in``, ``< <= >= >``,
``+ -``, ``* /``, unary ``! + -``, then calls, ``.name`` and ``[index]``; ``like``, ``=~`` and
``!~`` bind as ``==`` does.
"""

from __future__ import annotations

from collections.abc import Callable

from motif.ingest.sandbox.language import functions
from motif.ingest.sandbox.language.operators import (
    RELATIONS,
    Expression,
    array,
    attribute,
    element,
    folded,
    logical,
    prefix,
)
from motif.ingest.sandbox.language.rewrite import QuerySyntaxError
from motif.ingest.sandbox.language.tokens import Token, tokens, unquote
from motif.ingest.sandbox.language.values import Value

__all__ = ["Expression", "parse"]

_DEEPEST = 30


_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}


def parse(source: str) -> Expression:
    """Compile an AQL expression over the record ``i``.

    Raises:
        QuerySyntaxError: syntax error, with its place in `source`.
    """
    parser = _Parser(source)
    expression = parser.alternatives()
    parser.expect("")
    return expression


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, source: str) -> None:
        self._tokens = tokens(source)
        self._place = 0
        self._depth = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def _take(self, *operators: str) -> str:
        """Take the next token where it is one of `operators` (words or signs)."""
        kind, value, _ = self._token
        if kind in ("operator", "name") and value in operators:
            self._place += 1
            return value
        return ""

    def expect(self, operator: str) -> None:
        """Take `operator` (the end of the text where empty) or refuse."""
        kind, value, place = self._token
        if value != operator or (not operator and kind != "end"):
            raise QuerySyntaxError(
                f"AQL: syntax error, unexpected '{value or 'end of query'}' at position {place}"
            )
        self._place = min(self._place + 1, len(self._tokens) - 1)

    def alternatives(self) -> Expression:
        """``a || b``: the first value that counts as true, else the last."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QuerySyntaxError("Metadata expression is nested too deeply.")
        left = self._chain(self._all, "||")
        self._depth -= 1
        return left

    def _all(self) -> Expression:
        return self._chain(self._equal, "&&")

    def _equal(self) -> Expression:
        return self._chain(self._member, "==", "!=", "like", "=~", "!~")

    def _member(self) -> Expression:
        return self._chain(self._ordered, "in")

    def _ordered(self) -> Expression:
        return self._chain(self._sum, "<", "<=", ">=", ">")

    def _sum(self) -> Expression:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Expression:
        return self._chain(self._unary, "*", "/")

    def _chain(self, operand: Callable[[], Expression], *operators: str) -> Expression:
        """Read operands of one strength; long chains are evaluated in a loop, not by recursion."""
        first = operand()
        rest: list[tuple[str, Expression]] = []
        while operator := self._take(*operators):
            rest.append((operator, operand()))
        if not rest:
            return first
        if operators[0] in ("||", "&&"):
            return logical(operators[0] == "||", [first, *(inner for _, inner in rest)])
        return folded(first, [(RELATIONS[operator], inner) for operator, inner in rest])

    def _unary(self) -> Expression:
        signs = []
        while operator := self._take("!", "-", "+"):
            signs.append(operator)
            if len(signs) > _DEEPEST:
                raise QuerySyntaxError("Metadata expression is nested too deeply.")
        expression = self._postfix()
        for operator in reversed(signs):
            expression = prefix(operator, expression)
        return expression

    def _postfix(self) -> Expression:
        expression = self._primary()
        steps = 0
        while operator := self._take(".", "["):
            steps += 1
            if steps > _DEEPEST:
                raise QuerySyntaxError("Metadata expression is nested too deeply.")
            if operator == ".":
                kind, value, place = self._token
                if kind != "name":
                    raise QuerySyntaxError(
                        f"AQL: syntax error, unexpected '{value or 'end of query'}' "
                        f"at position {place}"
                    )
                self._place += 1
                expression = attribute(expression, value)
            else:
                index = self.alternatives()
                self.expect("]")
                expression = folded(expression, [(element, index)])
        return expression

    def _primary(self) -> Expression:
        kind, value, place = self._token
        self._place += kind != "end"
        if kind == "number":
            found = float(value) if not value.isdigit() else int(value)
            return lambda record: found
        if kind == "string":
            literal = unquote(value)
            return lambda record: literal
        if value == "(":
            inner = self.alternatives()
            self.expect(")")
            return inner
        if value == "[":
            return array(self._list("]"))
        if kind == "name":
            if self._take("("):
                return self._call(value, place)
            if value in _CONSTANTS:
                constant = _CONSTANTS[value]
                return lambda record: constant
            if value == "i":
                return lambda record: record
        raise QuerySyntaxError(
            f"AQL: syntax error, unexpected '{value or 'end of query'}' at position {place}"
        )

    def _call(self, name: str, place: int) -> Expression:
        if name not in functions.FUNCTIONS and name not in functions.DATE_FUNCTIONS:
            raise QuerySyntaxError(f"AQL: unknown function '{name}' at position {place}")
        arguments = self._list(")")
        return lambda record: functions.call(name, [each(record) for each in arguments])

    def _list(self, end: str) -> list[Expression]:
        found: list[Expression] = []
        if self._take(end):
            return found
        found.append(self.alternatives())
        while self._take(","):
            found.append(self.alternatives())
        self.expect(end)
        return found
