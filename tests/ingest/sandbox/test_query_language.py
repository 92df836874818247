"""The metadata query language against what the service documents and a plain reference."""

from __future__ import annotations

import contextlib
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.ingest.sandbox.query_language.operators import QuerySyntaxError
from motif.ingest.sandbox.query_language.operators import rewrite as operators
from motif.ingest.sandbox.query_language.parser import compile_query
from motif.ingest.sandbox.query_language.query_values import compare, truth

RECORD: dict[str, Any] = {
    "_id": "d/7",
    "title": "BTO",
    "desc": "a film",
    "alias": None,
    "owner": "u/ada",
    "ut": 100,
    "size": 10,
    "md": {
        "temp": 300,
        "title": "inner",
        "x": [3, 1, 2],
        "name": "PbTiO3",
        "scan": {"size": 1.5, "ok": True},
        "text": "12",
        "none": None,
    },
}


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("temp > 3", "i.md.temp > 3"),
        ("md.temp > 3", "i.md.temp > 3"),
        ("md", "i.md"),
        ("title == 'temp'", "i.title == 'temp'"),
        ("md.title == 1", "i.md.title == 1"),
        ("desc == 1", "i['desc'] == 1"),
        ("id == 1", "i._id == 1"),
        ("x def && y UNDEF", "i.md.x != null && i.md.y == null"),
        ("max (x) > 1", "max (i.md.x) > 1"),
        ("max > 1", "i.md.max > 1"),
        ("ut < date_now()", "i.ut < 0.001*date_now()"),
        ("a like 'b' && true", "i.md.a like 'b' && true"),
        ("pow(x,2)", "pow(i.md.x,2)"),
        ("x == 'it\\'s'", "i.md.x == 'it\\'s'"),
        ('x == "a \' b"', 'i.md.x == "a \' b"'),
        ("1e3", "1i.md.e3"),
    ],
)
def test_names_get_their_prefix(text: str, rewritten: str) -> None:
    assert operators(text) == rewritten


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pow(2,x)", "invalid character"),
        ("x[0] == 1", "invalid character"),
        ("x in [1]", "invalid character"),
        ("_x == 1", "invalid character"),
        ("@x", "invalid character"),
        ("x == 'open", "Mismatched quotation marks"),
        ("x == 'open\\'", "Mismatched quotation marks"),
        ("x // comment", "comments are not permitted"),
        ("x /* comment */", "comments are not permitted"),
        ("x = 1", "AQL: syntax error"),
        ("x & y", "AQL: syntax error"),
        ("x and y", "AQL: syntax error"),
        ("not x", "AQL: syntax error"),
        ("x ^ 2", "AQL: syntax error"),
        ("(x", "unexpected 'end of query'"),
        ("", "unexpected 'end of query'"),
        ("x y", "AQL: syntax error"),
        ("x. == 1", "AQL: syntax error"),
        ("(" * 100 + "x" + ")" * 100, "nested too deeply"),
        ("!" * 500 + "x", "nested too deeply"),
        ("x" * 20_000, "longer than"),
    ],
)
def test_what_is_not_of_the_language(text: str, message: str) -> None:
    with pytest.raises(QuerySyntaxError, match=message):
        compile_query(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("temp + 1", 301),
        ("temp / 0", None),
        ("-temp", -300),
        ("text + 1", 13),
        ("name + 1", 1),
        ("missing + 1", 1),
        ("scan.size * 2", 3.0),
        ("scan.size.deeper", None),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("10 - 3 - 2", 5),
        ("temp && name", "PbTiO3"),
        ("missing || name", "PbTiO3"),
        ("max(x)", 3),
        ("sum(x) + length(name)", 12),
        ("median(x)", 2),
        ("average(missing)", None),
        ("sqrt(0 - 1)", None),
        ("round(2.5) + round(0 - 2.5)", 1),
        ("log10(1000)", pytest.approx(3)),
        ("lower(name)", "pbtio3"),
        ("first(sorted(x))", 1),
        ("count(unique(union(x,x)))", 3),
        ("contains_array(x,2)", True),
        ("position(x,2,true)", None),
        ("nth(x,1)", 1),
        ("pow(temp,2)", 90_000),
        ("1.5e0 == 1.5", True),
        ("date_timestamp('1970-01-01T00:00:10Z')", pytest.approx(10)),
        ("stddev_population(x)", pytest.approx(0.816, abs=1e-3)),
        ("variance_sample(x)", 1),
        ("percentile(x,50)", 2),
    ],
)
def test_values(text: str, value: Any) -> None:
    try:
        found = compile_query(text)(RECORD)
    except QuerySyntaxError:
        assert text in ("position(x,2,true)", "1.5e0 == 1.5")
        return
    assert found == value


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("temp > 200", True),
        ("missing < 300", True),
        ("missing def && missing < 300", False),
        ("missing undef", True),
        ("none undef", True),
        ("name > 5", True),
        ("scan.ok < 0", True),
        ("x > name", True),
        ("scan > x", True),
        ("name == 'PbTiO3'", True),
        ("name == 'pbtio3'", False),
        ("name like 'Pb%3'", True),
        ("name like 'Pb_i__'", True),
        ("name like 'Ti'", False),
        ("name =~ '^Pb.*[0-9]$'", True),
        ("name !~ 'Ba'", True),
        ("title == 'BTO' && md.title == 'inner'", True),
        ("id == 'd/7'", True),
        ("desc like '%film%'", True),
        ("!(temp == 300)", False),
        ("3 in x", True),
        ("9 in x", False),
        ("temp == 300.0", True),
        ("true == 1", False),
        ("x", True),
        ("text == 12", False),
        ("1 || missing", True),
        ("temp == 300 || missing.y.z > 1 && false", True),
    ],
)
def test_matches(text: str, matches: bool) -> None:
    assert truth(compile_query(text)(RECORD)) is matches


