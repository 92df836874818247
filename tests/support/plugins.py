"""Installs the plugin package that a page of `docs/extending` shows, as its reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

FILE = re.compile(r'^```\w+ title="(?P<name>[^"]+)"\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)


def plugin_files(page: Path) -> dict[str, str]:
    """File name -> text of the code blocks of a page that carry a title."""
    files: dict[str, str] = {}
    for block in FILE.finditer(page.read_text(encoding="utf-8")):
        files[block["name"]] = files.get(block["name"], "") + block["text"]
    if "pyproject.toml" not in files:
        raise ValueError(f'{page} shows no file with title="pyproject.toml".')
    return files


def install_plugin(page: Path, folder: Path) -> dict[str, str]:
    """Write the package of a page below `folder` and install it with pip, without network.

    Returns the environment in which a new process of this interpreter finds the plugin. The
    sources are in ``folder / "plugin"``, the installed package in ``folder / "site"``.
    """
    sources, site = folder / "plugin", folder / "site"
    for name, text in plugin_files(page).items():
        path = sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "--target", str(site)]
    done = subprocess.run([*command, str(sources)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip could not install the plugin of {page.name}: {done.stderr}")
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def run_python(arguments: list[str], environment: dict[str, str], folder: Path) -> str:
    """Standard output of this interpreter run with `arguments`; fails with what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(
            f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout
