"""Finds readers, sources and extractors that are installed, through entry points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from motif.core.contracts import Extractor, Reader, Source
from motif.core.errors import ConfigError

SourceFactory = Callable[[str, Mapping[str, Any], Path], Source]


def named(group: str, name: str) -> EntryPoint:
    """The entry point of a group by its name; `ConfigError` lists the known ones."""
    found = entry_points(group=group, name=name)
    if not found:
        known = ", ".join(sorted(entry_points(group=group).names))
        what = group.removeprefix("motif.").removesuffix("s")
        raise ConfigError(f'There is no {what} of the kind "{name}"; known kinds are {known}.')
    return next(iter(found))


def readers() -> list[Reader]:
    """One of each installed reader, ordered by name."""
    points = sorted(entry_points(group="motif.readers"), key=lambda point: point.name)
    return [point.load()() for point in points]


def source(kind: str, name: str, options: Mapping[str, Any], base: Path) -> Source:
    """The source `name` of a kind, with the options of its table in ``motif.toml``."""
    factory: SourceFactory = named("motif.sources", kind).load()
    return factory(name, options, base)


def extractor(name: str) -> Extractor:
    """An image feature extractor by name."""
    made: Extractor = named("motif.extractors", name).load()()
    return made
