"""Second step of a metadata query: an AQL expression becomes a function of a record.

Operators from weakest to strongest, as in AQL: ``||``, ``&&``, ``== !=``, ``in``, ``< <= >= >``,
``+ -``, ``* /``, unary ``! + -``, then calls, ``.name`` and ``[index]``; ``like``, ``=~`` and
``!~`` bind as ``==`` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from motif.ingest.sandbox.language import functions
from motif.ingest.sandbox.language.patterns import is_like, is_match
from motif.ingest.sandbox.language.rewrite import QuerySyntaxError
from motif.ingest.sandbox.language.values import Value, compare, finite, number, text, truth

Expression = Callable[[dict[str, Any]], Value]
Relation = Callable[[Value, Value], Value]

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)
    |(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<operator>==|!=|<=|>=|=~|!~|&&|\|\||[-+*/<>!().,\[\]])
    |(?P<end>$))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_DEEPEST = 30


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
        self._tokens = list(_tokens(source))
        self._place = 0
        self._depth = 0

    @property
    def _token(self) -> tuple[str, str, int]:
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
            return _logical(operators[0] == "||", [first, *(inner for _, inner in rest)])
        return _folded(first, [(_RELATIONS[operator], inner) for operator, inner in rest])

    def _unary(self) -> Expression:
        signs = []
        while operator := self._take("!", "-", "+"):
            signs.append(operator)
            if len(signs) > _DEEPEST:
                raise QuerySyntaxError("Metadata expression is nested too deeply.")
        expression = self._postfix()
        for operator in reversed(signs):
            expression = _prefix(operator, expression)
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
                expression = _attribute(expression, value)
            else:
                index = self.alternatives()
                self.expect("]")
                expression = _folded(expression, [(_element, index)])
        return expression

    def _primary(self) -> Expression:
        kind, value, place = self._token
        self._place += kind != "end"
        if kind == "number":
            found = float(value) if not value.isdigit() else int(value)
            return lambda record: found
        if kind == "string":
            literal = _unquote(value)
            return lambda record: literal
        if value == "(":
            inner = self.alternatives()
            self.expect(")")
            return inner
        if value == "[":
            return _array(self._list("]"))
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


_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}


def _tokens(source: str) -> list[tuple[str, str, int]]:
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


def _unquote(literal: str) -> str:
    body = literal[1:-1]
    return re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPES.get(match[2], match[2]),
        body,
        flags=re.DOTALL,
    )


def _logical(until: bool, parts: list[Expression]) -> Expression:
    """Give the first value whose truth is `until`, else the last one."""

    def evaluate(record: dict[str, Any]) -> Value:
        value: Value = None
        for part in parts:
            value = part(record)
            if truth(value) is until:
                break
        return value

    return evaluate


def _folded(first: Expression, rest: list[tuple[Relation, Expression]]) -> Expression:
    """Apply relations from left to right."""
    if len(rest) == 1:
        function, second = rest[0]
        return lambda record: function(first(record), second(record))

    def evaluate(record: dict[str, Any]) -> Value:
        value = first(record)
        for relation, operand in rest:
            value = relation(value, operand(record))
        return value

    return evaluate


def _prefix(operator: str, inner: Expression) -> Expression:
    if operator == "!":
        return lambda record: not truth(inner(record))
    sign = -1 if operator == "-" else 1
    return lambda record: sign * number(inner(record))


def _attribute(inner: Expression, name: str) -> Expression:
    def evaluate(record: dict[str, Any]) -> Value:
        value = inner(record)
        return value.get(name) if isinstance(value, dict) else None

    return evaluate


def _array(parts: list[Expression]) -> Expression:
    return lambda record: [part(record) for part in parts]


def _element(value: Value, index: Value) -> Value:
    if isinstance(value, dict):
        return value.get(text(index))
    if isinstance(value, list):
        place = int(number(index))
        return value[place] if -len(value) <= place < len(value) else None
    return None


def _is_in(value: Value, values: Value) -> bool:
    return isinstance(values, list) and any(compare(value, each) == 0 for each in values)


def _arithmetic(function: Callable[[float, float], float]) -> Relation:
    def evaluate(left: Value, right: Value) -> Value:
        try:
            return finite(function(number(left), number(right)))
        except (ZeroDivisionError, OverflowError):
            return None

    return evaluate


_RELATIONS: dict[str, Relation] = {
    "==": lambda left, right: compare(left, right) == 0,
    "!=": lambda left, right: compare(left, right) != 0,
    "<": lambda left, right: compare(left, right) < 0,
    "<=": lambda left, right: compare(left, right) <= 0,
    ">": lambda left, right: compare(left, right) > 0,
    ">=": lambda left, right: compare(left, right) >= 0,
    "in": _is_in,
    "like": lambda left, right: is_like(text(left), text(right)),
    "=~": lambda left, right: is_match(text(left), text(right)),
    "!~": lambda left, right: not is_match(text(left), text(right)),
    "+": _arithmetic(lambda left, right: left + right),
    "-": _arithmetic(lambda left, right: left - right),
    "*": _arithmetic(lambda left, right: left * right),
    "/": _arithmetic(lambda left, right: left / right),
}
