"""Several sources as one: servers, repositories and folders, each record saying where it lives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from motif.core import plugins
from motif.core.config import FILE_NAME, load_config
from motif.core.contracts import Changes, Known, Source
from motif.core.errors import ConfigError, SourceError
from motif.core.records import Asset
from motif.ingest.options import SourceOptions, check

KIND = "federation"
BESIDE_OPTIONS = ("name", "kind", "into", "error_tag")
"""Keys of a member's table that are not options of its kind."""


class FederationOptions(SourceOptions):
    """``[sources.NAME]`` with ``kind = "federation"``."""

    members: list[str | dict[str, Any]] = Field(min_length=1)
    """Names of other sources, or tables with ``name``, ``kind`` and the options of the kind."""


def from_options(name: str, options: Mapping[str, Any], base: Path) -> FederationSource:
    """The source of a ``motif.toml`` table; members may be other tables of it.

    Raises:
        ConfigError: a member is wrong, unknown, named twice, or a federation itself.
    """
    given = check(FederationOptions, name, options, base)
    members: dict[str, Source] = {}
    for member in given.members:
        called, table = _table(name, member, base)
        if called in members:
            raise ConfigError(f'[sources.{name}] has two members "{called}"; rename one.')
        own = {key: value for key, value in table.items() if key not in BESIDE_OPTIONS}
        members[called] = plugins.source(table["kind"], called, own, base)
    return FederationSource(name, members)


def _table(name: str, member: str | dict[str, Any], base: Path) -> tuple[str, Mapping[str, Any]]:
    """Name and table of a member."""
    if isinstance(member, str):
        others = load_config(base / FILE_NAME).sources
        if member not in others or member == name:
            known = ", ".join(other for other in others if other != name) or "no other"
            raise ConfigError(
                f'[sources.{name}] has the member "{member}", which motif.toml does not declare; '
                f"it declares {known}."
            )
        member = {"name": member, "kind": others[member].kind, **others[member].options}
    called, kind = member.get("name"), member.get("kind")
    if not (isinstance(called, str) and called and "/" not in called and isinstance(kind, str)):
        raise ConfigError(
            f"A member of [sources.{name}] needs a `name` without a slash and a `kind`."
        )
    if kind == KIND:
        raise ConfigError(
            f'[sources.{name}] has the member "{called}", a federation; name its members instead.'
        )
    return called, member


class FederationSource:
    """Assets of all members under ``<member>/<native id>``.

    A member that cannot be reached does not hold up the others: nothing of it counts as deleted,
    its cursor stays, and the sync ends with an error that names it. Members that overlap take an
    asset in once each.
    """

    def __init__(self, name: str, members: Mapping[str, Source]) -> None:
        self.name = name
        self._members = dict(members)

    def changes(self, known: Mapping[str, Known], cursor: str, *, full: bool = False) -> Changes:
        cursors = _cursors(cursor)
        found: dict[str, Changes] = {}
        failures: dict[str, SourceError] = {}
        split = _by_member(known)
        for member, source in self._members.items():
            try:
                found[member] = source.changes(
                    split.get(member, {}), cursors.get(member, ""), full=full
                )
            except SourceError as error:
                failures[member] = error
        if not found:
            raise SourceError("; ".join(_told(failures)))
        moved = {member: changes.cursor for member, changes in found.items()}
        stays = {member: cursors[member] for member in failures if member in cursors}
        return Changes(
            seen=sum(changes.seen for changes in found.values())
            + sum(len(split.get(member, ())) for member in failures),
            changed=_described(found),
            deleted=[*_deleted(found), *self._orphans(split)],
            cursor=json.dumps({**stays, **moved}, sort_keys=True),
            failures=_told(failures),
        )

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        waiting: dict[str, dict[str, Asset]] = {}
        for asset in assets:
            member, _, inner = asset.native_id.partition("/")
            waiting.setdefault(member, {})[inner] = asset
        for member, inside in waiting.items():
            if member in self._members:
                yield from self._fetch_from(member, inside, into / member)
            else:
                error = SourceError(f'{self.name} has no member "{member}" any more.')
                yield from ((asset, error) for asset in inside.values())

    def close(self) -> None:
        for source in self._members.values():
            source.close()

    def _fetch_from(
        self, member: str, waiting: dict[str, Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        """One member's files; an error of the member is one of each file still missing."""
        into.mkdir(parents=True, exist_ok=True)
        own = [replace(asset, native_id=inner) for inner, asset in waiting.items()]
        try:
            for asset, result in self._members[member].fetch(own, into):
                yield waiting.pop(asset.native_id), result
        except SourceError as error:
            yield from ((asset, error) for asset in list(waiting.values()))

    def _orphans(self, split: Mapping[str, Mapping[str, Known]]) -> Iterator[str]:
        """What came from members that are no longer declared."""
        for member, known in split.items():
            if member not in self._members:
                yield from (f"{member}/{inner}" for inner in known)


def _by_member(known: Mapping[str, Known]) -> dict[str, dict[str, Known]]:
    split: dict[str, dict[str, Known]] = {}
    for native_id, one in known.items():
        member, _, inner = native_id.partition("/")
        split.setdefault(member, {})[inner] = one
    return split


def _described(found: Mapping[str, Changes]) -> Iterator[Asset]:
    """Changed assets of every member; one that fails half-way is told after the others."""
    failures: dict[str, SourceError] = {}
    for member, changes in found.items():
        try:
            yield from map(_renamed(member), changes.changed)
        except SourceError as error:
            failures[member] = error
    if failures:
        raise SourceError("; ".join(_told(failures)))


def _renamed(member: str) -> Callable[[Asset], Asset]:
    def rename(asset: Asset) -> Asset:
        origin = {**asset.origin, "member": member, "native_id": asset.native_id}
        return replace(asset, native_id=f"{member}/{asset.native_id}", origin=origin)

    return rename


def _deleted(found: Mapping[str, Changes]) -> Iterator[str]:
    for member, changes in found.items():
        yield from (f"{member}/{native_id}" for native_id in changes.deleted)


def _told(failures: Mapping[str, SourceError]) -> list[str]:
    return [f"Member {member}: {error}".rstrip(".") for member, error in failures.items()]


def _cursors(cursor: str) -> dict[str, str]:
    """Cursor by member; nothing where the text is no cursor of a federation."""
    try:
        value = json.loads(cursor)
    except ValueError:
        return {}
    if not isinstance(value, dict):
        return {}
    return {str(name): text for name, text in value.items() if isinstance(text, str)}
