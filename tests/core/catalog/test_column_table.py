"""Columns without a catalog: kinds, counts, categories, updates and Arrow arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.columns.column_query import ColumnEvaluation
from motif.core.columns.column_table import (
    FLAG,
    MISSING,
    OWN,
    ColumnTable,
    FacetColumn,
    TextDictionary,
    in_order,
    number_text,
    recoded,
)
from motif.core.query import parse

NAN = np.nan


def texts(*values: str | None) -> FacetColumn:
    distinct = sorted({value for value in values if value is not None})
    codes = [MISSING if value is None else distinct.index(value) for value in values]
    return FacetColumn(np.array(codes, np.int32), TextDictionary.of(distinct))


def numbers(unit: str, *values: float) -> FacetColumn:
    return FacetColumn(numbers={unit: np.array(values, np.float64)})


def table(ids: list[str], facets: Mapping[str, FacetColumn]) -> ColumnTable:
    own = {name: texts(*ids) for name in OWN}
    return ColumnTable(np.array([identity.encode() for identity in ids], "S32"), own, facets)


@pytest.mark.parametrize(
    ("column", "kind", "unit"),
    [
        (texts("a", None), "category", ""),
        (numbers("m", 1.0, NAN), "number", "m"),
        (numbers(FLAG, 1.0, 0.0), "flag", FLAG),
        (FacetColumn(), "category", ""),
        (FacetColumn(numbers={"m": np.ones(2), "V": np.ones(2)}), "number", ""),
        (FacetColumn(texts("a").codes, seconds=np.ones(1)), "date", ""),
    ],
)
def test_kinds_and_units(column: FacetColumn, kind: str, unit: str) -> None:
    assert (column.kind, column.unit) == (kind, unit)


def test_numbers_of_several_units_are_one_column_of_values() -> None:
    column = FacetColumn(numbers={"V": np.array([1, NAN, NAN]), "m": np.array([NAN, 2, NAN])})
    np.testing.assert_array_equal(column.values, [1, 2, NAN])
    assert column.known.tolist() == [True, True, False]
    assert column.counts() == {"1 V": 1, "2 m": 1}


def test_texts_and_numbers_of_one_facet_are_counted_together() -> None:
    text = texts("b", None, "b", None)
    column = FacetColumn(text.codes, text.labels, {"": np.array([NAN, 7.0, NAN, NAN])})
    labels, codes = column.categories
    assert list(labels) == ["7", "b"]
    assert codes.tolist() == [1, 0, 1, MISSING]
    assert column.counts() == {"b": 2, "7": 1}
    assert column.counts(np.array([False, True, True, True])) == {"7": 1, "b": 1}


def test_several_labels_of_a_measurement_count_each() -> None:
    column = texts("odd", None, "odd\nworn", "worn").grouped
    assert list(column.labels) == ["odd", "worn"]
    assert column.counts() == {"odd": 2, "worn": 2}
    assert column.counts(np.array([True, True, False, False])) == {"odd": 1}


def test_numbers_as_text() -> None:
    assert number_text(1.0, FLAG) == "true"
    assert number_text(0.0, FLAG) == "false"
    assert number_text(256.0, "") == "256"
    assert number_text(2.5e-6, "m") == "2.5e-06 m"


def test_standard_facets_come_first() -> None:
    columns = dict.fromkeys(["zeta", "technique", "alpha", "material"], FacetColumn())
    assert list(in_order(columns)) == ["material", "technique", "alpha", "zeta"]


def test_recoding_keeps_missing_values() -> None:
    new = recoded(np.array([0, MISSING, 1], np.int32), np.array([5, 3], np.int32))
    assert new.tolist() == [5, MISSING, 3]


@given(st.sets(st.text(max_size=4), min_size=1), st.data())
def test_a_reduced_dictionary_keeps_the_used_texts(
    all_texts: set[str], data: st.DataObject
) -> None:
    ordered = sorted(all_texts)
    used = np.array([data.draw(st.booleans()) for _ in ordered])
    reduced, codes = TextDictionary.of(ordered).reduced(used)
    kept = [text for text, is_used in zip(ordered, used, strict=True) if is_used]
    assert list(reduced) == kept
    assert [reduced[codes[old]] for old in np.flatnonzero(used)] == kept


def test_a_dictionary_is_a_sequence() -> None:
    dictionary = TextDictionary.of(["", "a", "ß", "日本"])
    assert len(dictionary) == 4
    assert dictionary[-1] == "日本"
    assert dictionary[1:3] == ("a", "ß")
    assert "ß" in dictionary
    with pytest.raises(IndexError):
        dictionary[4]
    ids = np.array([b"a1", b"b22"], "S32")
    assert list(TextDictionary.of_ids(ids)) == ["a1", "b22"]


def test_rows_are_replaced_removed_and_added_in_order() -> None:
    old = table(["a", "c", "d"], {"mode": texts("x", "y", None), "bias": numbers("V", 1, 2, 3)})
    new = table(["b", "c"], {"mode": texts("z", None), "gain": numbers("", 7, NAN)})
    removed = np.array([b"c", b"d"], "S32")
    updated = old.updated(removed, new)
    assert updated.ids.tolist() == [b"a", b"b", b"c"]
    assert updated.facets["mode"].counts() == {"x": 1, "z": 1}
    assert list(updated.facets["mode"].labels) == ["x", "z"]
    np.testing.assert_array_equal(updated.facets["bias"].values, [1, NAN, NAN])
    np.testing.assert_array_equal(updated.facets["gain"].values, [NAN, 7, NAN])
    assert list(updated.own["title"].labels) == ["a", "b", "c"]
    nothing = updated.updated(updated.ids, ColumnTable.empty())
    assert len(nothing.ids) == 0
    assert nothing.facets == {}


def test_rows_of_ids_leave_out_unknown_ones() -> None:
    columns = table(["a", "c"], {})
    wanted = np.array([b"c", b"b", b"a", b"z"], "S32")
    assert columns.rows_of(wanted).tolist() == [1, 0]
    assert ColumnTable.empty().rows_of(wanted).tolist() == []


def test_arrow_arrays_of_each_kind() -> None:
    assert texts("b", None, "a").to_arrow().to_pylist() == ["b", None, "a"]
    assert pa.types.is_dictionary(texts("b").to_arrow().type)
    assert numbers("m", 1.5, NAN).to_arrow().to_pylist() == [1.5, None]
    assert numbers(FLAG, 1.0, 0.0, NAN).to_arrow().to_pylist() == [True, False, None]
    grouped = texts("odd\nworn", None, "odd").grouped.to_arrow()
    assert grouped.to_pylist() == [["odd", "worn"], [], ["odd"]]
    mixed = FacetColumn(texts("b", None).codes, texts("b").labels, {FLAG: np.array([NAN, 1.0])})
    assert mixed.to_arrow().to_pylist() == ["b", "true"]


COLUMNS = {
    "mode": texts("AFM", "PFM", None, "PFM"),
    "bias": numbers("V", 1.0, 2.0, 3.0, NAN),
    "simulated": numbers(FLAG, 1.0, 0.0, NAN, 1.0),
    "acquired_at": texts("2019-05-17T09:30:00Z", "2020-01-01T00:00:00Z", None, "unknown"),
    "label": texts("odd", "odd\nworn", None, None).grouped,
}


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ('mode = "PFM"', [1, 3]), ('mode != "PFM"', [0]), ('mode > "B"', [1, 3]),
        ('mode <= "AFM"', [0]), ('not mode = "PFM"', [0, 2]), ("has mode", [0, 1, 3]),
        ('mode in ("AFM", "x")', [0]), ('mode not in ("AFM", "x")', [1, 3]),
        ('mode like "%fm"', [0, 1, 3]), ('mode between "A" and "B"', [0]),
        ('mode not between "A" and "B"', [1, 3]), ("bias >= 2 V", [1, 2]), ("bias = 1000 mV", [0]),
        ("bias != 1 V", [1, 2]), ("bias < 2 V or bias > 2 V", [0, 2]),
        ("bias between 1.5 V and 2.5 V", [1]), ("bias in (1 V, 3 V)", [0, 2]),
        ("simulated = true", [0, 3]), ("simulated = false", [1]),
        ("acquired_at >= 2019-12-31", [1]),
        ("acquired_at < 2020-01-01", [0]), ("acquired_at = 2019-05", [0]),
        ('label = "odd"', [0, 1]), ('label = "worn" and label = "odd"', [1]),
        ("not has label", [2, 3]),
        ('has mode and (bias > 1 V or label = "odd")', [0, 1]),
    ],
)  # fmt: skip
def test_queries_on_columns(where: str, rows: list[int]) -> None:
    node = parse(where, known={**dict.fromkeys(COLUMNS), "bias": "V", "simulated": FLAG}).node
    evaluation = ColumnEvaluation(4, COLUMNS.get, lambda phrase: np.zeros(4, np.bool_))
    assert np.flatnonzero(evaluation.of(node)).tolist() == rows


def test_phrases_and_unknown_names() -> None:
    def phrase(text: str) -> np.ndarray:
        return np.array([text == "worn", False, True, False])

    evaluation = ColumnEvaluation(4, COLUMNS.get, phrase)
    assert evaluation.of(parse('text "worn" and has mode').node).tolist() == [True, *[False] * 3]
    assert not evaluation.of(parse('colour = "red"').node).any()
    assert evaluation.of(None).all()
