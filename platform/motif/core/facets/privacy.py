"""Personal data: kept, replaced by one pseudonym per person, or dropped.

The policy applies to facets, titles and searchable text, by which people filter, colour, group
and search. The stored header and record metadata are not changed.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from motif.core.records import Facet

Policy: TypeAlias = Literal["keep", "pseudonymise", "drop"]
Masks: TypeAlias = Sequence[Sequence[str]]
"""Pairs of (name of a person, its replacement) for the texts of one record."""

PERSONS = frozenset({"operator", "made_by"})
"""Standard facets that name people."""
KEY_FILE = "privacy.key"
NOBODY = frozenset({
    "admin", "administrator", "afm", "all", "all users", "asylum research", "asylum user", "data",
    "default", "guest", "lab", "me", "microscope", "na", "none", "operator", "opus", "public",
    "raman", "root", "sem", "shared", "spm", "stm", "test", "unknown", "user", "users", "vendor",
    "wire", "xrd",
})  # fmt: skip
"""Accounts and words that instruments write in place of an operator's name."""

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HOME = re.compile(
    r"(?:^|[\\/:\s])(?:users|home|documents and settings)[\\/:]+"
    r"(?:([^\\/:*?\"<>|\r\n]{2,64})(?=[\\/:])|([^\\/:*?\"<>|\s]{2,64}))",
    re.IGNORECASE,
)
"""Home folder of a person, with the separators of Windows, Unix or Igor."""


class Privacy:
    """The policy of one workspace."""

    def __init__(self, policy: Policy, folder: Path, persons: frozenset[str] = PERSONS) -> None:
        self._policy = policy
        self._path = folder / KEY_FILE
        self._persons = persons

    @property
    def keeps(self) -> bool:
        """Whether nothing is hidden."""
        return self._policy == "keep"

    def is_personal(self, name: str) -> bool:
        """Whether the policy hides values of this facet."""
        return not self.keeps and name in self._persons

    def masks(self, facets: Iterable[Facet], texts: Iterable[str]) -> list[list[str]]:
        """The names of people in the texts of a record, each with its replacement.

        Args:
            facets: facets of the record as file and record state them; some name people.
            texts: further texts of the record, searched for e-mail addresses and home folders.
        """
        if self.keeps:
            return []
        names: dict[str, str] = {}
        values = [(facet.name, facet.value) for facet in facets if isinstance(facet.value, str)]
        for person in [value for name, value in values if name in self._persons]:
            names.setdefault(" ".join(person.split()), person)
        for text in (*texts, *(value for _, value in values)):
            for address in _ADDRESS.findall(text):
                names.setdefault(address, address)
            for delimited, bare in _HOME.findall(text):
                names.setdefault((delimited or bare).strip(), delimited or bare)
        return [
            [text, self._replacement(person)]
            for text, person in sorted(names.items())
            if _is_name(text)
        ]

    def applied(self, facets: Sequence[Facet], masks: Masks) -> list[Facet]:
        """The facets as the policy shows them."""
        if self.keeps:
            return list(facets)
        applied = (self._applied(facet, masks) for facet in facets)
        return [facet for facet in applied if facet is not None]

    def _applied(self, facet: Facet, masks: Masks) -> Facet | None:
        if not isinstance(facet.value, str):
            return facet
        value = facet.value
        is_person = facet.name in self._persons
        shown = self._replacement(value) if is_person else masked(value, masks)
        if shown == value:
            return facet
        return replace(facet, value=shown, raw_text="") if shown.strip() else None

    def _replacement(self, person: str) -> str:
        return "" if self._policy == "drop" else self.pseudonym(person)

    def pseudonym(self, person: str) -> str:
        """The pseudonym of a person, the same everywhere in this workspace only.

        Letter case and the order of the names are ignored: "Doe, John" is "john doe".
        """
        plain = unicodedata.normalize("NFKC", person).casefold().replace(",", " ")
        key = " ".join(sorted(plain.split()))
        return f"person-{hmac.digest(self._key, key.encode(), 'sha256').hex()[:8]}"

    @cached_property
    def _key(self) -> bytes:
        """The workspace's secret, created on first use and readable by its owner alone."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return bytes.fromhex(self._path.read_text(encoding="ascii"))
        key = secrets.token_bytes(32)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.hex())
        return key


def masked(text: str, masks: Masks) -> str:
    """The text with every name of the masks replaced."""
    if not masks:
        return text
    replacements = {name.casefold(): replacement for name, replacement in masks}
    longest_first = sorted((re.escape(name) for name, _ in masks), key=len, reverse=True)
    named = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)
    return named.sub(lambda match: replacements.get(match[0].casefold(), ""), text)


def _is_name(text: str) -> bool:
    return len(text) > 1 and any(map(str.isalpha, text)) and text.casefold() not in NOBODY
