"""Damages files as archives and attackers do, and checks what a reader returns for them.

Every damaged file must be read or refused (`UnreadableFileError`) within `SECONDS` and
`MEMORY`; anything else is an error of the reader.
"""

from __future__ import annotations

import importlib.util
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_tests import HEAD, ReaderTests, check_facet, check_measurement

if TYPE_CHECKING:
    from motif.core.contracts import Reader
    from motif.core.records import Measurement

SECONDS = 2.0
MEMORY = 512 * 2**20
"""Bytes a reader may allocate for a damaged file."""
EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 10**9)
"""Values of length fields that programs do not expect."""
Damage = Callable[[bytes, random.Random], bytes]


def mutate(raw: bytes, seed: int) -> bytes:
    """Damage the bytes of a valid file, the same way for the same seed.

    Flips bits, cuts, edits numbers that may be lengths (binary or written out), changes the
    encoding or line ends of text, and moves, doubles, drops or blanks stretches; one to four
    times over.
    """
    source = random.Random(seed)
    for _ in range(source.choice((1, 1, 1, 2, 4))):
        raw = source.choice(DAMAGES)(raw, source) or raw[:1]
    return raw


def _offset(raw: bytes, source: random.Random) -> int:
    """An offset in the file, mostly near the beginning, where headers are."""
    reach = min(len(raw), source.choice((64, 512, 4096, len(raw)))) or 1
    return source.randrange(reach)


def _flip(raw: bytes, source: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(source.choice((1, 1, 3, 20)) if raw else 0):
        changed[_offset(raw, source)] ^= 1 << source.randrange(8)
    return bytes(changed)


def _cut(raw: bytes, source: random.Random) -> bytes:
    return raw[: source.choice((_offset(raw, source), source.randrange(len(raw) + 1)))]


def _length(raw: bytes, source: random.Random) -> bytes:
    """Overwrite a number of 1, 2, 4 or 8 bytes in either byte order."""
    width = source.choice((1, 2, 4, 4, 8))
    value = source.choice((*EXTREMES, source.getrandbits(31), len(raw), len(raw) * 1000))
    number = (value % (1 << 8 * width)).to_bytes(width, source.choice(("little", "big")))
    at = _offset(raw, source)
    return raw[:at] + number + raw[at + width :]


def _digits(raw: bytes, source: random.Random) -> bytes:
    """Replace a number written out in the text."""
    reach = min(len(raw), 65536)
    digits = [i for i in range(reach) if raw[i] in b"0123456789"][:20000]
    if not digits:
        return raw
    at = end = source.choice(digits)
    while end < len(raw) and raw[end] in b"0123456789.eE+-":
        end += 1
    numbers = (
        b"0",
        b"-1",
        b"99999999999",
        b"1e308",
        b"nan",
        b"inf",
        b"1_0",
        b"",
        b"x",
        b"1,5",
        b"7",
    )
    return raw[:at] + source.choice(numbers) + raw[end:]


def _encode(raw: bytes, source: random.Random) -> bytes:
    """Save the text as another program would."""
    text = raw.decode("latin-1")
    encodings: tuple[Callable[[], bytes], ...] = (
        lambda: b"\xef\xbb\xbf" + raw,
        lambda: text.encode("utf-16"),
        lambda: text.encode("utf-8"),
        lambda: raw.replace(b"\r\n", b"\n"),
        lambda: raw.replace(b"\n", b"\r\n"),
        lambda: raw.replace(b"\n", b"\r"),
        lambda: raw.replace(b",", b";").replace(b".", b","),
        lambda: bytes(byte & 0x7F for byte in raw),
    )
    return source.choice(encodings)()


def _shuffle(raw: bytes, source: random.Random) -> bytes:
    """Drop, double, blank or move a stretch."""
    at = _offset(raw, source)
    size = source.choice((1, 4, 32, 512))
    piece, rest = raw[at : at + size], raw[at + size :]
    return source.choice(
        (
            raw[:at] + rest,
            raw[:at] + piece + piece + rest,
            raw[:at] + bytes(len(piece)) + rest,
            raw[:at] + source.randbytes(len(piece)) + rest,
            rest + raw[: at + size],
        )
    )


DAMAGES: tuple[Damage, ...] = (_flip, _cut, _length, _digits, _encode, _shuffle)


@dataclass
class Tally:
    """Outcome of reading many damaged files."""

    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    """Seconds the slowest of them took."""
    memory: int = 0
    """Bytes by which the process grew meanwhile; 0 where that is not measured."""


def tally(
    reader: Reader,
    valid: bytes,
    folder: Path,
    seeds: Iterable[int],
    suffix: str = "",
    limit: float = SECONDS,
) -> Tally:
    """Read a damaged file for every seed and check the result.

    Args:
        reader: the reader, which gets every file, recognised or not.
        valid: bytes of a valid file.
        folder: where to write the damaged ones.
        seeds: seeds of `mutate`.
        suffix: suffix of the files.
        limit: seconds a file may take.

    Raises:
        AssertionError: a file took too long, or its measurements break the contract.
        Exception: whatever the reader raises other than `UnreadableFileError`; a note names the
        seed.
    """
    result = Tally()
    path = folder / f"damaged{suffix}"
    for seed in seeds:
        raw = mutate(valid, seed)
        path.write_bytes(raw)
        try:
            _read_damaged(reader, path, raw, result, limit)
        except BaseException as error:
            error.add_note(f"{reader.name}, seed {seed}")
            raise
    return result


def _read_damaged(reader: Reader, path: Path, raw: bytes, result: Tally, limit: float) -> None:
    assert reader.recognises(raw[:HEAD], path.name) in (True, False)
    measurements: Sequence[Measurement] = ()
    started = time.perf_counter()
    try:
        measurements = reader(path).measurements
    except UnreadableFileError:
        result.refused += 1
    else:
        result.read += 1
    seconds = time.perf_counter() - started
    assert seconds < limit, f"{seconds:.1f} s"
    result.slowest = max(result.slowest, seconds)
    for measurement in measurements[:20]:
        check_measurement(measurement)
        for facet in measurement.facets:
            check_facet(facet)


def reader_tests(file: Path) -> dict[str, type[ReaderTests]]:
    """The `ReaderTests` of a test file by name: each knows a reader and how to write a file."""
    if ReaderTests.__name__ not in file.read_text():
        return {}
    specification = importlib.util.spec_from_file_location(f"_fuzzed_{file.stem}", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return {
        name: item
        for name, item in vars(module).items()
        if isinstance(item, type) and issubclass(item, ReaderTests) and item is not ReaderTests
    }


def campaign(file: Path, name: str, seeds: range, limit: float = SECONDS) -> Tally:
    """Fuzz one reader in this process, and measure how far its memory grows.

    Meant for a process of its own: memory once used stays counted, and a crash of a library ends
    the process.
    """
    with tempfile.TemporaryDirectory() as folder:
        tests = reader_tests(file)[name]()
        path = Path(folder) / f"valid{tests.suffix}"
        tests.write_valid(path)
        tests.reader(path)
        before = _peak(reset=True)
        valid = path.read_bytes()
        result = tally(tests.reader, valid, Path(folder), seeds, tests.suffix, limit)
        result.memory = _peak() - before
    return result


def _peak(*, reset: bool = False) -> int:
    """Most bytes of memory this process had so far, or since the peak was reset (Linux, else 0)."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0
    if reset:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    lines = (line.split() for line in status.read_text().splitlines())
    return next(int(words[1]) * 1024 for words in lines if words[0] == "VmHWM:")
