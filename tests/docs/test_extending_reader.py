"""The readers of `docs/extending/reader.md`, installed and run as a newcomer would."""

import json
import re
from pathlib import Path

import pytest
from plugins import install_plugin, plugin_files, run_python

from motif.ingest.readers import kit

PAGE = Path(__file__).parents[2] / "docs" / "extending" / "reader.md"
MOTIF = ["-m", "motif.core.cli.command_line"]
MAX_LINES = 80
LUMEN = "LUMEN SPECTRUM 2\nAxis: Raman shift (cm-1)\nSample: film\n[DATA]\n100 7\n102 8\n"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    folder = tmp_path_factory.mktemp("plugin")
    return install_plugin(PAGE, folder), folder


def test_the_readers_of_the_page_pass_their_tests(
    environment: tuple[dict[str, str], Path],
) -> None:
    variables, folder = environment
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    output = run_python([*arguments, "test_example_readers.py"], variables, folder / "plugin")
    passed = int(output.split(" passed")[0].rsplit(maxsplit=1)[-1])
    assert passed >= 40


def test_motif_ingests_with_the_readers_of_the_page(
    environment: tuple[dict[str, str], Path], tmp_path: Path
) -> None:
    variables, _ = environment
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "film.lum").write_text(LUMEN)
    (tmp_path / "files" / "cut.tet").write_bytes(b"TETRA1\0\0" + bytes(36))
    lab = tmp_path / "lab"
    run_python([*MOTIF, "init", str(lab)], variables, tmp_path)
    with (lab / "motif.toml").open("a") as config:
        config.write('\n[sources.files]\nkind = "folder"\npath = "../files"\ninto = "raman"\n')
    summary = json.loads(run_python([*MOTIF, "ingest", "files", "--json"], variables, lab))
    assert (summary["new"], summary["quarantined"]) == (1, 1)


def test_a_reader_of_the_page_is_short() -> None:
    for name, text in plugin_files(PAGE).items():
        if name.endswith(".py") and not name.startswith("test_"):
            assert len(text.splitlines()) < MAX_LINES, name


def test_every_function_of_the_page_is_in_the_kit() -> None:
    tables = PAGE.read_text("utf-8").partition("## The kit")[2].partition("## The package")[0]
    named = set(re.findall(r"`([A-Za-z_]+)\(", tables)) | set(re.findall(r"`(MAX_\w+)`", tables))
    assert len(named) > 25
    assert named <= set(kit.__all__)


def test_the_kit_exports_what_it_lists() -> None:
    assert not [name for name in kit.__all__ if not hasattr(kit, name)]
    assert len(set(kit.__all__)) == len(kit.__all__)
