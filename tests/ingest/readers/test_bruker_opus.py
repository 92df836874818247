import struct
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers.opus.opus_blocks import ENTRY, MAGIC, START
from motif.ingest.readers.opus.reader import BrukerOpus

ABSORBANCE, RAMAN, INTERFEROGRAM = 4, 10, 2
VALUES = np.array([0.1, 0.4, 0.2, 0.3], "<f4")


def parameters(**values: object) -> bytes:
    raw = b""
    for name, value in values.items():
        if isinstance(value, int):
            kind, content = 0, struct.pack("<i", value)
        elif isinstance(value, float):
            kind, content = 1, struct.pack("<d", value)
        else:
            kind, content = 2, f"{value}\0".encode("latin-1")
            content += b"\0" * (len(content) % 2)
        raw += name.encode() + b"\0" + struct.pack("<HH", kind, len(content) // 2) + content
    raw += b"END\0" + bytes(4)
    return raw + b"\0" * (-len(raw) % 4)


def status(first: float = 4000.0, last: float = 1000.0, **more: object) -> dict[str, object]:
    return {
        "DPF": 1, "NPT": 4, "FXV": first, "LXV": last, "CSF": 2.0, "DXU": "WN",
        "DAT": "04/07/2023", "TIM": "16:59:10.608 (GMT+1)", **more,
    }  # fmt: skip


def opus(*traces: tuple[int, int, dict[str, object]], **values: object) -> bytes:
    """A file of (kind of data, channel, status) traces of the same four values."""
    blocks = [(4 << 4, parameters(**{"INS": "VERTEX 70", "SNM": "film", "ASS": 8, **values}))]
    for data, channel, about in traces:
        code = 3 | channel << 2 | data << 10
        blocks += [(code, VALUES.tobytes()), (code | 1 << 4, parameters(**about))]
    place = START.size + ENTRY.size * (len(blocks) + 1)
    directory = [ENTRY.pack(13 << 10, 3 * (len(blocks) + 1), START.size)]
    for code, content in blocks:
        directory.append(ENTRY.pack(code, len(content) // 4, place))
        place += len(content)
    start = START.pack(MAGIC, 920622.0, START.size, 40, len(directory))
    return start + b"".join(directory) + b"".join(content for _, content in blocks)


class TestBrukerOpus(ReaderTests):
    reader = BrukerOpus()
    suffix = ".0"
    examples = 30

    def write_valid(self, path: Path) -> None:
        path.write_bytes(
            opus((ABSORBANCE, 3, status()), (1, 1, status()), (INTERFEROGRAM, 1, status()))
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "film.0"


def test_spectra_are_read_and_interferograms_left_out(path: Path) -> None:
    traces = ((ABSORBANCE, 3), (1, 1), (1, 2), (INTERFEROGRAM, 1))
    path.write_bytes(opus(*((data, channel, status()) for data, channel in traces)))
    reading = BrukerOpus()(path)
    titles = [m.title for m in reading.measurements]
    assert titles == [
        "film absorbance",
        "film sample single channel",
        "film reference single channel",
    ]
    assert reading.warnings == ["1 interferograms, phases or traces are left out"]
    found = reading.measurements[0]
    np.testing.assert_allclose(found.data, 2 * VALUES)
    assert list(found.data["wavenumber"].values) == [4000, 3000, 2000, 1000]
    facets = {f.name: f.value for f in found.facets}
    assert facets["signal"] == "absorbance"
    assert facets["technique"] == "FT-IR spectroscopy"
    assert facets["instrument"] == "Bruker VERTEX 70"
    assert facets["accumulations"] == 8
    assert facets["acquired_at"] == "2023-07-04T16:59:10"
    assert ("SNM", "film") in reading.header


@pytest.mark.parametrize(("first", "dimension"), [(3900.0, "raman_shift"), (9000.0, "wavenumber")])
def test_a_raman_axis_is_a_shift_if_the_laser_line_fits(
    path: Path, first: float, dimension: str
) -> None:
    path.write_bytes(
        opus((RAMAN, 3, status(first, 60.0)), RLW=9394.9, HFQ=9344.9, LFQ=5394.9, SRT=1688489950.6)
    )
    (found,) = BrukerOpus()(path).measurements
    assert found.data.dims == (dimension,)
    facets = {f.name: f.value for f in found.facets}
    assert facets["laser_wavelength"] == pytest.approx(1064.4e-9, rel=1e-4)
    assert facets["acquired_at"] == "2023-07-04T16:59:10Z"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (opus((ABSORBANCE, 3, status()))[:40], "directory of 4 blocks"),
        (opus((ABSORBANCE, 3, status()))[:-20], "block 4 of 4 ends"),
        (opus((INTERFEROGRAM, 1, status())), "only interferograms"),
        (opus((ABSORBANCE, 3, status(NPT=5))), "declares 5 points"),
        (opus((ABSORBANCE, 3, status(DXU="PNT"))), "is in PNT"),
        (opus((ABSORBANCE, 3, status(FXV=float("nan")))), "axis of .* is damaged"),
        (bytes(100), "is not an OPUS file"),
    ],
)
def test_damage_is_named(path: Path, raw: bytes, reason: str) -> None:
    path.write_bytes(raw)
    with pytest.raises(UnreadableFileError, match=reason):
        BrukerOpus()(path)
