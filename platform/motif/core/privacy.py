"""Personal data in facets: kept, replaced by one pseudonym a person, or left out.

The policy governs what one can filter, colour and group by. The stored header and record
metadata stay as their owners wrote them.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from motif.core.records import Facet

Policy: TypeAlias = Literal["keep", "pseudonymise", "drop"]

PERSONS = frozenset({"operator", "made_by"})
"""Standard facets that name people."""
KEY_FILE = "privacy.key"

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


class Privacy:
    """The policy of one workspace."""

    def __init__(self, policy: Policy, folder: Path, persons: frozenset[str] = PERSONS) -> None:
        self._policy = policy
        self._path = folder / KEY_FILE
        self._persons = persons

    def applied(self, facets: Sequence[Facet]) -> list[Facet]:
        """The facets as the policy lets them be seen."""
        if self._policy == "keep":
            return list(facets)
        return [seen for facet in facets if (seen := self._seen(facet)) is not None]

    def title(self, text: str) -> str:
        """A title without e-mail addresses, unless the policy keeps them."""
        return text if self._policy == "keep" else _ADDRESS.sub(self._address, text)

    def is_personal(self, name: str) -> bool:
        """Whether values of this facet must not be shown as they are."""
        return self._policy != "keep" and name in self._persons

    def pseudonym(self, person: str) -> str:
        """The same for the same person everywhere in this workspace, and nowhere else."""
        known_as = " ".join(person.casefold().split())
        return f"person-{hmac.digest(self._key, known_as.encode(), 'sha256').hex()[:8]}"

    def _seen(self, facet: Facet) -> Facet | None:
        if not isinstance(facet.value, str):
            return facet
        if facet.name in self._persons:
            if self._policy == "drop":
                return None
            return replace(facet, value=self.pseudonym(facet.value))
        return replace(facet, value=_ADDRESS.sub(self._address, facet.value))

    def _address(self, match: re.Match[str]) -> str:
        return "" if self._policy == "drop" else self.pseudonym(match[0])

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
