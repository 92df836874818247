"""Runs a reader in a process of its own, for libraries that damaged files can hang or crash."""

from __future__ import annotations

import atexit
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.reading_stream import receive, send

MEMORY = 448 * 2**20
"""Bytes a file may take beyond what the process has when it starts."""
PROCESSOR = 0.5
"""Seconds of computing a file may take at least."""
RATE = 16 * 2**20
"""Bytes of a file that buy it another second of computing."""
PATIENCE = 60.0
"""Seconds to wait for a process that neither computes nor answers, as on a stuck disk."""
NUMBER = struct.Struct("<Q")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Child:
    """A process that reads one file after the other; started on first use.

    Where the system can fork, it holds the libraries and a copy of it reads, so that another copy
    is there at once for the file after one that ended the first.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0
        atexit.register(self.close)

    def read(self, path: Path) -> Reading:
        """Read a file over there.

        Raises:
            UnreadableFileError: the reader says so, or the process died of the file.
        """
        with self._lock:
            process = self._process or self._start()
            watch = threading.Timer(PATIENCE + path.stat().st_size / RATE, _kill, [process])
            watch.start()
            try:
                told = self._ask(process, path)
                if "error" not in told and "died" not in told:
                    assert process.stdout is not None
                    return receive(process.stdout, told)
            except (OSError, ValueError, EOFError) as error:
                code = self._reap()
                self._start()  # meanwhile, for the next file
                raise _deadly(path, code) from error
            finally:
                watch.cancel()
        if "died" in told:
            raise _deadly(path, told["died"])
        raise UnreadableFileError(told["error"])

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._reap()

    def _ask(self, process: subprocess.Popen[bytes], path: Path) -> dict[str, Any]:
        """The answer to this request; the end of a copy that was idle answers an older one."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._number += 1
        process.stdin.write(json.dumps([self._number, os.path.abspath(path)]).encode() + b"\n")
        process.stdin.flush()
        while True:
            told: dict[str, Any] = json.loads(process.stdout.readline())
            if told["number"] == self._number:
                return told

    def _start(self) -> subprocess.Popen[bytes]:
        # -P: the folder one happens to be in must not provide modules.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", self._module], env={**os.environ, **ONE_THREAD},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        return self._process

    def _reap(self) -> int:
        """Make sure the process and its copy have ended; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.0)  # it ends by itself now; a crash takes a moment too
        _kill(process)
        return process.wait()


def serve(read: Callable[[Path], Reading]) -> None:
    """Answer the parent's requests until it closes the pipe; the main loop of the process."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up between the answers
    if not hasattr(os, "fork"):
        _answer(read, answers, bytearray(NUMBER.size))
        return
    at_work = mmap.mmap(-1, NUMBER.size)  # shared with the copies: the request they work on
    while True:
        copy = os.fork()
        if not copy:
            try:
                _answer(read, answers, at_work)
            finally:
                os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
        if code == 0:
            return
        _tell(answers, NUMBER.unpack(at_work[:])[0], died=code)


def _answer(read: Callable[[Path], Reading], answers: IO[bytes], at_work: Any) -> None:
    """Read one file after the other."""
    _limit_memory()
    for line in sys.stdin.buffer:
        number, name = json.loads(line)
        at_work[:] = NUMBER.pack(number)
        path = Path(name)
        try:
            _limit_processor(PROCESSOR + path.stat().st_size / RATE)
            reading = read(path)
            _limit_processor(0)
            send(answers, reading, number)
            answers.flush()
        except (UnreadableFileError, OSError) as error:
            _tell(answers, number, error=str(error))
        except MemoryError:
            why = f"{path.name} is damaged: it asks for more memory than it can need"
            _tell(answers, number, error=why)
        except Exception as error:  # the next file must not suffer from this one
            what = f"{type(error).__name__}: {error}"
            why = f"{path.name} is damaged in a way its reader does not expect ({what})"
            _tell(answers, number, error=why)
        finally:
            _limit_processor(0)


def _tell(answers: IO[bytes], number: int, **answer: Any) -> None:
    answers.write(json.dumps({"number": number, **answer}).encode() + b"\n")
    answers.flush()


def _deadly(path: Path, code: int) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path.name} is damaged in a way its library does not get over ({_end(code)}); "
        "fetch or copy it again"
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and its copy."""
    with suppress(AttributeError, ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _limit_memory() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _limit_processor(seconds: float) -> None:
    """End the process after so much computing, 0 for never.

    A file that hangs the library burns its own time, however busy the machine is.
    """
    with suppress(AttributeError):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _end(code: int) -> str:
    """How a process ended, in words."""
    if code == -getattr(signal, "SIGPROF", 0):
        return "it computes without end"
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"the library ended with {name}"
