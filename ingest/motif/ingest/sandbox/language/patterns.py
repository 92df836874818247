"""Patterns of ``like`` and ``=~``."""

from __future__ import annotations

import functools
import re

_LONGEST_PATTERN = 500
_LONGEST_SUBJECT = 10_000
_REPEATED = re.compile(r"[*+}]\??\)+[*+{]|\|[^()]*\)[*+{]")


class PatternError(ValueError):
    """A regular expression is invalid, or could take for ever."""


@functools.lru_cache(maxsize=256)
def like_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a ``like`` pattern: ``%`` any text, ``_`` any character, ``\\`` takes the next one
    literally.
    """
    parts, place = [], 0
    while place < len(pattern):
        letter = pattern[place]
        if letter == "\\" and place + 1 < len(pattern):
            place += 1
            parts.append(re.escape(pattern[place]))
        elif letter == "%":
            if not parts or parts[-1] != ".*":
                parts.append(".*")
        else:
            parts.append("." if letter == "_" else re.escape(letter))
        place += 1
    if parts.count(".*") > 8 or len(pattern) > _LONGEST_PATTERN:
        raise PatternError("Pattern of 'like' is too complex.")
    return re.compile("".join(parts), re.DOTALL)


@functools.lru_cache(maxsize=256)
def regular_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a regular expression.

    A repeated group that itself holds a repetition or an alternative is refused: matching it can
    take time exponential in the length of the text, and the server has one thread.
    """
    if len(pattern) > _LONGEST_PATTERN or _REPEATED.search(pattern):
        raise PatternError("Regular expression is too complex.")
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(f"Invalid regular expression: {error}") from error


def is_like(subject: str, pattern: str) -> bool:
    """Whether the whole of `subject` fits a ``like`` pattern."""
    return like_pattern(pattern).fullmatch(subject[:_LONGEST_SUBJECT]) is not None


def is_match(subject: str, pattern: str) -> bool:
    """Whether a regular expression is found in `subject`."""
    return regular_pattern(pattern).search(subject[:_LONGEST_SUBJECT]) is not None
