"""The command that makes a tainted result anew, without the measurements that are marked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from motif.core.catalog import Derivation
from motif.core.taint import FACET

STRATIFIED = "stratified "
"""Begins the ``partition`` of a study whose folds are stratified."""
CLEAN = f"not has {FACET}"
"""Query that leaves out what is marked."""


@dataclass(frozen=True)
class Way:
    """How a stage is made again."""

    command: str
    options: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    """Parameter of the result, or entry of its summary -> option of the command, and the value it
    has by default."""
    chooses: bool = True
    """Whether the command takes ``--where``; others follow what they are made from."""


_STUDY = {
    "target": ("--target", None), "members": ("--members", 8), "folds": ("--folds", 5),
    "recipe": ("--recipe", "fast"), "seed": ("--seed", 0),
}  # fmt: skip
_MAP = {
    "preset": ("--preset", "fast"), "n_neighbors": ("--neighbors", None),
    "min_dist": ("--min-dist", None), "seed": ("--seed", 42), "dims": ("--dims", 2),
    "by": ("--by", ""), "feature_name": ("--features", ""), "tiles": ("--tiles", None),
}  # fmt: skip
WAYS = {
    "projection": Way("motif project {collection}", _MAP),
    "ensemble-member": Way("motif train composition {collection}", {"target": ("--target", None)}),
    "gradients": Way("motif train composition {collection}", _STUDY),
    "composition-baselines": Way("motif train composition {collection} --baselines", _STUDY),
    "learning-curve": Way("motif learning-curve {collection}", _STUDY),
    "suggestions": Way(
        "motif suggest {collection}",
        {"target": ("--target", None), "count": ("--count", 10)},
        chooses=False,
    ),
    "integrated-gradients": Way(
        "motif gradients {collection} --integrated", {"target": ("--target", None)}, chooses=False
    ),
}
"""By stage. Stages that treat each measurement by itself need not be made again; what is made on
the way to one of these (a basis of spectra) follows by itself."""


def rebuild_command(made: Derivation) -> str:
    """What makes this result anew without marked measurements; empty where nothing needs to be.

    It asks for the same again: target, recipe, seed, folds, features and filter, as far as they
    are not the command's own defaults. Where one command is not enough, because a selection, a map
    above or a file of orders went in, it says in words what else to do.
    """
    way = WAYS.get(made.stage)
    if way is None:
        return ""
    told = {**made.summary, **made.parameters}
    if told.get("selection"):
        return (
            f'choose its points again, from "{made.collection}" without those marked; they were '
            "picked on a map or came from another result"
        )
    return _with_more(_command(made, way, told), told)


def question(made: Derivation) -> str:
    """What a result answers: the same for a tainted one and for the one made in its place."""
    way = WAYS.get(made.stage)
    if way is None:
        return ""
    told = {**made.summary, **made.parameters}
    part = [name for name in ("selection", "parent") if told.get(name)]
    return " ".join([_command(made, way, told), *part])


def _command(made: Derivation, way: Way, told: Mapping[str, Any]) -> str:
    words = [way.command.format(collection=shlex.quote(made.collection))]
    for name, (option, default) in way.options.items():
        value = told.get(name, default)
        if value != default and isinstance(value, str | int | float):
            words.append(f"{option} {shlex.quote(str(value))}")
    words += [f"--weight {shlex.quote(f'{k}={v:g}')}" for k, v in told.get("weights", {}).items()]
    if str(told.get("partition", "")).startswith(STRATIFIED):
        words.append("--stratify")
    if way.chooses:
        words.append(f"--where {_quoted(without_marked(str(told.get('where') or '')))}")
    return " ".join(words)


def _with_more(command: str, told: Mapping[str, Any]) -> str:
    """The command, or in words what it takes that a result can only point to."""
    if told.get("parent"):
        return (
            f"make the map {told['parent']} anew, of which this is a part, then {command} "
            "--parent with the id of the new one"
        )
    partition = told.get("partition")
    if isinstance(partition, str) and not partition.startswith(STRATIFIED):
        name = told.get("shuffle_index") or "that ordered its samples"
        return f"{command} --shuffle-index with the file {name}"
    return command


def without_marked(where: str) -> str:
    """A query that finds the same without what is marked."""
    if CLEAN in where:
        return where
    return f"({where}) and {CLEAN}" if where else CLEAN


def asked(where: str) -> str:
    """What was asked for before marked measurements were left out."""
    if where == CLEAN:
        return ""
    inner = where.removesuffix(f" and {CLEAN}")
    if inner != where and inner.startswith("(") and inner.endswith(")"):
        return inner[1:-1]
    return inner


def _quoted(text: str) -> str:
    """Readable where it can be: double quotes around a query without any."""
    return f'"{text}"' if not set(text) & set('"$`\\!') else shlex.quote(text)
