"""Patterns of ``like`` and ``=~``, guarded against ones that would keep the server busy."""

from __future__ import annotations

import functools
import re

from motif.ingest.sandbox.language.values import EvaluationError

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
