"""Processing that a header says was applied before the numbers were saved: one facet of steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from motif.core.records import Facet, Header

OFF = frozenset({"", "-1", "0", "false", "n/a", "na", "no", "none", "not applied", "off"})
"""Values that say a step was left out."""
ON = frozenset({"1", "applied", "on", "true", "yes"})
LONGEST = 200
_PLANEFIT = re.compile(r"(Planefit|FlattenOrder) (\d{1,3})")
_CHANGED = re.compile(r"Mod\d*$")

Rule = tuple[str, str]
"""Key of the header, and the step it tells of."""


def processing(steps: Iterable[str], origin: str) -> list[Facet]:
    """The facet ``processing`` of some steps, none where nothing was done."""
    told = "; ".join(dict.fromkeys(filter(None, steps)))
    return [Facet("processing", told[:LONGEST], f"header:{origin}")] if told else []


def by_settings(header: Header, rules: Sequence[Rule]) -> list[Facet]:
    """Steps whose settings are on: ``spike filter single accum.; dark correction``.

    A value may repeat what it is (``Cosmic ray removal: 1``).
    """
    first: dict[str, str] = {}
    for key, value in header:
        first.setdefault(key.casefold(), value.rpartition(":")[2].strip())
    told = [(key, step, first.get(key.casefold(), "")) for key, step in rules]
    used = [(key, step, value) for key, step, value in told if value.casefold() not in OFF]
    steps = [step if value.casefold() in ON else f"{step} {value}" for _, step, value in used]
    return processing(steps, used[0][0] if used else "")


def asylum_processing(header: Header, channels: Sequence[str]) -> list[Facet]:
    """What an Asylum note tells of its planes: flattening, plane fits, changes by hand.

    ``Planefit 0: Flatten 1`` says that each line of the first plane was freed of a fit of order 1.
    """
    fits: dict[int, str] = {}
    for key, value in header:
        found = _PLANEFIT.fullmatch(key)
        if found and found[1] == "Planefit" and value.casefold() not in OFF:
            fits[int(found[2])] = value
        elif found and found[1] == "FlattenOrder" and value.casefold() not in {*OFF} - {"0"}:
            fits.setdefault(int(found[2]), f"Flatten {value}")
    steps = [f"{name}: {fits[i]}" for i, name in enumerate(channels) if i in fits]
    steps += [f"{name}: changed by hand" for name in channels if _CHANGED.search(name)]
    return processing(steps, "Planefit")
