"""The registry of stages: the kinds of computation whose results the ledger keeps.

A package declares its stages in a module that imports nothing heavy, and names it in the entry
point group ``motif.stages``. Ledger, taint, rebuild commands, command line, publisher and
dashboard all read this registry; a stage that nobody declared works too, under its bare name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from motif.core.plugins import usable

GROUP = "motif.stages"


@dataclass(frozen=True)
class Stage:
    """One kind of computation.

    Attributes:
        name: stored with each result and in the path of its arrays, so it never changes.
        title: what people call a result, for pages; the name by default.
        command: command line that computes one, with ``{collection}`` where it goes; empty for
            results that come along with those of other stages.
        options: parameter of a result, or entry of its summary -> option of the command that
            sets it, and the option's default.
        takes_filter: whether the command takes ``--where``.
        itemwise: whether each row of a result depends on one measurement alone, so that a marked
            measurement taints its own row only.
        is_statement: whether results are statements of a person, which stay true of a marked
            measurement.
        figure: entry point of the group ``motif.figures`` that draws a result; empty for none.
        page: page of the dashboard that shows a result; empty for none.
    """

    name: str
    title: str = ""
    command: str = ""
    options: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    takes_filter: bool = True
    itemwise: bool = False
    is_statement: bool = False
    figure: str = ""
    page: str = ""

    def __post_init__(self) -> None:
        if not self.title:
            object.__setattr__(self, "title", self.name)

    @property
    def is_rebuilt(self) -> bool:
        """Whether a tainted result is replaced by running the command again."""
        return bool(self.command) and not self.itemwise and not self.is_statement

    def create_command(self, collection: str) -> str:
        """The command that computes a result of a collection; ``motif status`` without one."""
        return self.command.format(collection=collection) if self.command else "motif status"


CORE_STAGES = (Stage("label", title="Labels and notes", is_statement=True),)
"""Stages of the core itself."""


@cache
def all_stages() -> Mapping[str, Stage]:
    """Name -> stage of all installed packages, in the order of their entry points.

    An entry point is one stage or several; one that cannot be imported is skipped
    (`motif.core.plugins.usable`).
    """
    stages: dict[str, Stage] = {}
    for _, declared in sorted(usable(GROUP), key=lambda plugin: plugin[0].name != "core"):
        for each in (declared,) if isinstance(declared, Stage) else declared:
            stages.setdefault(each.name, each)
    return stages


def stage(name: str) -> Stage:
    """The stage of this name; one that was not declared has its name only."""
    return all_stages().get(name) or Stage(name)


def itemwise_stages() -> frozenset[str]:
    """Names of the stages whose result rows depend on one measurement each."""
    return frozenset(each.name for each in all_stages().values() if each.itemwise)


def statement_stages() -> frozenset[str]:
    """Names of the stages whose results are statements of a person."""
    return frozenset(each.name for each in all_stages().values() if each.is_statement)


def command_names(stages: Iterable[Stage] | None = None) -> tuple[str, ...]:
    """First words after ``motif`` of the stages' commands, each once, in stage order."""
    chosen = all_stages().values() if stages is None else stages
    words = (each.command.split()[1] for each in chosen if each.command)
    return tuple(dict.fromkeys(words))
