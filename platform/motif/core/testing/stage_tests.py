"""Conformance tests of a `motif.core.provenance.stages.Stage`: subclass `StageTests`.

class TestRoughness(StageTests):
    stage = ROUGHNESS

The package that declares the stage has to be installed, since the tests look it up by its entry
point.
"""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import Any, ClassVar

from motif.core.catalog.rows import Derivation
from motif.core.cli.command_line import build
from motif.core.plugins import find_plugin, load_plugin, usable
from motif.core.provenance.rebuild_commands import rebuild_command
from motif.core.provenance.stages import GROUP, Stage, all_stages


class StageTests:
    """What ledger, command line, publisher and dashboard rely on of every stage."""

    stage: ClassVar[Stage]

    def test_name_is_a_folder_of_the_store(self) -> None:
        assert re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", self.stage.name)

    def test_is_installed_once(self) -> None:
        declared = [stage for stage in _declared() if stage.name == self.stage.name]
        assert declared == [self.stage]
        assert all_stages()[self.stage.name] == self.stage

    def test_has_a_title(self) -> None:
        assert self.stage.title.strip() == self.stage.title != ""

    def test_properties_are_true_or_false(self) -> None:
        for value in (self.stage.itemwise, self.stage.is_statement, self.stage.takes_filter):
            assert isinstance(value, bool)

    def test_a_statement_has_no_command(self) -> None:
        assert not (self.stage.is_statement and self.stage.command)

    def test_command_exists(self) -> None:
        if not self.stage.command:
            return
        assert "{collection}" in self.stage.command
        _parse(self.stage.create_command("pfm"))

    def test_options_are_options_of_the_command(self) -> None:
        if not self.stage.command:
            assert not self.stage.options
            return
        options = _options(self.stage.create_command("pfm"))
        unknown = [option for option, _ in self.stage.options.values() if option not in options]
        assert not unknown
        assert ("--where" in options) >= self.stage.takes_filter

    def test_rebuild_command_is_accepted_by_the_command_line(self) -> None:
        if not self.stage.is_rebuilt:
            assert rebuild_command(_result(self.stage, {})) == ""
            return
        for parameters in ({}, self._other_values()):
            _parse(rebuild_command(_result(self.stage, parameters)))

    def test_figure_can_be_imported(self) -> None:
        if self.stage.figure:
            assert callable(load_plugin(find_plugin("motif.figures", self.stage.figure)))

    def test_page_is_a_name(self) -> None:
        assert re.fullmatch(r"([a-z]+(_[a-z]+)*)?", self.stage.page)

    def _other_values(self) -> dict[str, Any]:
        """Parameters that differ from the defaults where a default shows their type."""
        values: dict[str, Any] = {}
        for name, (_, default) in self.stage.options.items():
            if isinstance(default, int | float) and not isinstance(default, bool):
                values[name] = default + 1
        return values


def _declared() -> list[Stage]:
    stages: list[Stage] = []
    for _, declared in usable(GROUP):
        stages += [declared] if isinstance(declared, Stage) else declared
    return stages


@cache
def _command_tree() -> Any:
    from typer.main import get_command

    return get_command(build())


def _find(command_line: str) -> tuple[Any, list[str]]:
    """The command of a command line, and the arguments that follow its name."""
    program, *words = shlex.split(command_line)
    assert program == "motif"
    command = _command_tree()
    while hasattr(command, "commands"):
        name, *words = words
        assert name in command.commands, f"there is no command {name} in {command_line}"
        command = command.commands[name]
    return command, words


def _parse(command_line: str) -> None:
    """Parse a command line without running it; wrong options and values raise an error."""
    command, arguments = _find(command_line)
    command.make_context(command.name, arguments).close()


def _options(command_line: str) -> set[str]:
    command, _ = _find(command_line)
    return {option for parameter in command.params for option in parameter.opts}


def _result(stage: Stage, parameters: dict[str, Any]) -> Derivation:
    return Derivation(
        id="0" * 32, stage=stage.name, collection="pfm", parameters=parameters, summary={},
        created_at="2024-01-01T00:00:00Z", seconds=0.0, snapshot="", number=1,
    )  # fmt: skip
