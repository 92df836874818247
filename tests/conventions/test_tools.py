"""Rules of the repository: namespace, layers, light imports, documented commands."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
HEAVY = ("torch", "dask", "distributed", "streamlit", "umap", "faiss", "sklearn", "xarray", "zarr")


@pytest.mark.parametrize("folder", ["platform", "ingest", "analysis", "dashboard"])
def test_namespace_folders_have_no_init(folder: str) -> None:
    assert (ROOT / folder / "motif").is_dir()
    assert not (ROOT / folder / "__init__.py").exists()
    assert not (ROOT / folder / "motif" / "__init__.py").exists()


def test_tests_have_no_init() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_layers_are_respected() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_command_line_imports_nothing_heavy() -> None:
    script = (
        "import sys, motif.core, motif.core.cli.command_line; motif.core.cli.command_line.build();"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_help_answers_quickly() -> None:
    def seconds(argv: list[str]) -> float:
        start = time.perf_counter()
        subprocess.run(argv, capture_output=True, check=True)
        return time.perf_counter() - start

    bare = min(seconds([sys.executable, "-c", "import typer, rich"]) for _ in range(3))
    helped = min(
        seconds([sys.executable, "-m", "motif.core.cli.command_line", "--help"]) for _ in range(3)
    )
    assert helped < 8 * bare


@pytest.mark.parametrize(
    "tool", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)], ids=" ".join
)
def test_checks_are_clean(tool: tuple[str, ...]) -> None:
    command = [str(Path(sys.executable).with_name(tool[0])), *tool[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_is_documented() -> None:
    from typer.main import get_command

    from motif.core.cli.command_line import build

    text = COMMANDS_PAGE
    tree = get_command(build())
    for name, command in tree.commands.items():  # type: ignore[attr-defined]
        names = [f"{name} {sub}" for sub in getattr(command, "commands", {})] or [name]
        for full in names:
            assert f"motif {full}" in text, f"docs/commands.md does not mention motif {full}"


def test_every_option_of_the_documentation_exists() -> None:
    """The first column of docs/commands.md shows options that the commands have."""
    from typer.main import get_command

    from motif.core.cli.command_line import build

    tree = get_command(build())
    for cell in re.findall(r"^\| (`motif [^|]*) \|", COMMANDS_PAGE, re.MULTILINE):
        for shown in re.findall(r"`(motif [^`]*)`", cell):
            command, words = tree, shown.split()[1:]
            while words and words[0] in getattr(command, "commands", {}):
                command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
            options = {
                option
                for parameter in command.params
                for option in (*parameter.opts, *parameter.secondary_opts)
            }
            unknown = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(words))) - options
            assert not unknown, f"{shown} has no option {', '.join(unknown)}"
