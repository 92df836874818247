"""Conventions on names, sizes and imports, checked on the source tree."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SHARED_MODULE_NAMES = {"commands", "reader"}
"""Modules that have one meaning in every package: its command line, the reader of its format."""

MOST_MODULES = 330
MEDIAN_LINES = range(90, 201)
MOST_LINES = 450
MOST_ENTRIES = 20
MOST_PARAMETERS = 8

RETIRED = (
    "told", "telling", "anew", "errand", "errands", "stranger", "strangers", "likeness",
    "likenesses", "steady", "steadiness", "remark", "remarks", "outline", "outlines", "beside",
    "besides", "apart",
)  # fmt: skip
"""Home-made or archaic words, replaced by the terms of docs/glossary.md."""
NOT_A = r"(?<!there )\b(?:is|are) no\b(?! longer| more| less)"
"""Write "is not a workspace", never "is no workspace"; "there is no workspace" is English."""
WORDS = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(RETIRED)})(?![A-Za-z])|{NOT_A}", re.IGNORECASE)
TEXTS = (".py", ".md", ".js", ".css", ".toml", ".lark", ".cff", ".yml")


def imports_of(module: Any, names: Mapping[str, Any]) -> Iterator[str]:
    """Modules that one imports when it runs, within functions too."""
    for_types = {
        id(node)
        for branch in ast.walk(module.tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    for node in ast.walk(module.tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in names else node.module


def doubled(places: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {name: sorted(where) for name, where in places.items() if len(set(where)) > 1}


def test_no_import_circle_even_within_functions(modules: list[Any]) -> None:
    names = {module.name: module for module in modules}
    graph = {
        name: {other for other in imports_of(module, names) if other in names and other != name}
        for name, module in names.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import circle: {' -> '.join(error.args[1])}")


def test_a_module_name_means_one_thing(modules: list[Any]) -> None:
    places = defaultdict(list)
    for module in modules:
        if module.basename not in SHARED_MODULE_NAMES:
            places[module.basename].append(module.name)
    assert doubled(places) == {}


def test_a_class_name_means_one_thing(modules: list[Any]) -> None:
    places = defaultdict(list)
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{module.name}:{node.lineno}")
    assert doubled(places) == {}


def test_modules_are_few_and_of_a_size_one_reads_at_once(modules: list[Any]) -> None:
    lines = {module.name: module.text.count("\n") for module in modules if not module.is_package}
    assert len(lines) <= MOST_MODULES
    assert int(median(lines.values())) in MEDIAN_LINES
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_a_folder_can_be_taken_in_at_a_glance() -> None:
    crowded = {}
    for area in ("platform", "ingest", "analysis", "dashboard"):
        for folder in (path for path in (ROOT / area).rglob("*") if path.is_dir()):
            entries = [entry for entry in folder.iterdir() if entry.name != "__pycache__"]
            if len(entries) > MOST_ENTRIES:
                crowded[str(folder.relative_to(ROOT))] = len(entries)
    assert crowded == {}


def test_functions_take_requests_instead_of_long_parameter_lists(modules: list[Any]) -> None:
    """Commands are exempt: each option of a command line is a parameter to Typer."""
    long = []
    for module in modules:
        if module.basename == "commands" or "commands" in module.basename.split("_"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef):
                arguments = node.args
                count = len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs)
                if count - (arguments.args[:1] != [] and arguments.args[0].arg == "self") > (
                    MOST_PARAMETERS
                ):
                    long.append(f"{module.name}.{node.name} ({count})")
    assert long == []


def test_packages_have_a_docstring_and_no_logic(modules: list[Any]) -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    for module in (module for module in modules if module.is_package):
        assert ast.get_docstring(module.tree), module.name
        for node in module.tree.body[1:]:
            assert isinstance(node, allowed), f"{module.name}:{node.lineno}"


def test_tables_of_the_catalog_are_known_in_core_alone(modules: list[Any]) -> None:
    names = {module.name: module for module in modules}
    for module in modules:
        if module.name.startswith("motif.core"):
            continue
        assert "sqlalchemy" not in module.text, module.name
        imported = set(imports_of(module, names))
        assert not {
            name for name in imported if name.startswith("motif.core.catalog.database.tables")
        }


FORMER_SPELLINGS = {
    "platform/motif/core/catalog/journal_format.py": {"told", "outlines", "remarks", "steadiness"},
    "tests/core/catalog/test_journal_format.py": {"told", "outlines", "remarks", "steadiness"},
    "ingest/motif/ingest/readers/text/labspec_text.py": {"remark"},
}
"""Keys of workspaces written before, and of an instrument's own header."""


def tracked_texts() -> list[Path]:
    """Code, tests, documentation and page copy; the change log names what was renamed."""
    skipped = {ROOT / "CHANGELOG.md", Path(__file__)}
    former = (
        "platform/motif/core/catalog/journal_format.py",
        "tests/core/catalog/test_journal_format.py",
    )
    skipped |= {ROOT / path for path in former}  # former keys, read from older workspaces
    folders = ("platform", "ingest", "analysis", "dashboard", "tests", "docs", ".github")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    paths += [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("*.cff")]
    return [path for path in paths if path.suffix in TEXTS and path not in skipped]


def test_retired_words_are_gone() -> None:
    found: Counter[str] = Counter()
    for path in tracked_texts():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for match in WORDS.finditer(line.replace("_", " ")):
                name, word = str(path.relative_to(ROOT)), match[0].lower()
                if word in FORMER_SPELLINGS.get(name, ()):
                    continue
                if path.suffix == ".css" and word == "outline":  # a property of CSS
                    continue
                found[f"{path.relative_to(ROOT)}:{number}: {match[0]}"] += 1
    assert not found, "\n".join(found)


def test_the_glossary_has_one_entry_for_each_word() -> None:
    table = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| (\*\*.+?) \|", table, re.MULTILINE)
    terms = [term for entry in words for term in re.findall(r"\*\*(.+?)\*\*", entry)]
    assert len(words) >= 30
    assert {term for term, count in Counter(terms).items() if count > 1} == set()


IMPORT_NAMES = {
    "dask": "distributed", "faiss-cpu": "faiss", "filelock": "filelock", "pillow": "PIL",
    "protobuf": "google.protobuf", "psycopg": "postgresql",
    "pydantic-settings": "pydantic_settings", "pyzmq": "zmq",
    "scikit-learn": "sklearn", "umap-learn": "umap",
}  # fmt: skip
"""Distribution -> what the code imports of it, where the names differ."""


def test_no_declared_dependency_is_unused(modules: list[Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = list(project["dependencies"])
    for extra in ("analysis", "sandbox", "dashboard", "postgresql", "testing"):
        declared += project["optional-dependencies"][extra]
    names = {re.split(r"[\[><=! ]", requirement)[0] for requirement in declared} - {"motif-lab"}
    code = "\n".join(module.text for module in modules)
    unused = {
        name
        for name in names
        if not re.search(
            rf"(?:^\s*(?:import|from) {re.escape(IMPORT_NAMES.get(name, name))}\b|"
            rf'"{re.escape(IMPORT_NAMES.get(name, name))}")',
            code,
            re.MULTILINE,
        )
    }
    assert unused == set()
