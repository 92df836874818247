"""Personal data: kept, replaced by one pseudonym a person, or left out.

The policy governs what one can filter, colour, group and search by: facets, titles and the text
that is searched. The stored header and record metadata stay as their owners wrote them.
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
"""Pairs of what names somebody and what stands in its place, for the texts of one record."""

PERSONS = frozenset({"operator", "made_by"})
"""Standard facets that name people."""
KEY_FILE = "privacy.key"
NOBODY = frozenset({
    "admin", "administrator", "afm", "all", "all users", "asylum research", "asylum user", "data",
    "default", "guest", "lab", "me", "microscope", "na", "none", "operator", "opus", "public",
    "raman", "root", "sem", "shared", "spm", "stm", "test", "unknown", "user", "users", "vendor",
    "wire", "xrd",
})  # fmt: skip
"""Accounts and words in the place of an operator that are no name one would find elsewhere."""

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HOME = re.compile(
    r"(?:^|[\\/:\s])(?:users|home|documents and settings)[\\/:]+"
    r"(?:([^\\/:*?\"<>|\r\n]{2,64})(?=[\\/:])|([^\\/:*?\"<>|\s]{2,64}))",
    re.IGNORECASE,
)
"""The folder of one person, with the separators of Windows, Unix or Igor."""


class Privacy:
    """The policy of one workspace."""

    def __init__(self, policy: Policy, folder: Path, persons: frozenset[str] = PERSONS) -> None:
        self._policy = policy
        self._path = folder / KEY_FILE
        self._persons = persons

    @property
    def keeps(self) -> bool:
        """Whether everything is shown as it is."""
        return self._policy == "keep"

    def is_personal(self, name: str) -> bool:
        """Whether values of this facet must not be shown as they are."""
        return not self.keeps and name in self._persons

    def masks(self, facets: Iterable[Facet], texts: Iterable[str]) -> list[list[str]]:
        """What in the texts of a record names people.

        Args:
            facets: of the record, as file and record tell them; some name people.
            texts: whatever else is known of it; e-mail addresses and folders of people count.
        """
        if self.keeps:
            return []
        found: dict[str, str] = {}
        told = list(facets)
        for name in [f.value for f in told if f.name in self._persons and isinstance(f.value, str)]:
            found.setdefault(" ".join(name.split()), name)
        for text in (*texts, *(f.value for f in told if isinstance(f.value, str))):
            for address in _ADDRESS.findall(text):
                found.setdefault(address, address)
            for parted, bare in _HOME.findall(text):
                found.setdefault((parted or bare).strip(), parted or bare)
        return [[one, self._seen(name)] for one, name in sorted(found.items()) if _is_name(one)]

    def applied(self, facets: Sequence[Facet], masks: Masks) -> list[Facet]:
        """The facets as the policy lets them be seen."""
        if self.keeps:
            return list(facets)
        return [seen for one in facets if (seen := self._applied(one, masks)) is not None]

    def _applied(self, facet: Facet, masks: Masks) -> Facet | None:
        if not isinstance(facet.value, str):
            return facet
        value = facet.value
        seen = self._seen(value) if facet.name in self._persons else masked(value, masks)
        if seen == value:
            return facet
        return replace(facet, value=seen, told="") if seen.strip() else None

    def _seen(self, person: str) -> str:
        return "" if self._policy == "drop" else self.pseudonym(person)

    def pseudonym(self, person: str) -> str:
        """The same for the same person everywhere in this workspace, and nowhere else.

        Neither letter case nor the order of the names matters: "Doe, John" is "john doe".
        """
        plain = unicodedata.normalize("NFKC", person).casefold().replace(",", " ")
        known_as = " ".join(sorted(plain.split()))
        return f"person-{hmac.digest(self._key, known_as.encode(), 'sha256').hex()[:8]}"

    @cached_property
    def _key(self) -> bytes:
        """The workspace's secret, made on first use and readable by its owner alone."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return bytes.fromhex(self._path.read_text(encoding="ascii"))
        made = secrets.token_bytes(32)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(made.hex())
        return made


def masked(text: str, masks: Masks) -> str:
    """A text in which nobody is named whom the masks know."""
    if not masks:
        return text
    seen = {name.casefold(): instead for name, instead in masks}
    longest_first = sorted((re.escape(name) for name, _ in masks), key=len, reverse=True)
    named = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)
    return named.sub(lambda match: seen.get(match[0].casefold(), ""), text)


def _is_name(text: str) -> bool:
    return len(text) > 1 and any(map(str.isalpha, text)) and text.casefold() not in NOBODY
