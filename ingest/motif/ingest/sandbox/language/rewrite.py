"""First step of a metadata query: names get the prefix that says where they are looked up.

The service scans the text with a small state machine; it is followed here step by step because
what it accepts and refuses is part of the protocol. The character that ends a name is copied
without being checked, so ``pow(x, 2)`` passes while ``pow(2, x)``, ``x[0]`` (for its second
bracket) and ``x in [1]`` do not.
"""

from __future__ import annotations

from motif.ingest.sandbox.language.functions import DATE_FUNCTIONS, FUNCTIONS

_TERMS = frozenset(
    "title alias external owner creator ct ut size source ext".split()  # noqa: SIM905
)
_WORDS = frozenset(("like", "true", "false", "null", "in"))
_PLAIN = frozenset("=<>!~|&+-/*^()0123456789. ")
_LONGEST = 10_000


class QuerySyntaxError(ValueError):
    """A metadata expression is not of the language."""


def rewrite(text: str) -> str:
    """Give the AQL expression that the service makes of `text`.

    Raises:
        QuerySyntaxError: a character outside strings that is not allowed, a comment, or a string
            without end.
    """
    if len(text) > _LONGEST:
        raise QuerySyntaxError(f"Metadata expression is longer than {_LONGEST} characters.")
    result: list[str] = []
    place = 0
    while place < len(text):
        letter = text[place]
        if letter in "'\"":
            place = _copy_string(text, place, result)
        elif letter == "/" and text[place + 1 : place + 2] in ("/", "*"):
            raise QuerySyntaxError("In-line metadata expression comments are not permitted.")
        elif letter in _PLAIN:
            result.append(letter)
            place += 1
        elif letter.isascii() and letter.isalpha():
            place = _copy_name(text, place, result)
        else:
            raise QuerySyntaxError("Metadata expression contains invalid character(s).")
    return "".join(result)


def _copy_string(text: str, start: int, result: list[str]) -> int:
    """Copy a quoted string; a quote behind an odd number of backslashes does not end it."""
    quote, place = text[start], start + 1
    while place < len(text) and text[place] != quote:
        place += 2 if text[place] == "\\" else 1
    if place >= len(text):
        raise QuerySyntaxError("Mismatched quotation marks in query")
    result.append(text[start : place + 1])
    return place + 1


def _copy_name(text: str, start: int, result: list[str]) -> int:
    """Copy a name with its prefix, and the character behind it whatever it is."""
    end = start
    while end < len(text) and _in_name(text[end]):
        end += 1
    result.append(_prefixed(text[start:end], text[end:]))
    if end == len(text) or text[end] in "'\"":
        return end
    result.append(text[end])
    return end + 1


def _in_name(letter: str) -> bool:
    return (letter.isascii() and letter.isalnum()) or letter in "._"


def _prefixed(name: str, rest: str) -> str:
    called = rest.lstrip().startswith("(")
    if name == "desc":
        return "i['desc']"
    if name in _WORDS or (called and name in FUNCTIONS):
        return name
    if called and name in DATE_FUNCTIONS:
        return f"0.001*{name}"
    if name == "id":
        return "i._id"
    if name in _TERMS:
        return f"i.{name}"
    if name.lower() == "def":
        return "!= null"
    if name.lower() == "undef":
        return "== null"
    if name == "md" or name.startswith("md."):
        return f"i.{name}"
    return f"i.md.{name}"
