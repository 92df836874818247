"""The base installation works without the packages of the extras, and names a missing extra."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from motif.core.plugins import MODULES_OF_EXTRA, extra_of, missing_extra

ROOT = Path(__file__).parents[2]
BLOCKED = [
    module
    for extra, modules in MODULES_OF_EXTRA.items()
    for module in modules
    if extra != "sandbox"
] + ["jsonschema", "referencing"]
RUN = '''
import json, sys

class WithoutExtras:
    """A finder that does not find the modules of the extras."""

    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if any(name == blocked or name.startswith(blocked + ".") for blocked in {blocked!r}):
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path = [WithoutExtras(finder) for finder in sys.meta_path]
from motif.core.cli.command_line import main

codes = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["motif", *arguments]
    try:
        main()
        codes.append(0)
    except SystemExit as end:
        codes.append(end.code or 0)
    print("\\x1e", flush=True)
sys.stderr.write(json.dumps({{"codes": codes}}))
'''
DISTRIBUTION_OF = {
    "faiss": "faiss-cpu", "sklearn": "scikit-learn", "umap": "umap-learn", "distributed": "dask",
    "google.protobuf": "protobuf", "authlib": "streamlit", "httpx": "streamlit",
    "uvicorn": "streamlit",
}  # fmt: skip


class BaseOnly:
    """Runs commands in a process in which no module of an extra can be imported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.errors = ""
        self.codes: list[int] = []

    def run(self, *commands: list[str]) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", RUN.format(blocked=BLOCKED), json.dumps(commands)],
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        *lines, last = done.stderr.splitlines() or [""]
        self.errors = "\n".join(lines)
        self.codes = json.loads(last[last.index('{"codes"') :])["codes"]
        self.errors += last[: last.index('{"codes"')]
        return done.stdout.split("\x1e\n")[:-1]


@pytest.fixture
def base(tmp_path: Path) -> BaseOnly:
    files = tmp_path / "files"
    files.mkdir()
    rows = "\n".join(f"{100 + n}\t{n % 7}.5" for n in range(40))
    (files / "spectrum.txt").write_text(f"Raman shift (cm-1)\tIntensity (counts)\n{rows}\n")
    (files / "odd.bin").write_bytes(b"?")
    return BaseOnly(tmp_path)


def test_measurements_are_ingested_listed_and_checked(base: BaseOnly) -> None:
    base.run(["init", "lab"])
    lab = base.folder / "lab"
    config = f'[sources.s]\nkind = "folder"\npath = "{base.folder}/files"\ninto = "raman"\n'
    (lab / "motif.toml").write_text(config)
    base.folder = lab
    commands = [
        ["ingest", "--json"], ["status", "--json"], ["records", "--json"],
        ["measurements", "--json"], ["check", "--json"], ["facets", "--json"],
        ["label", "raman", "--add", "x", "--where", ""], ["quarantine", "list", "--json"],
    ]  # fmt: skip
    answers = base.run(*commands)
    assert base.codes == [0] * len(commands), base.errors
    ingest, status, records, measurements, check = map(json.loads, answers[:5])
    assert (ingest["new"], ingest["quarantined"]) == (1, 1), ingest
    assert status["plugins_failed"] == []
    assert records["records"][0]["measurements"] == {"spectrum": 1}
    assert check["problems"] == []
    (shown,) = base.run(["show", measurements["measurements"][0]["id"], "--json"])
    assert json.loads(shown)["reader"]


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (["train", "composition", "raman"], "analysis"),
        (["embed", "raman"], "analysis"),
        (["project", "raman"], "analysis"),
        (["serve", "--port", "8599"], "dashboard"),
    ],
    ids=["train", "embed", "project", "serve"],
)
def test_a_missing_extra_is_one_sentence_with_the_pip_line(
    base: BaseOnly, command: list[str], extra: str
) -> None:
    base.run(["init", "lab"])
    base.folder /= "lab"
    base.run(command)
    assert base.codes == [1]
    name = " ".join(command[:2] if command[0] == "train" else command[:1])
    pip = f'pip install "motif-lab[{extra}]"'
    assert base.errors.strip() == f'motif: motif {name} needs the extra "{extra}": {pip}'


def test_the_table_of_extras_agrees_with_the_project_file() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base = " ".join(declared["dependencies"])
    for extra, modules in MODULES_OF_EXTRA.items():
        requirements = " ".join(declared["optional-dependencies"][extra])
        for module in modules:
            distribution = DISTRIBUTION_OF.get(module, module)
            assert distribution in requirements, f"{module} is not in the extra {extra}"
            assert f'"{distribution}' not in base


def test_only_modules_of_an_extra_are_explained() -> None:
    assert extra_of("umap.umap_") == "analysis"
    assert extra_of("google") == "sandbox"
    assert extra_of("numpy") is None
    assert extra_of("torchaudio") is None
    assert missing_extra(ImportError("cannot import name 'x'", name="torch"), "motif x") is None
    assert missing_extra(ModuleNotFoundError(name="numpy"), "motif x") is None
    error = missing_extra(ModuleNotFoundError(name="torch.nn"), "motif embed")
    assert str(error) == 'motif embed needs the extra "analysis": pip install "motif-lab[analysis]"'
