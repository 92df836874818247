"""Array functions of the query language."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from typing import Any

from motif.ingest.sandbox.query_language.query_values import (
    EvaluationError,
    Value,
    compare,
    number,
    rank,
    truth,
)

_LONGEST = 100_000


def array(value: Value) -> list[Value]:
    """Give an array as it is; anything else counts as an empty one."""
    return value if isinstance(value, list) else []


def _key(value: Value) -> tuple[int, str]:
    """Give what two equal values share: 1 and 1.0 are equal, 1 and true are not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return rank(value), json.dumps(value, sort_keys=True)


def _unique(values: Iterable[Value]) -> list[Value]:
    return list({_key(value): value for value in reversed(list(values))}.values())[::-1]


def _holds(values: Value, wanted: Value) -> bool:
    return any(compare(value, wanted) == 0 for value in array(values))


def _sorted(values: Iterable[Value]) -> list[Value]:
    return sorted(values, key=functools.cmp_to_key(compare))


def _append(first: Value, second: Value, unique: Value = False) -> list[Value]:
    joined = array(first) + (second if isinstance(second, list) else [second])
    return _unique(joined) if truth(unique) else joined


def _push(values: Value, value: Value, unique: Value = False) -> list[Value]:
    if truth(unique) and _holds(values, value):
        return array(values)
    return [*array(values), value]


def _unshift(values: Value, value: Value, unique: Value = False) -> list[Value]:
    if truth(unique) and _holds(values, value):
        return array(values)
    return [value, *array(values)]


def _flatten(values: Value, depth: Value = 1) -> list[Value]:
    flat: list[Value] = []
    for value in array(values):
        if isinstance(value, list) and number(depth) >= 1:
            flat.extend(_flatten(value, number(depth) - 1))
        else:
            flat.append(value)
    return flat


def _common(*arrays: Value) -> list[Value]:
    if not arrays:
        return []
    keys = set.intersection(*({_key(value) for value in array(each)} for each in arrays))
    return [value for value in _unique(array(arrays[0])) if _key(value) in keys]


def _minus(*arrays: Value) -> list[Value]:
    gone = {_key(value) for each in arrays[1:] for value in array(each)}
    return [value for value in _unique(array(arrays[0])) if _key(value) not in gone]


def _outer(*arrays: Value) -> list[Value]:
    everything = [value for each in arrays for value in _unique(array(each))]
    counts: dict[Any, int] = {}
    for value in everything:
        counts[_key(value)] = counts.get(_key(value), 0) + 1
    return [value for value in everything if counts[_key(value)] == 1]


def _interleave(*arrays: Value) -> list[Value]:
    lists = [array(each) for each in arrays]
    longest = max((len(each) for each in lists), default=0)
    return [each[place] for place in range(longest) for each in lists if place < len(each)]


def _jaccard(first: Value, second: Value) -> float:
    left, right = ({_key(value) for value in array(each)} for each in (first, second))
    return len(left & right) / len(left | right) if left | right else 1.0


def _position(values: Value, wanted: Value, give_index: Value = False) -> Value:
    for index, value in enumerate(array(values)):
        if compare(value, wanted) == 0:
            return index if truth(give_index) else True
    return -1 if truth(give_index) else False


def _nth(values: Value, place: Value) -> Value:
    found, index = array(values), int(number(place))
    return found[index] if 0 <= index < len(found) else None


def _remove_nth(values: Value, place: Value) -> list[Value]:
    found, index = array(values), int(number(place))
    if not -len(found) <= index < len(found):
        return found
    index %= len(found)
    return found[:index] + found[index + 1 :]


def _replace_nth(values: Value, place: Value, value: Value, default: Value = None) -> list[Value]:
    found, index = list(array(values)), int(number(place))
    index = max(0, index + len(found)) if index < 0 else index
    if index >= _LONGEST:
        raise EvaluationError("Position in 'replace_nth' is too large.")
    found += [default] * (index - len(found) + 1)
    found[index] = value
    return found


def _remove_value(values: Value, value: Value, limit: Value = None) -> list[Value]:
    left = len(array(values)) if limit is None else int(number(limit))
    kept = []
    for each in array(values):
        if left and compare(each, value) == 0:
            left -= 1
        else:
            kept.append(each)
    return kept


def _slice(values: Value, start: Value, length: Value = None) -> list[Value]:
    found = array(values)[int(number(start)) :]
    return found if length is None else found[: int(number(length))]


def _union(*arrays: Value) -> list[Value]:
    return [value for each in arrays for value in array(each)]


ARRAY_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "append": _append,
    "contains_array": _position,
    "count": lambda values: len(array(values)),
    "count_distinct": lambda values: len(_unique(array(values))),
    "count_unique": lambda values: len(_unique(array(values))),
    "first": lambda values: _nth(values, 0),
    "flatten": _flatten,
    "interleave": _interleave,
    "intersection": _common,
    "jaccard": _jaccard,
    "last": lambda values: _nth(values, len(array(values)) - 1),
    "minus": _minus,
    "nth": _nth,
    "outersection": _outer,
    "pop": lambda values: array(values)[:-1],
    "position": _position,
    "push": _push,
    "remove_nth": _remove_nth,
    "replace_nth": _replace_nth,
    "remove_value": _remove_value,
    "remove_values": lambda values, gone: [
        value for value in array(values) if not _holds(gone, value)
    ],
    "reverse": lambda values: values[::-1] if isinstance(values, str) else array(values)[::-1],
    "shift": lambda values: array(values)[1:],
    "slice": _slice,
    "sorted": lambda values: _sorted(array(values)),
    "sorted_unique": lambda values: _sorted(_unique(array(values))),
    "union": _union,
    "union_distinct": lambda *arrays: _unique(_union(*arrays)),
    "unique": lambda values: _unique(array(values)),
    "unshift": _unshift,
}