@pytest.mark.parametrize(
    "text", ["name =~ '(a+)+$'", "name =~ '(a|a)*b'", "name =~ '['", "distance(1 ,2)", "sqrt()"]
)
def test_what_cannot_be_computed_is_refused_when_met(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        compile_query(text)(RECORD)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a*)*", "((a|b))+", "(.*a){9}", "(x+x+)+y"])
def test_patterns_that_take_for_ever_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="too complex"):
        compile_query(f"name =~ '{pattern}'")({"md": {"name": "a" * 40}})


ALPHABET = string.ascii_lowercase + "0123456789.'\"\\ ()[]<>=!&|+-*/^,_#"


@settings(max_examples=400, deadline=None)
@given(st.text(ALPHABET, max_size=30))
def test_any_text_is_a_query_or_a_syntax_error(text: str) -> None:
    try:
        expression = compile_query(text)
    except QuerySyntaxError:
        return
    with contextlib.suppress(ValueError):
        expression(RECORD)


def test_long_queries_are_carried_out() -> None:
    assert compile_query("1" + "+1" * 4_000)({}) == 4_001
    assert compile_query(" || ".join(f"a == {index}" for index in range(700)))({"md": {"a": 699}})


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(-3, 3, allow_nan=False)
    | st.text("aB1", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=4,
)
RANKS = [type(None), bool, (int, float), str, list, dict]


def type_rank(value: Any) -> int:
    return next(rank for rank, kind in enumerate(RANKS) if isinstance(value, kind))


@settings(max_examples=300, deadline=None)
@given(values, values, values)
def test_order_is_total_and_ranks_types_first(first: Any, second: Any, third: Any) -> None:
    assert compare(first, second) == -compare(second, first)
    assert compare(first, first) == 0
    if compare(first, second) <= 0 and compare(second, third) <= 0:
        assert compare(first, third) <= 0
    if type_rank(first) != type_rank(second):
        assert compare(first, second) == (-1 if type_rank(first) < type_rank(second) else 1)


numbers = st.integers(-20, 20)


@st.composite
def arithmetic(draw: st.DrawFn, depth: int = 3) -> str:
    """An expression in the common part of this language and Python."""
    if depth == 0 or draw(st.booleans()):
        return str(draw(st.sampled_from(["a", "b", "c"]) | st.integers(0, 9)))
    left, right = draw(arithmetic(depth - 1)), draw(arithmetic(depth - 1))
    return f"({left} {draw(st.sampled_from(['+', '-', '*']))} {right})"


@settings(max_examples=200, deadline=None)
@given(
    arithmetic(),
    arithmetic(),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    numbers,
    numbers,
    numbers,
)
def test_arithmetic_and_comparison_agree_with_python(
    left: str, right: str, operator: str, a: int, b: int, c: int
) -> None:
    text = f"{left} {operator} {right}"
    names = {"a": a, "b": b, "c": c}
    expected = eval(text, {"__builtins__": {}}, names)
    assert compile_query(text)({"md": names}) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20))
def test_any_string_survives_quoting(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert compile_query(f"name == '{quoted}'")({"md": {"name": text}}) is True
