"""The sandbox is a package of its own: it needs nothing of Motif but its error classes."""

from __future__ import annotations

import json
import subprocess
import sys

IMPORT_ALL = """
import importlib, json, pkgutil, sys
import motif.ingest.sandbox as package
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
inside = package.__name__
loaded = [name for name in sys.modules if name.startswith("motif.")]
print(json.dumps([name for name in loaded if name != inside and not name.startswith(inside + ".")]))
"""


def test_every_module_imports_nothing_of_motif_but_errors() -> None:
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, timeout=120, check=True
    )
    imported = json.loads(run.stdout.splitlines()[-1])
    assert set(imported) <= {"motif.core", "motif.core.errors", "motif.ingest"}


def test_the_package_runs_as_a_module() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "motif.ingest.sandbox", "--help"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    for command in ("serve", "fault", "user"):
        assert command in run.stdout
