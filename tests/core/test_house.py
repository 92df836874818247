"""The rules of the house: namespace, layers, light imports."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "dask", "distributed", "streamlit", "umap", "faiss", "sklearn", "xarray", "zarr")


@pytest.mark.parametrize("folder", ["platform", "ingest", "analysis", "dashboard"])
def test_namespace_folders_hold_no_init(folder: str) -> None:
    assert (ROOT / folder / "motif").is_dir()
    assert not (ROOT / folder / "__init__.py").exists()
    assert not (ROOT / folder / "motif" / "__init__.py").exists()


def test_tests_hold_no_init() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_layers_are_kept() -> None:
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
        "import sys, motif.core, motif.core.cli; motif.core.cli.build();"
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
    helped = min(seconds([sys.executable, "-m", "motif.core.cli", "--help"]) for _ in range(3))
    assert helped < 8 * bare


@pytest.mark.parametrize(
    "tool", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)], ids=" ".join
)
def test_checks_are_clean(tool: tuple[str, ...]) -> None:
    command = [str(Path(sys.executable).with_name(tool[0])), *tool[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_of_the_house_is_documented() -> None:
    from typer.main import get_command

    from motif.core.cli import build

    text = (ROOT / "docs" / "commands.md").read_text()
    tree = get_command(build())
    for name, command in tree.commands.items():  # type: ignore[attr-defined]
        names = [f"{name} {sub}" for sub in getattr(command, "commands", {})] or [name]
        for full in names:
            assert f"motif {full}" in text, f"docs/commands.md does not mention motif {full}"
