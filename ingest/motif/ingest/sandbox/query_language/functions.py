"""Functions of the query language.

A function given something it cannot work with gives null, as in AQL. Geographic functions are
accepted by name but not computed.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from motif.ingest.sandbox.query_language.array_functions import ARRAY_FUNCTIONS, array
from motif.ingest.sandbox.query_language.query_values import (
    EvaluationError,
    Value,
    compare,
    finite,
    number,
    text,
)

Function = Callable[..., Value]


def _numeric(function: Callable[..., float]) -> Function:
    def evaluate(*values: Value) -> Value:
        try:
            return finite(function(*(number(value) for value in values)))
        except (ValueError, OverflowError, ZeroDivisionError):
            return None

    return evaluate


def _numbers(values: Value) -> list[float]:
    return [
        value for value in array(values) if isinstance(value, (int, float)) and value is not None
    ]


def _statistic(function: Callable[[list[float]], float], fewest: int = 1) -> Function:
    def evaluate(values: Value) -> Value:
        found = _numbers(values)
        if len(found) < fewest:
            return None
        try:
            return finite(function(found))
        except OverflowError:
            return None

    return evaluate


def _extreme(sign: int) -> Function:
    def evaluate(values: Value) -> Value:
        best: Value = None
        for value in array(values):
            if value is not None and (best is None or compare(value, best) * sign > 0):
                best = value
        return best

    return evaluate


def _percentile(values: Value, position: Value, method: Value = "rank") -> Value:
    found = sorted(_numbers(values))
    share = number(position) / 100
    if not found or not 0 < share <= 1:
        return None
    if method == "interpolation":
        place = share * (len(found) + 1)
        if place < 1:
            return found[0]
        if place >= len(found):
            return found[-1]
        low = int(place)
        return found[low - 1] + (place - low) * (found[low] - found[low - 1])
    return found[min(len(found), max(1, math.ceil(share * len(found)))) - 1]


def _round(value: float) -> float:
    return math.floor(value + 0.5)


def _length(value: Value) -> Value:
    if value is None or value is False:
        return 0
    if value is True:
        return 1
    if isinstance(value, (int, float)):
        return len(text(value))
    return len(value)


def _date_timestamp(value: Value = None, *_parts: Value) -> Value:
    """Milliseconds since the epoch of an ISO 8601 text or a number of milliseconds."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return value
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp() * 1000


def _not_computed(*_values: Value) -> Value:
    raise EvaluationError("Geographic functions are not computed by the sandbox.")


FUNCTIONS: dict[str, Function] = {
    "abs": _numeric(abs),
    "acos": _numeric(math.acos),
    "asin": _numeric(math.asin),
    "atan": _numeric(math.atan),
    "atan2": _numeric(math.atan2),
    "ceil": _numeric(math.ceil),
    "cos": _numeric(math.cos),
    "degrees": _numeric(math.degrees),
    "exp": _numeric(math.exp),
    "exp2": _numeric(lambda value: 2.0**value),
    "floor": _numeric(math.floor),
    "log": _numeric(math.log),
    "log2": _numeric(math.log2),
    "log10": _numeric(math.log10),
    "pi": _numeric(lambda: math.pi),
    "pow": _numeric(math.pow),
    "radians": _numeric(math.radians),
    "round": _numeric(_round),
    "sin": _numeric(math.sin),
    "sqrt": _numeric(math.sqrt),
    "tan": _numeric(math.tan),
    "average": _statistic(statistics.fmean),
    "avg": _statistic(statistics.fmean),
    "sum": _statistic(math.fsum, fewest=0),
    "median": _statistic(statistics.median),
    "stddev_population": _statistic(statistics.pstdev),
    "stddev_sample": _statistic(statistics.stdev, fewest=2),
    "variance_population": _statistic(statistics.pvariance),
    "variance_sample": _statistic(statistics.variance, fewest=2),
    "max": _extreme(1),
    "min": _extreme(-1),
    "percentile": _percentile,
    "length": _length,
    "lower": lambda value: text(value).lower(),
    "upper": lambda value: text(value).upper(),
    "distance": _not_computed,
    "is_in_polygon": _not_computed,
    **ARRAY_FUNCTIONS,
}

DATE_FUNCTIONS: dict[str, Function] = {
    "date_now": lambda: time.time() * 1000,
    "date_timestamp": _date_timestamp,
}


def call(name: str, values: list[Any]) -> Value:
    """Call a function by name.

    Raises:
        EvaluationError: wrong number of values, or a function that is not computed.
    """
    function = FUNCTIONS.get(name) or DATE_FUNCTIONS[name]
    try:
        return function(*values)
    except TypeError as error:
        raise EvaluationError(f"Wrong arguments for function '{name}'.") from error
