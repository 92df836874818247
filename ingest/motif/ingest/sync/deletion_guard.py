"""Protects a workspace from a source that suddenly offers nothing, or far less than before.

An unmounted folder or a server that lists a part of its records must not empty a workspace.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from motif.core.contracts import Changes

MIN_DELETIONS = 5
"""Fewer deletions than these are ordinary use, whatever share of a small source they are."""


@dataclass(frozen=True)
class DeletionGuard:
    """Decides which deletions a source reports are carried out."""

    max_share: float = 0.3
    """Share of the known records that one sync may delete."""
    allowed: bool = False
    """Whether all deletions are intended."""

    def split(self, known: Collection[str], changes: Changes) -> tuple[list[str], list[str]]:
        """Native ids to delete, and those whose deletion is withheld.

        Deletions are withheld where the source offers no records any more, or where they are at
        least `MIN_DELETIONS` and more than `max_share` of the known records. Members of a
        federation are judged one by one; those that are no longer declared may lose everything.

        Args:
            known: native ids of all records the workspace has of the source.
            changes: what the source reports.
        """
        if self.allowed or not changes.deleted:
            return list(changes.deleted), []
        seen = {f"{member}/": count for member, count in changes.seen_by_member.items()}
        seen = seen or {"": changes.seen}
        accepted: list[str] = []
        withheld: list[str] = []
        by_prefix: dict[str, list[str]] = {prefix: [] for prefix in seen}
        for native_id in changes.deleted:
            prefix = "" if "" in seen else f"{native_id.partition('/')[0]}/"
            by_prefix.get(prefix, accepted).append(native_id)
        for prefix, deleted in by_prefix.items():
            total = sum(native_id.startswith(prefix) for native_id in known)
            believed = self._is_plausible(deleted, total, seen[prefix])
            (accepted if believed else withheld).extend(deleted)
        return accepted, withheld

    def _is_plausible(self, deleted: Sequence[str], total: int, seen: int) -> bool:
        if not deleted:
            return True
        return seen > 0 and (len(deleted) < MIN_DELETIONS or len(deleted) <= self.max_share * total)


def withheld_sentence(source: str, withheld: int, known: int) -> str:
    """Why deletions were withheld, and how to carry them out."""
    return (
        f'{withheld} of {known} records of source "{source}" are missing there, so nothing was '
        "deleted; check that the source is complete, or, if they were removed on purpose, run "
        f"motif ingest {source} --allow-deletions"
    )
