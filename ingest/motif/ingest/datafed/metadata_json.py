"""Metadata as strict JSON without losing a value.

DataFed stores JSON objects whose numbers are doubles. A value that strict JSON cannot express is
written as an object with one ``$`` key, so that it survives a round trip:

=================  =============================================
``{"$float": s}``  NaN and infinities: ``nan``, ``inf``, ``-inf``
``{"$int": s}``    integers beyond 2⁵³
``{"$bytes": s}``  bytes, in base 64
``{"$time": s}``   dates and times, ISO 8601
``{"$text": l}``   text with lone surrogates, as code points
``{"$pairs": l}``  mappings whose keys are not all text
``{"$dict": d}``   an object that looks like one of these
=================  =============================================
"""

from __future__ import annotations

import base64
import datetime
import json
import math
import re
from collections.abc import Mapping
from typing import Any

TAGS = frozenset({"$float", "$int", "$bytes", "$time", "$text", "$pairs", "$dict"})
EXACT_INTEGER = 2**53
ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
MAX_DEPTH = 100
"""Deeper values are written as text: no instrument header needs them, and recursion ends there."""


def to_json(value: Any, notes: list[str] | None = None) -> Any:
    """The value in strict JSON; `notes` receives one line for each value that was rewritten."""
    return _to_json(value, "", notes if notes is not None else [], 0)


def _to_json(value: Any, path: str, notes: list[str], depth: int) -> Any:
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        value = value.tolist()
    if value is None or isinstance(value, bool):
        return value
    if depth > MAX_DEPTH:
        notes.append(f"{path or 'metadata'}: nested deeper than {MAX_DEPTH}, kept as text")
        return str(value)
    if isinstance(value, Mapping):
        return _mapping(value, path, notes, depth)
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return [_to_json(item, f"{path}[{i}]", notes, depth + 1) for i, item in enumerate(items)]
    return _scalar(value, path, notes)


def _mapping(value: Mapping[Any, Any], path: str, notes: list[str], depth: int) -> Any:
    def inner(key: Any, item: Any) -> Any:
        return _to_json(item, f"{path}.{key}" if path else str(key), notes, depth + 1)

    if not all(isinstance(key, str) and _is_text(key) for key in value):
        notes.append(f"{path or 'metadata'}: keys that are not text, kept as pairs")
        return {
            "$pairs": [
                [_to_json(key, path, notes, depth + 1), inner(key, item)]
                for key, item in value.items()
            ]
        }
    plain = {str(key): inner(key, item) for key, item in value.items()}
    return {"$dict": plain} if len(plain) == 1 and TAGS & plain.keys() else plain


def _scalar(value: Any, path: str, notes: list[str]) -> Any:
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        notes.append(f"{path}: {value} is not a JSON number")
        return {"$float": repr(float(value))}
    if isinstance(value, int):
        if abs(value) <= EXACT_INTEGER:
            return int(value)
        notes.append(f"{path}: integer beyond 2^53")
        return {"$int": str(int(value))}
    if isinstance(value, str):
        if _is_text(value):
            return str(value)
        notes.append(f"{path}: text that is not Unicode")
        return {"$text": [ord(letter) for letter in value]}
    if isinstance(value, bytes | bytearray):
        notes.append(f"{path}: bytes")
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return {"$time": value.isoformat()}
    notes.append(f"{path}: {type(value).__name__} kept as text")
    return _scalar(str(value), path, notes)


def from_json(value: Any) -> Any:
    """Undo `to_json`; a tagged object that is malformed stays unchanged."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, content),) = value.items()
        if tag in TAGS:
            try:
                return _UNDO[tag](content)
            except (TypeError, ValueError, AttributeError):
                return value
    return {key: from_json(item) for key, item in value.items()}


def parse_json(text: str | bytes) -> Any:
    """Parse untrusted JSON: NaN, Infinity, overflowing numbers and invalid text become tagged.

    Raises:
        ValueError: the text is not JSON, or is nested too deeply.
    """
    try:
        value = json.loads(text, parse_constant=_constant, parse_float=_float, parse_int=_integer)
        return _clean(value) if _may_hold_surrogates(text) else value
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def _may_hold_surrogates(text: str | bytes) -> bool:
    """Lone surrogates come as escapes or in decoded text; most metadata contain none."""
    return isinstance(text, bytes) or bool(ESCAPE.search(text)) or not _is_text(text)


def _constant(text: str) -> dict[str, str]:
    return {"$float": {"NaN": "nan", "Infinity": "inf"}.get(text, "-inf")}


def _float(text: str) -> Any:
    value = float(text)
    return value if math.isfinite(value) else {"$float": repr(value)}


def _integer(text: str) -> Any:
    if len(text) <= 15:
        return int(text)
    return int(text) if len(text) < 20 and abs(int(text)) <= EXACT_INTEGER else {"$int": text}


def _clean(value: Any) -> Any:
    """Tag text that is not valid Unicode; JSON can express it, but no store can keep it."""
    if isinstance(value, str):
        return value if _is_text(value) else {"$text": [ord(letter) for letter in value]}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        if all(map(_is_text, value)):
            return {key: _clean(item) for key, item in value.items()}
        return {"$pairs": [[_clean(key), _clean(item)] for key, item in value.items()]}
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _undo_float(content: Any) -> float:
    if content not in ("nan", "inf", "-inf"):
        raise ValueError(content)
    return float(content)


def _undo_time(content: str) -> datetime.datetime | datetime.date | datetime.time:
    for kind in (datetime.date, datetime.datetime, datetime.time):
        try:
            return kind.fromisoformat(content)
        except ValueError:
            continue
    raise ValueError(content)


_UNDO: dict[str, Any] = {
    "$float": _undo_float,
    "$int": int,
    "$bytes": lambda content: base64.b64decode(content, validate=True),
    "$time": _undo_time,
    "$text": lambda content: "".join(chr(code) for code in content),
    "$pairs": lambda content: {from_json(key): from_json(item) for key, item in content},
    "$dict": lambda content: {key: from_json(item) for key, item in content.items()},
}
