from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.contracts import Reader
from motif.core.errors import UnreadableFileError
from motif.ingest.readers import choose
from motif.ingest.readers.asylum.reader import AsylumIbw
from motif.ingest.readers.file_recognition import describe_file
from motif.ingest.readers.library.library_table import CompositionTable
from motif.ingest.readers.text.two_column import TwoColumn
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync.containment import ContainedReader

READERS = (AsylumIbw(), CompositionTable())
TWO_COLUMNS = "ZETA\n1 2\n2 3\n3 4\n4 5\n5 6\n"


class ZetaText(TwoColumn):
    """A text format whose numbers are in two columns."""

    name = "zeta-text"
    fallback = False

    def recognises(self, head: bytes, name: str) -> bool:
        return head.startswith(b"ZETA")


def test_content_has_precedence_over_the_suffix(tmp_path: Path) -> None:
    planes = {"HeightRetrace": np.zeros((4, 4), np.float32)}
    write_ibw(tmp_path / "scan.csv", planes, size=(1e-6, 1e-6), note=[])
    (tmp_path / "table.ibw").write_text("Sample, Bi, V, 300, 400, P\n1, .5, .5, 1, 2, 3\n")
    assert choose(tmp_path / "scan.csv", READERS).name == "asylum-ibw"
    assert choose(tmp_path / "table.ibw", READERS).name == "composition-table"


@pytest.mark.parametrize("wrap", [lambda reader: reader, ContainedReader])
def test_a_layout_alone_is_recognised_last(
    tmp_path: Path, wrap: Callable[[Reader], Reader]
) -> None:
    (tmp_path / "file.txt").write_text(TWO_COLUMNS)
    readers = [wrap(TwoColumn()), wrap(ZetaText())]
    assert choose(tmp_path / "file.txt", readers).name == "zeta-text"
    (tmp_path / "file.txt").write_text(TWO_COLUMNS.removeprefix("ZETA\n"))
    assert choose(tmp_path / "file.txt", readers).name == "two-column-text"


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"\n", r"is empty \(1 byte\)"),
        (b"x", "too short"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-LFS pointer"),
        (b"\x89HDF\r\n\x1a\n" + bytes(20), "HDF5"),
        (b"GWYOGwyContainer" + bytes(20), "old version 1"),
        (b"WDF1" + bytes(20), "Renishaw"),
        (b"  ##TITLE=x\n##JCAMP-DX=5\n", "JCAMP-DX"),
        (b":NANONIS_VERSION:\n2\n   ", "Nanonis scan"),
        (b"\\*Force file list\r\n \\V", "force curve"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "PNG"),
        (bytes(range(200)), "binary file of unknown format"),
        (b"100.1\t2.5\r\n101.2\t3.5\r\n102.3\t4\r\n10", "numbers in columns"),
        (b"Dear diary, today I scanned.\nTomorrow too.\n", "a text without"),
    ],
)
def test_files_without_a_reader_are_described(tmp_path: Path, head: bytes, reason: str) -> None:
    (tmp_path / "file.xyz").write_bytes(head)
    with pytest.raises(UnreadableFileError, match=reason) as caught:
        choose(tmp_path / "file.xyz", READERS)
    assert str(caught.value).startswith("file.xyz is")


@given(st.binary(max_size=600), st.text())
def test_describing_never_fails(head: bytes, name: str) -> None:
    sentence = describe_file(head, name, ["asylum-ibw"])
    assert "\n" not in sentence.removeprefix(name)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        choose(tmp_path / "none.ibw", READERS)
