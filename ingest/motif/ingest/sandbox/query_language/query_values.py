"""Values as AQL sees them: their order, truth and conversion to numbers and text.

null < false < true < numbers < strings < arrays < objects; a comparison across types is decided by
the types alone.
"""

from __future__ import annotations

import functools
import json
import math
import re
from typing import Any

Value = Any
"""What JSON can hold."""


class EvaluationError(ValueError):
    """An expression cannot be evaluated for a record."""


def rank(value: Value) -> int:
    """Give the place of a value's type in the order of types."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    if isinstance(value, (int, float)):
        return 2
    if isinstance(value, str):
        return 3
    return 4 if isinstance(value, list) else 5


def compare(left: Value, right: Value) -> int:
    """Give -1, 0 or 1 as `left` comes before, with or behind `right`."""
    first, second = rank(left), rank(right)
    if first != second:
        return -1 if first < second else 1
    if first == 0:
        return 0
    if first == 3:
        return _sign(_text_key(left), _text_key(right))
    if first == 4:
        return _compare_arrays(left, right)
    if first == 5:
        return _compare_objects(left, right)
    return _sign(left, right)


def _sign(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def _text_key(text: str) -> tuple[str, str]:
    """Order text as dictionaries do: case decides only between otherwise equal texts."""
    return text.casefold(), text.swapcase()


def _compare_arrays(left: list[Value], right: list[Value]) -> int:
    for index in range(max(len(left), len(right))):
        found = compare(
            left[index] if index < len(left) else None,
            right[index] if index < len(right) else None,
        )
        if found:
            return found
    return 0


def _compare_objects(left: dict[str, Value], right: dict[str, Value]) -> int:
    for key in sorted(left.keys() | right.keys()):
        found = compare(left.get(key), right.get(key))
        if found:
            return found
    return 0


def truth(value: Value) -> bool:
    """Whether a value counts as true: arrays and objects always do, even empty ones."""
    if isinstance(value, (list, dict)):
        return True
    return bool(value)


def number(value: Value) -> float | int:
    """Convert to a number as arithmetic does; what is none counts as 0."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        try:
            found = float(value.strip()) if "_" not in value else math.nan
        except ValueError:
            return 0
        return found if math.isfinite(found) else 0
    if isinstance(value, list) and len(value) == 1:
        return number(value[0])
    return 0


def finite(value: float | complex) -> float | None:
    """Give a number that exists, nothing for infinite and undefined ones."""
    if isinstance(value, complex) or not math.isfinite(value):
        return None
    return value


def text(value: Value) -> str:
    """Convert to text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, separators=(",", ":"))


_LONGEST_PATTERN = 500
_LONGEST_SUBJECT = 1_000
_MOST_REPETITIONS = 8


class PatternError(EvaluationError):
    """A regular expression is invalid, or could take for ever."""


@functools.lru_cache(maxsize=256)
def _like_parts(pattern: str) -> tuple[re.Pattern[str], ...]:
    """Compile the stretches between ``%``: ``_`` is any character, ``\\`` takes one literally."""
    stretches: list[list[str]] = [[]]
    place = 0
    while place < len(pattern):
        letter = pattern[place]
        if letter == "%":
            stretches.append([])
        elif letter == "_":
            stretches[-1].append(".")
        else:
            if letter == "\\" and place + 1 < len(pattern):
                place += 1
                letter = pattern[place]
            stretches[-1].append(re.escape(letter))
        place += 1
    return tuple(re.compile("".join(stretch), re.DOTALL) for stretch in stretches)


def is_like(subject: str, pattern: str) -> bool:
    """Whether the whole of `subject` fits a ``like`` pattern.

    The first place where each stretch fits is as good as any later one, so no backtracking is
    needed.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise PatternError("Pattern of 'like' is too long.")
    first, *rest = _like_parts(pattern)
    if not rest:
        return first.fullmatch(subject) is not None
    found = first.match(subject)
    for part in rest[:-1]:
        found = found and part.search(subject, found.end())
    if not found:
        return False
    tail = re.compile(f"(?:{rest[-1].pattern})\\Z", re.DOTALL)
    return tail.search(subject, found.end()) is not None


@functools.lru_cache(maxsize=256)
def _regular(pattern: str) -> re.Pattern[str]:
    if len(pattern) > _LONGEST_PATTERN or _is_explosive(pattern):
        raise PatternError("Regular expression is too complex.")
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(f"Invalid regular expression: {error}") from error


def is_match(subject: str, pattern: str) -> bool:
    """Whether a regular expression is found in (the first 1,000 characters of) `subject`."""
    return _regular(pattern).search(subject[:_LONGEST_SUBJECT]) is not None


def _is_explosive(pattern: str) -> bool:
    """Whether a repeated group holds a repetition or an alternative: matching such a pattern can
    take time exponential in the length of the text.
    """
    bare = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "x", pattern, flags=re.DOTALL)
    varied = [False]
    repetitions = 0
    for place, letter in enumerate(bare):
        if letter == "(":
            varied.append(False)
        elif letter == ")" and len(varied) > 1:
            inner = varied.pop()
            if inner and bare[place + 1 : place + 2] in ("*", "+", "{"):
                return True
            varied[-1] = varied[-1] or inner
        elif letter in "*+{|":
            repetitions += letter != "|"
            varied[-1] = True
    return repetitions > _MOST_REPETITIONS
