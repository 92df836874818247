"""The command that computes a tainted result again without the measurements that are marked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from motif.core.catalog.rows import Derivation
from motif.core.provenance.stages import Stage, stage
from motif.core.provenance.taint import FACET

STRATIFIED = "stratified "
"""Begins the ``partition`` of a study whose folds are stratified."""
NOT_TAINTED = f"not has {FACET}"
"""Query that excludes marked measurements."""


def rebuild_command(derivation: Derivation) -> str:
    """Command that replaces a tainted result; empty where nothing needs to be replaced.

    The command repeats target, recipe, seed, folds, features and filter, as far as they differ
    from its defaults. Where one command is not enough, because a selection, a parent map or a
    file of sample orders went in, a sentence states what else to do.
    """
    kind = stage(derivation.stage)
    if not kind.is_rebuilt:
        return ""
    settings = {**derivation.summary, **derivation.parameters}
    if settings.get("selection"):
        return (
            f'choose its points again, from "{derivation.collection}" without the marked '
            "measurements; they were selected on a map or came from another result"
        )
    return _with_prerequisites(_command(derivation, kind, settings), settings)


def request_key(derivation: Derivation) -> str:
    """Equal for a tainted result and for the one that replaces it; empty where none does."""
    kind = stage(derivation.stage)
    if not kind.is_rebuilt:
        return ""
    settings = {**derivation.summary, **derivation.parameters}
    further = [name for name in ("selection", "parent") if settings.get(name)]
    return " ".join([_command(derivation, kind, settings), *further])


def exclude_tainted(where: str) -> str:
    """A query that matches the same without marked measurements."""
    if NOT_TAINTED in where:
        return where
    return f"({where}) and {NOT_TAINTED}" if where else NOT_TAINTED


def original_filter(where: str) -> str:
    """The query that `exclude_tainted` was applied to."""
    if where == NOT_TAINTED:
        return ""
    inner = where.removesuffix(f" and {NOT_TAINTED}")
    if inner != where and inner.startswith("(") and inner.endswith(")"):
        return inner[1:-1]
    return inner


def _command(derivation: Derivation, kind: Stage, settings: Mapping[str, Any]) -> str:
    words = [kind.command.format(collection=shlex.quote(derivation.collection))]
    for name, (option, default) in kind.options.items():
        value = settings.get(name, default)
        if value != default and isinstance(value, str | int | float):
            words.append(f"{option} {shlex.quote(str(value))}")
    for part, weight in settings.get("weights", {}).items():
        words.append(f"--weight {shlex.quote(f'{part}={weight:g}')}")
    if str(settings.get("partition", "")).startswith(STRATIFIED):
        words.append("--stratify")
    if kind.takes_filter:
        where = exclude_tainted(str(settings.get("where") or ""))
        words.append(f"--where {_quoted(where)}")
    return " ".join(words)


def _with_prerequisites(command: str, settings: Mapping[str, Any]) -> str:
    """The command, or a sentence with what it needs that a result can only point to."""
    if settings.get("parent"):
        return (
            f"rebuild the map {settings['parent']}, of which this is a part, then run {command} "
            "--parent with the id of the new map"
        )
    partition = settings.get("partition")
    if isinstance(partition, str) and not partition.startswith(STRATIFIED):
        name = settings.get("shuffle_index") or "that ordered its samples"
        return f"{command} --shuffle-index with the file {name}"
    return command


def _quoted(text: str) -> str:
    """Readable where possible: double quotes around a query that contains none."""
    return f'"{text}"' if not set(text) & set('"$`\\!') else shlex.quote(text)
