"""Several sources as one: servers, repositories and folders, each record naming its member."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from motif.core.config.settings import FILE_NAME, SourceConfig, load_config
from motif.core.contracts import Changes, Source, SyncState
from motif.core.errors import ConfigError, SourceError
from motif.core.records import Asset
from motif.ingest.source_options import SourceOptions, check_options
from motif.ingest.sync.containment import open_source

KIND = "federation"
COMMON_KEYS = frozenset({"name", *SourceConfig.model_fields})
"""Keys of a member's table that every kind of source has, and that its own options lack."""


class FederationOptions(SourceOptions):
    """``[sources.NAME]`` with ``kind = "federation"``."""

    members: list[str | dict[str, Any]] = Field(min_length=1)
    """Names of other sources, or tables with ``name``, ``kind`` and the options of the kind."""


def from_options(name: str, options: Mapping[str, Any], base: Path) -> FederationSource:
    """The source of a ``motif.toml`` table; members may be other tables of it.

    Raises:
        ConfigError: a member is wrong, unknown, listed twice, or a federation itself.
    """
    checked = check_options(FederationOptions, name, options, base)
    members: dict[str, Source] = {}
    for member in checked.members:
        member_name, table = _member_table(name, member, base)
        if member_name in members:
            raise ConfigError(f'[sources.{name}] has two members "{member_name}"; rename one.')
        own = {key: value for key, value in table.items() if key not in COMMON_KEYS}
        try:
            members[member_name] = open_source(table["kind"], member_name, own, base)
        except SourceError as error:
            members[member_name] = _FailedSource(member_name, error)
    return FederationSource(name, members)


def _member_table(
    name: str, member: str | dict[str, Any], base: Path
) -> tuple[str, Mapping[str, Any]]:
    """Name and table of a member."""
    if isinstance(member, str):
        sources = load_config(base / FILE_NAME).sources
        if member not in sources or member == name:
            others = ", ".join(other for other in sources if other != name) or "no other"
            raise ConfigError(
                f'[sources.{name}] has the member "{member}", which motif.toml does not declare; '
                f"it declares {others}."
            )
        member = {"name": member, "kind": sources[member].kind, **sources[member].options}
    member_name, kind = member.get("name"), member.get("kind")
    named = isinstance(member_name, str) and member_name and "/" not in member_name
    if not (isinstance(member_name, str) and named and isinstance(kind, str)):
        raise ConfigError(
            f"A member of [sources.{name}] needs a `name` without a slash and a `kind`."
        )
    if kind == KIND:
        raise ConfigError(
            f'[sources.{name}] has the member "{member_name}", a federation; list its members '
            "instead."
        )
    return member_name, member


class FederationSource:
    """Assets of all members under ``<member>/<native id>``.

    A member that fails does not affect the others: none of its records counts as deleted, its
    cursor stays, and the sync ends with an error that names it. An asset that several members
    offer is stored once for each.
    """

    def __init__(self, name: str, members: Mapping[str, Source]) -> None:
        self.name = name
        self._members = dict(members)

    def changes(
        self, known: Mapping[str, SyncState], cursor: str, *, full: bool = False
    ) -> Changes:
        cursors = _member_cursors(cursor)
        by_member: dict[str, Changes] = {}
        failures: dict[str, SourceError] = {}
        known_by_member = _split_by_member(known)
        for member, source in self._members.items():
            try:
                by_member[member] = source.changes(
                    known_by_member.get(member, {}), cursors.get(member, ""), full=full
                )
            except SourceError as error:
                failures[member] = error
        if not by_member:
            raise SourceError("; ".join(_sentences(failures)))
        moved = {member: changes.cursor for member, changes in by_member.items()}
        kept = {member: cursors[member] for member in failures if member in cursors}
        return Changes(
            seen=sum(changes.seen for changes in by_member.values())
            + sum(len(known_by_member.get(member, ())) for member in failures),
            changed=_changed_assets(by_member),
            deleted=[*_deleted(by_member), *self._orphans(known_by_member)],
            cursor=json.dumps({**kept, **moved}, sort_keys=True),
            failures=_sentences(failures),
            seen_by_member={member: changes.seen for member, changes in by_member.items()},
        )

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        by_member: dict[str, dict[str, Asset]] = {}
        for asset in assets:
            member, _, member_id = asset.native_id.partition("/")
            by_member.setdefault(member, {})[member_id] = asset
        for member, waiting in by_member.items():
            if member in self._members:
                yield from self._fetch_from(member, waiting, into / member)
            else:
                error = SourceError(f'{self.name} no longer has a member "{member}".')
                yield from ((asset, error) for asset in waiting.values())

    def close(self) -> None:
        for source in self._members.values():
            source.close()

    def _fetch_from(
        self, member: str, waiting: dict[str, Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        """One member's files; an error of the member concerns each file still missing."""
        into.mkdir(parents=True, exist_ok=True)
        own = [replace(asset, native_id=member_id) for member_id, asset in waiting.items()]
        try:
            for asset, result in self._members[member].fetch(own, into):
                yield waiting.pop(asset.native_id), result
        except SourceError as error:
            yield from ((asset, error) for asset in list(waiting.values()))

    def _orphans(self, known_by_member: Mapping[str, Mapping[str, SyncState]]) -> Iterator[str]:
        """Native ids of members that are no longer declared."""
        for member, known in known_by_member.items():
            if member not in self._members:
                yield from (f"{member}/{member_id}" for member_id in known)


class _FailedSource:
    """A member that could not be opened."""

    def __init__(self, name: str, error: SourceError) -> None:
        self.name = name
        self._error = error

    def changes(
        self, known: Mapping[str, SyncState], cursor: str, *, full: bool = False
    ) -> Changes:
        raise self._error

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        raise self._error

    def close(self) -> None:
        """Does nothing."""


def _split_by_member(known: Mapping[str, SyncState]) -> dict[str, dict[str, SyncState]]:
    by_member: dict[str, dict[str, SyncState]] = {}
    for native_id, fingerprints in known.items():
        member, _, member_id = native_id.partition("/")
        by_member.setdefault(member, {})[member_id] = fingerprints
    return by_member


def _changed_assets(by_member: Mapping[str, Changes]) -> Iterator[Asset]:
    """Changed assets of every member; a member's error is raised after all others are listed."""
    failures: dict[str, SourceError] = {}
    for member, changes in by_member.items():
        try:
            yield from map(_with_member(member), changes.changed)
        except SourceError as error:
            failures[member] = error
    if failures:
        raise SourceError("; ".join(_sentences(failures)))


def _with_member(member: str) -> Callable[[Asset], Asset]:
    def rename(asset: Asset) -> Asset:
        origin = {**asset.origin, "member": member, "native_id": asset.native_id}
        return replace(asset, native_id=f"{member}/{asset.native_id}", origin=origin)

    return rename


def _deleted(by_member: Mapping[str, Changes]) -> Iterator[str]:
    for member, changes in by_member.items():
        yield from (f"{member}/{native_id}" for native_id in changes.deleted)


def _sentences(failures: Mapping[str, SourceError]) -> list[str]:
    return [f"Member {member}: {error}".rstrip(".") for member, error in failures.items()]


def _member_cursors(cursor: str) -> dict[str, str]:
    """Cursor by member; empty where the text is not a cursor of a federation."""
    try:
        value = json.loads(cursor)
    except ValueError:
        return {}
    if not isinstance(value, dict):
        return {}
    return {str(name): text for name, text in value.items() if isinstance(text, str)}
