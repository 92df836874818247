"""Metadata survives the way through strict JSON."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.ingest.datafed.metadata_json import MAX_DEPTH, from_json, parse_json, to_json

text = st.text(st.characters(codec="utf-8"), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.datetimes()
    | st.dates()
    | st.times()
)
keys = st.sampled_from(["$float", "$dict", "$int", "$pairs", "plain"]) | st.text(max_size=4)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def dumps(value: Any) -> str:
    return json.dumps(to_json(value), allow_nan=False, ensure_ascii=False)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and math.isnan(left):
        return isinstance(right, float) and math.isnan(right)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return type(left) is type(right) and bool(left == right)


@given(values)
def test_nothing_is_lost(value: Any) -> None:
    wire = dumps(value)
    wire.encode()
    assert same(from_json(json.loads(wire)), value)


@given(values)
def test_parsing_keeps_the_tags(value: Any) -> None:
    assert parse_json(dumps(value)) == json.loads(dumps(value))


def test_rewritten_values_are_reported() -> None:
    notes: list[str] = []
    value = {"bias": math.nan, "steps": [1.0, math.inf], "fine": 2, "raw": b"\x00"}
    assert to_json(value, notes) == {
        "bias": {"$float": "nan"},
        "steps": [1.0, {"$float": "inf"}],
        "fine": 2,
        "raw": {"$bytes": "AA=="},
    }
    assert len(notes) == 3
    assert notes[0].startswith("bias")
    assert notes[1].startswith("steps[1]")


def test_numpy_values_are_plain() -> None:
    value = {
        "size": np.float32(0.5),
        "count": np.int64(3),
        "flag": np.bool_(True),
        "axis": np.array([[1.0, math.nan]]),
    }
    assert to_json(value) == {
        "size": 0.5,
        "count": 3,
        "flag": True,
        "axis": [[1.0, {"$float": "nan"}]],
    }
    assert to_json(value)["flag"] is True


def test_values_that_strict_json_cannot_express_are_tagged() -> None:
    value = parse_json('{"a": NaN, "b": -Infinity, "c": 1e999, "d": 123456789012345678901, "e": 1}')
    assert value == {
        "a": {"$float": "nan"},
        "b": {"$float": "-inf"},
        "c": {"$float": "inf"},
        "d": {"$int": "123456789012345678901"},
        "e": 1,
    }
    assert from_json(value)["d"] == 123456789012345678901


def test_a_lone_surrogate_is_kept() -> None:
    value = parse_json('{"name": "\\ud800x", "\\udfff": 1}')
    json.dumps(value, ensure_ascii=False).encode()
    assert from_json(value) == {"name": "\ud800x", "\udfff": 1}


@pytest.mark.parametrize(
    "value",
    [
        {"$float": "fast"},
        {"$int": []},
        {"$bytes": "???"},
        {"$time": 5},
        {"$text": "abc"},
        {"$text": [-1]},
        {"$pairs": [[1]]},
        {"$pairs": [[[], 1]]},
        {"$dict": 1},
        {"$float": "nan", "other": 1},
    ],
)
def test_tags_of_others_stay_as_they_are(value: Any) -> None:
    assert from_json(value) == value


def test_depth_is_bounded() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH + 50):
        value = [value]
    notes: list[str] = []
    json.dumps(to_json(value, notes))
    assert len(notes) == 1
    with pytest.raises(ValueError, match="nested"):
        parse_json("[" * 200_000)


def test_dates() -> None:
    moment = datetime.datetime(2020, 9, 4, 12, 30, tzinfo=datetime.UTC)
    assert to_json(moment) == {"$time": "2020-09-04T12:30:00+00:00"}
    assert from_json({"$time": "2020-09-04"}) == datetime.date(2020, 9, 4)
