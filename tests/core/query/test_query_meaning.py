"""What queries mean: plain-Python evaluation against known answers, and SQL against Python."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine, select

from motif.core.catalog import tables
from motif.core.columns.column_query import ColumnEvaluation
from motif.core.columns.column_reading import read_change
from motif.core.columns.column_table import FacetColumn, Mask
from motif.core.query import LABEL, Query, parse
from motif.core.query.nodes import Facets, Phrase
from motif.core.records import FacetValue

SCAN: Mapping[str, FacetValue] = {
    "operator": "xu",
    "material": "PbTiO3",
    "scan_size": 2e-6,
    "tip_voltage": 2.5,
    "temperature": 293.15,
    "acquired_at": "2019-05-17T09:30:15Z",
    "simulated": True,
    "Flatten Order 0": 3.0,
    "title": "Domain Wall 100%",
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", True),
        ('operator = "xu"', True),
        ('operator = "Xu"', False),
        ('operator != "xu"', False),
        ('operator != "wu"', True),
        ('operator < "xv" and operator >= "xu"', True),
        ("scan_size <= 2 um", True),
        ("scan_size < 2 um", False),
        ("scan_size = 2000 nm", True),
        ("scan_size > 1.9um and scan_size < 2.1 um", True),
        ("scan_size between 1 um and 2 um", True),
        ("scan_size in 1 .. 2 um", True),
        ("scan_size = 1um..2um", True),
        ("scan_size not between 1 um and 2 um", False),
        ("scan_size not between 3 um and 4 um", True),
        ("tip_voltage > 2 V", True),
        ("tip_voltage = 2500 mV", True),
        ("temperature = 20 degC", True),
        ('material in ("PbTiO3", "BiFeO3")', True),
        ('material not in ("PbTiO3", "BiFeO3")', False),
        ('material like "pb%"', True),
        ('material like "Pb_iO3"', True),
        ('material not like "Bi%"', True),
        (r'title like "%100\%"', True),
        (r'title like "%10\%"', False),
        ("acquired_at = 2019-05-17", True),
        ("acquired_at > 2019-05-17", False),
        ("acquired_at >= 2019-05-17", True),
        ("acquired_at <= 2019-05-17", True),
        ("acquired_at = 2019-05", True),
        ("acquired_at = 2019-05-17T11:30+02:00", True),
        ("acquired_at = 2019-05-17 09:30:15", True),
        ("acquired_at < 2019-05-17T09:30:15", False),
        ("acquired_at in 2019-04 .. 2019-05", True),
        ("material >= 2019-01-01", False),
        ("simulated = true", True),
        ("simulated != true", False),
        ("simulated = 1", True),
        ('"Flatten Order 0" = 3', True),
        ("has tip_voltage", True),
        ("has substrate", False),
        ('text "domain wall"', True),
        ('text "PBTI"', True),
        ('text "nothing of the kind"', False),
        ('substrate = "SRO"', False),
        ('substrate != "SRO"', False),
        ('not substrate = "SRO"', True),
        ('substrate not in ("SRO")', False),
        ("operator = 3", False),
        ("operator != 3", False),
        ('scan_size = "2 um"', False),
        ('operator = "a" or operator = "xu" and scan_size < 1 um', False),
        ('(operator = "a" or operator = "xu") and not scan_size < 1 um', True),
        ('NOT operator = "a" AND Has operator', True),
    ],
)
def test_meaning(query: str, expected: bool) -> None:
    assert parse(query).matches(SCAN) is expected


def test_full_text_searches_the_given_text() -> None:
    assert parse('text "lift mode"').matches({}, text="Imaging: Lift Mode")


def test_nan_is_not_a_value() -> None:
    facets = {"x": math.nan}
    assert not parse("has x").matches(facets)
    assert not parse("x != 1").matches(facets)


NAMES = ("a", "b.c", "Flatten Order 0", "title", "kind", LABEL)
WORDS = ("", "xu", "Xu", "é", "É", "100%", "a_b", "2019-05-17", "2019-05-17T09:30:00Z", "'; drop")
texts = st.sampled_from(WORDS) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=4
)
numbers = st.sampled_from([0.0, 1.0, 2e-6, -2e-6, 1.0 + 1e-12, 1e300, -0.0]) | st.floats(
    allow_nan=False, allow_infinity=False
)
quoted = texts.map(lambda t: '"' + t.replace("\\", "\\\\").replace('"', '\\"') + '"')
dates = st.sampled_from(["2019-05", "2019-05-17", "2019-05-17T09:30", "2019-05-17T09:30:00.5Z"])
quantities = numbers.map(repr) | st.sampled_from(["2 um", "1 m", "2000 nm", "0 V"])
values = quoted | quantities | dates | st.sampled_from(["true", "false"])
ordered = quoted | quantities | dates
names = st.sampled_from([f'"{name}"' for name in NAMES])
patterns = (st.text("a%_Xué2", max_size=4) | st.sampled_from([r"100\%", "%:%", "_____05%"])).map(
    lambda pattern: f'"{pattern}"'
)
operators = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
terms = st.one_of(
    st.tuples(names, operators, ordered).map(" ".join),
    st.tuples(names, st.sampled_from(["=", "!="]), values).map(" ".join),
    st.tuples(names, st.sampled_from(["in", "not in"]), st.lists(values, min_size=1, max_size=3))
    .map(lambda t: f"{t[0]} {t[1]} ({', '.join(t[2])})"),
    st.tuples(names, st.sampled_from(["like", "not like"]), patterns).map(" ".join),
    *(
        st.tuples(names, st.sampled_from(["between", "not between"]), kind, kind).map(
            lambda t: f"{t[0]} {t[1]} {t[2]} and {t[3]}"
        )
        for kind in (quoted, quantities, dates)
    ),
    names.map(lambda name: f"has {name}"),
    quoted.map(lambda phrase: f"text {phrase}"),
)  # fmt: skip
queries = st.recursive(
    terms,
    lambda inner: st.one_of(
        inner.map(lambda q: f"not ({q})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda t: f"({t[0]}) {t[1]} ({t[2]})"
        ),
    ),
    max_leaves=4,
)
facet_values: st.SearchStrategy[FacetValue] = texts | numbers | st.booleans()
one_line = texts.filter(lambda text: text and "\n" not in text)
labels = st.lists(one_line, min_size=1, max_size=3, unique=True).map(tuple)
samples = st.fixed_dictionaries(
    {"title": texts, "kind": st.sampled_from(["image", "spectrum"])},
    optional={**dict.fromkeys(NAMES[:3], facet_values), LABEL: labels},
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    tables.metadata.create_all(engine)
    yield engine
    engine.dispose()


@contextmanager
def filled(engine: Engine, lab: Sequence[Facets]) -> Iterator[Connection]:
    with engine.connect() as connection:
        for number, sample in enumerate(lab):
            connection.execute(tables.measurements.insert().values(**_row(number, sample)))
            for name, value in sample.items():
                if isinstance(value, tuple):
                    for text in value:
                        annotation = _annotation(number, text)
                        insert = tables.measurement_annotations.insert()
                        connection.execute(insert.values(**annotation))
                elif name not in ("title", "kind"):
                    connection.execute(tables.facets.insert().values(**_facet(number, name, value)))
        yield connection
        connection.rollback()


def answered(connection: Connection, query: Query) -> set[int]:
    condition = query.where(
        tables.measurements, tables.facets, annotations=tables.measurement_annotations
    )
    return {
        int(identity)
        for identity in connection.scalars(select(tables.measurements.c.id).where(condition))
    }


def found_by_sql(engine: Engine, query: str, lab: Sequence[Facets]) -> set[int]:
    with filled(engine, lab) as connection:
        return answered(connection, parse(query))


def found_by_columns(engine: Engine, query: str, lab: Sequence[Facets]) -> set[int]:
    with filled(engine, lab) as connection:
        table = read_change(connection, "c", 0).live

        def phrase(words: str) -> Mask:
            matches = answered(connection, Query(Phrase(words)))
            return np.array([int(identity) in matches for identity in table.ids], np.bool_)

        def column(name: str) -> FacetColumn | None:
            facet = table.own.get(name) or table.facets.get(name)
            return facet.grouped if name == LABEL and facet else facet

        mask = ColumnEvaluation(len(table.ids), column, phrase).of(parse(query).node)
    return {int(identity) for identity in table.ids[mask]}


def _row(number: int, sample: Facets) -> dict[str, object]:
    return {
        "number": number, "id": str(number), "record_id": "r", "collection": "c",
        "kind": sample["kind"], "key": "0", "title": sample["title"], "array": "a",
        "row": number, "layout": {}, "composition": {}, "targets": {}, "simulated": False,
        "live": True, "changed": 0,
    }  # fmt: skip


def _annotation(number: int, text: str) -> dict[str, object]:
    return {
        "derivation": text, "measurement": str(number), "kind": LABEL, "text": text,
        "who": "", "at": "",
    }  # fmt: skip


def _facet(number: int, name: str, value: FacetValue) -> dict[str, object]:
    text = value if isinstance(value, str) else None
    quantity = None if isinstance(value, str) else float(value)
    unit = "bool" if isinstance(value, bool) else ""
    return {
        "measurement": number, "name": name, "text": text, "number": quantity,
        "unit": unit, "origin": "",
    }  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(query=queries, lab=st.lists(samples, min_size=1, max_size=5))
def test_sql_agrees_with_python(engine: Engine, query: str, lab: list[Facets]) -> None:
    asked = parse(query)
    expected = {number for number, sample in enumerate(lab) if asked.matches(sample)}
    assert found_by_sql(engine, query, lab) == expected


@settings(max_examples=150, deadline=None)
@given(query=queries, lab=st.lists(samples, min_size=1, max_size=5))
def test_columns_agree_with_python(engine: Engine, query: str, lab: list[Facets]) -> None:
    asked = parse(query)
    expected = {number for number, sample in enumerate(lab) if asked.matches(sample)}
    assert found_by_columns(engine, query, lab) == expected


LAB: Sequence[Facets] = [
    {"title": "t", "kind": "image"},
    *(
        {"title": "t", "kind": "image", "a": value}
        for value in (
            *WORDS, "100", "axb", "2019-05-18", "2019-06-01T00:00:00Z", "2019-04-30", "zirconia",
            0.0, 1.0, 1.0 + 1e-12, 1.0 + 1e-6, 2e-6, -2e-6, True, False,
        )
    ),
]  # fmt: skip
VALUES = (
    '"xu"', '"2019-05-17"', '""', "1", "0", "2 um", "-2e-6", "true", "2019-05", "2019-05-17",
    "2019-05-17T09:30",
)  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [f"a {op} {v}" for op in ("=", "!=", "<", "<=", ">", ">=") for v in VALUES if v != "true"]
    + ["a = true", "a != true", 'a in ("xu", 1, "é")', 'a not in ("xu", 1, "é")']
    + [f"a in ({first}, {second})" for first in VALUES[:4] for second in VALUES[:4]]
    + [f"a {negation}between {v} and {v}" for v in VALUES if v != "true"
       for negation in ("", "not ")]
    + [f"a {negation}like {p}" for p in ('"%"', '"X_"', r'"100\%"', '"É"', r'"a\_b"', '"a_b"')
       for negation in ("", "not ")],
)  # fmt: skip
def test_every_comparison_agrees_with_python(engine: Engine, query: str) -> None:
    asked = parse(query)
    expected = {number for number, sample in enumerate(LAB) if asked.matches(sample)}
    assert found_by_sql(engine, query, LAB) == expected
    assert found_by_columns(engine, query, LAB) == expected


@settings(max_examples=150, deadline=None)
@given(queries)
def test_canonical_text_reads_back_as_the_same_query(query: str) -> None:
    asked = parse(query)
    assert parse(str(asked)) == asked


@pytest.mark.parametrize(
    "hostile", ["' or 1=1 --", '"; drop table facets; --', "\\", "%", "${x}", "\x1b[0m"]
)
def test_injection_is_just_text(engine: Engine, hostile: str) -> None:
    literal = '"' + hostile.replace("\\", "\\\\").replace('"', '\\"') + '"'
    lab: list[Mapping[str, FacetValue]] = [
        {"title": "t", "kind": "image", "a": hostile},
        {"title": "t", "kind": "image", "a": "other"},
    ]
    assert found_by_sql(engine, f"a = {literal}", lab) == {0}
    assert found_by_sql(engine, f"{literal} = {literal}", lab) == set()
    compiled = parse(f"a = {literal}").where(tables.measurements, tables.facets)
    assert hostile in compiled.compile().params.values()


def test_a_search_index_is_used_for_full_text() -> None:
    asked: list[str] = []

    def search(phrase: str):  # type: ignore[no-untyped-def]
        asked.append(phrase)
        return tables.measurements.c.id == "from-index"

    condition = parse('text "wall"').where(tables.measurements, tables.facets, search)
    assert asked == ["wall"]
    assert "from-index" in condition.compile().params.values()
