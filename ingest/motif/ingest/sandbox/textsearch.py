"""Full-text criterion of a search: ``title: a +b -c "a phrase"``.

Terms are joined by OR unless marked ``+`` (and) or ``-`` (and not). Without a category they are
looked for in title and description; a term before the first category belongs to all of them.
Words are compared as they are, without the stemming of the real service.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from motif.ingest.sandbox.refusal import Refused

_CATEGORIES = {
    "t:": "title",
    "title:": "title",
    "d:": "description",
    "desc:": "description",
    "descr:": "description",
    "description:": "description",
}
_PART = re.compile(r"""([+-]?)(?:"([^"]*)"|'([^']*)'|(\S+))""")
_WORD = re.compile(r"\w+")

Matcher = Callable[[str, str], bool]
"""Tells of title and description whether they match."""


@dataclass(slots=True)
class _Terms:
    operator: str = ""
    any_of: list[str] = field(default_factory=list)
    all_of: list[str] = field(default_factory=list)
    none_of: list[str] = field(default_factory=list)

    def add(self, operator: str, words: str) -> None:
        {"+": self.all_of, "-": self.none_of}.get(operator, self.any_of).append(words)

    def match(self, text: str) -> bool:
        padded = f" {normal(text)} "
        found = [f" {term} " in padded for term in self.any_of]
        return (
            (any(found) or not found)
            and all(f" {term} " in padded for term in self.all_of)
            and not any(f" {term} " in padded for term in self.none_of)
        )


def normal(text: str) -> str:
    """Give the words of a text in lower case with single spaces between them."""
    return " ".join(_WORD.findall(text.casefold()))


def text_matcher(phrase: str) -> Matcher:
    """Compile a full-text criterion.

    Raises:
        Refused: a category is given twice, or there is no word to look for.
    """
    general: list[tuple[str, str]] = []
    categories: dict[str, _Terms] = {}
    current: _Terms | None = None
    for operator, double, single, word in _PART.findall(phrase):
        category = _CATEGORIES.get(word.lower())
        if category:
            if category in categories:
                raise Refused(f"Invalid query - category '{word}' specified more than once.")
            current = categories[category] = _Terms(operator)
            continue
        words = normal(double or single or word)
        if not words:
            continue
        if current is None:
            general.append((operator, words))
        else:
            current.add(operator, words)
    chosen = categories or {"title": _Terms("or"), "description": _Terms("or")}
    for terms in chosen.values():
        for operator, words in general:
            terms.add(operator, words)
    if not any(terms.any_of or terms.all_of or terms.none_of for terms in chosen.values()):
        raise Refused("Invalid query - no terms given.")
    return lambda title, description: _match(chosen, {"title": title, "description": description})


def _match(categories: dict[str, _Terms], texts: dict[str, str]) -> bool:
    optional = []
    for name, terms in categories.items():
        found = terms.match(texts[name])
        if terms.operator == "or":
            optional.append(found)
        elif found == (terms.operator == "-"):
            return False
    return any(optional) or not optional
