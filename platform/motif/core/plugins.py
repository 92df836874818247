"""Finds the readers, sources, extractors and commands that are installed, by entry points.

A plugin that cannot be imported costs nobody but its own users: lists skip it and log a warning,
``motif status`` names it, and asking for it by name is refused with the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from motif.core.contracts import Extractor, Reader, Source
from motif.core.errors import ConfigError, MotifError

log = logging.getLogger(__name__)

SourceFactory = Callable[[str, Mapping[str, Any], Path], Source]

LIGHT_GROUPS = ("motif.commands", "motif.sources", "motif.readers", "motif.stages")
"""Groups whose entry points import nothing of an extra, so that all of them can be checked."""
HEAVY_GROUPS = ("motif.extractors", "motif.figures")
"""Groups whose entry points may import PyTorch or Matplotlib; Motif's own are not checked."""


class PluginError(MotifError, ImportError):
    """A plugin cannot be imported or created."""


@dataclass(frozen=True)
class FailedPlugin:
    """An installed plugin that cannot be used."""

    group: str
    """Group of its entry point, e.g. ``motif.readers``."""
    name: str
    error: str
    """One sentence."""


def installed(group: str) -> list[EntryPoint]:
    """The entry points of a group, ordered by name."""
    return sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


def find_plugin(group: str, name: str) -> EntryPoint:
    """The entry point of a group by its name; `ConfigError` lists the known ones."""
    points = entry_points(group=group, name=name)
    if not points:
        known = ", ".join(sorted(entry_points(group=group).names))
        raise ConfigError(f'There is no {_noun(group)} "{name}"; known ones are {known}.')
    return next(iter(points))


def load_plugin(point: EntryPoint, *, create: bool = False) -> Any:
    """Import the object of an entry point and, with `create`, call it without arguments.

    Raises:
        MissingExtraError: a module of an optional extra is not installed.
        PluginError: any other exception of the plugin, with its type and text.
    """
    is_command = point.group == "motif.commands"
    command = f"motif {point.name.replace('.', ' ')}"
    plugin = command if is_command else f"The {_noun(point.group)} {point.name}"
    try:
        loaded = point.load()
        return loaded() if create else loaded
    except (Exception, SystemExit) as error:
        if isinstance(error, ImportError) and (missing := missing_extra(error, plugin)):
            raise missing from error
        reason = f"{type(error).__name__}: {error}".removesuffix(".")
        raise PluginError(
            f"{plugin} of {_distribution(point)} cannot be imported ({reason}); "
            "report it to its author or uninstall it."
        ) from error


def usable(group: str, *, create: bool = False) -> Iterator[tuple[EntryPoint, Any]]:
    """Entry points of a group with what they name; those that cannot be imported are skipped."""
    for point in installed(group):
        try:
            yield point, load_plugin(point, create=create)
        except MotifError as error:
            log.warning("%s", error)


def failed_plugins() -> list[FailedPlugin]:
    """Installed plugins that cannot be imported, ordered by group and name."""
    failed = []
    for group in (*LIGHT_GROUPS, *HEAVY_GROUPS):
        for point in installed(group):
            if group in HEAVY_GROUPS and _distribution(point) == DISTRIBUTION:
                continue
            try:
                load_plugin(point, create=group == "motif.readers")
            except MotifError as error:
                failed.append(FailedPlugin(group, point.name, str(error)))
    return failed


def readers() -> list[Reader]:
    """One of each installed reader, ordered by name."""
    return [reader for _, reader in usable("motif.readers", create=True)]


def source(kind: str, name: str, options: Mapping[str, Any], base: Path) -> Source:
    """The source `name` of a kind, with the options of its table in ``motif.toml``."""
    factory: SourceFactory = load_plugin(find_plugin("motif.sources", kind))
    return factory(name, options, base)


def extractor(name: str) -> Extractor:
    """An image feature extractor by name."""
    created: Extractor = load_plugin(find_plugin("motif.extractors", name), create=True)
    return created


def _noun(group: str) -> str:
    if group == "motif.sources":
        return "source kind"  # a source is a table of motif.toml
    return group.removeprefix("motif.").removesuffix("s")


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unknown package"


DISTRIBUTION = "motif-lab"

MODULES_OF_EXTRA = {
    "analysis": (
        "cachetools", "dask", "distributed", "faiss", "matplotlib", "plotly", "scipy", "sklearn",
        "torch", "umap",
    ),
    "sandbox": ("google.protobuf", "jsonschema", "referencing"),
    "dashboard": ("authlib", "httpx", "starlette", "streamlit", "uvicorn"),
    "postgresql": ("psycopg",),
    "testing": ("hypothesis", "pytest"),
}  # fmt: skip
"""Extra of ``pyproject.toml`` -> modules that are installed with it alone."""


class MissingExtraError(MotifError, ImportError):
    """A command or plugin needs an optional extra that is not installed."""


def extra_of(module: str) -> str | None:
    """The extra that a module belongs to, given its dotted name; None for any other module."""
    for extra, modules in MODULES_OF_EXTRA.items():
        for name in modules:
            # Without protobuf, Python reports the missing namespace package "google".
            if module == name or module.startswith(f"{name}.") or name.startswith(f"{module}."):
                return extra
    return None


def missing_extra(error: ImportError, needed_by: str) -> MissingExtraError | None:
    """The error to raise where a module of an extra cannot be imported; None for other modules.

    Args:
        error: what the import raised.
        needed_by: what needs the module, e.g. ``motif embed``.
    """
    extra = extra_of(error.name or "") if isinstance(error, ModuleNotFoundError) else None
    if extra is None:
        return None
    return _missing(extra, needed_by)


def require_extra(extra: str, needed_by: str) -> None:
    """Raise `MissingExtraError` unless all modules of an extra are installed.

    For commands that import them in another process.
    """
    for module in MODULES_OF_EXTRA[extra]:
        if find_spec(module.split(".")[0]) is None:
            raise _missing(extra, needed_by)


def _missing(extra: str, needed_by: str) -> MissingExtraError:
    return MissingExtraError(
        f'{needed_by} needs the extra "{extra}": pip install "{DISTRIBUTION}[{extra}]"'
    )
