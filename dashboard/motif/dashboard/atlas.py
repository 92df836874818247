"""The maps of a collection as a tree: whole maps, and maps of parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motif.core.catalog import Derivation


@dataclass(frozen=True)
class Branch:
    """A map and how deep in the tree it hangs."""

    map: Derivation
    depth: int
    title: str


def is_whole(made: Derivation) -> bool:
    """Whether a map shows its collection rather than what somebody chose from it."""
    return not made.parameters.get("parent") and not made.parameters.get("selection")


def newest(maps: Sequence[Derivation]) -> Derivation:
    """The map to show when nobody chose one: the last of the whole collection, unfiltered."""
    whole = [one for one in maps if is_whole(one)]
    unfiltered = [one for one in whole if not one.parameters.get("where")]
    return (unfiltered or whole or list(maps))[-1]


def title(made: Derivation) -> str:
    """What a map is called."""
    return str(made.summary.get("name") or made.parameters.get("where") or made.collection)


def lineage(made: Derivation, maps: Sequence[Derivation]) -> list[Derivation]:
    """The way down to a map: the whole one first, itself last."""
    by_id = {one.id: one for one in maps}
    way = [made]
    while (parent := by_id.get(str(way[-1].parameters.get("parent", "")))) is not None:
        way.append(parent)
    return way[::-1]


def tree(maps: Sequence[Derivation]) -> list[Branch]:
    """All maps, each followed by those of its parts; the newest whole map first."""
    by_parent: dict[str, list[Derivation]] = {}
    known = {one.id for one in maps}
    for one in maps:
        parent = str(one.parameters.get("parent", ""))
        by_parent.setdefault(parent if parent in known else "", []).append(one)
    branches: list[Branch] = []

    def hang(ones: Sequence[Derivation], depth: int) -> None:
        for one in ones:
            branches.append(Branch(one, depth, title(one)))
            hang(by_parent.get(one.id, []), depth + 1)

    hang(by_parent.get("", [])[::-1], 0)
    return branches
