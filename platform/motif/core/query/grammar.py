"""The grammar of the query language, and its parser."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark

GRAMMAR = r"""
start: disjunction
disjunction: conjunction (_OR conjunction)*
conjunction: _factor (_AND _factor)*
_factor: negation | group | compare | between | member | like | has | words
negation: NOT _factor
group: "(" disjunction ")"

compare: name OPERATOR value
between: name NOT? _BETWEEN value _AND value
       | name NOT? _IN value _TO value
       | name OPERATOR value _TO value
member: name NOT? _IN "(" value ("," value)* ","? ")"
like: name NOT? _LIKE STRING
has: _HAS name
words: _TEXT STRING

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
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr", lexer="contextual")
