"""Runs a reader in a process of its own, for libraries that damaged files can hang or crash."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.reading_stream import receive, send

MEMORY = 448 * 2**20
"""Bytes a file may take beyond what the process has when it starts."""
PROCESSOR = 0.75
"""Seconds of computing a file may take at least."""
RATE = 32 * 2**20
"""Bytes of a file that buy it another second of computing."""
PATIENCE = 60.0
"""Seconds to wait for a process that neither computes nor answers, as on a stuck disk."""


class Child:
    """A process that reads one file after the other; started on first use and after its death."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def read(self, path: Path) -> Reading:
        """Read a file over there.

        Raises:
            UnreadableFileError: the reader says so, or the process died of the file.
        """
        with self._lock:
            process = self._process or self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            watch = threading.Timer(PATIENCE + path.stat().st_size / RATE, process.kill)
            watch.start()
            try:
                process.stdin.write(json.dumps(os.path.abspath(path)).encode() + b"\n")
                process.stdin.flush()
                told = json.loads(process.stdout.readline())
                if "error" not in told:
                    return receive(process.stdout, told)
            except (OSError, ValueError, EOFError) as error:
                end = _end(self._reap())
                self._start()  # meanwhile, for the next file
                raise UnreadableFileError(
                    f"{path.name} is damaged in a way its library does not get over ({end}); "
                    "fetch or copy it again"
                ) from error
            finally:
                watch.cancel()
        raise UnreadableFileError(told["error"])

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._reap()

    def _start(self) -> subprocess.Popen[bytes]:
        # -P: the folder one happens to be in must not provide modules.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", self._module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return self._process

    def _reap(self) -> int:
        """Make sure the process has ended; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.0)  # it ends by itself now; a crash takes a moment too
        process.kill()
        return process.wait()


def serve(read: Callable[[Path], Reading]) -> None:
    """Answer the parent's requests until it closes the pipe; the main loop of the process."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up between the answers
    _limit_memory()
    for line in requests:
        path = Path(json.loads(line))
        try:
            _limit_processor(PROCESSOR + path.stat().st_size / RATE)
            reading = read(path)
            _limit_processor(0)
            send(answers, reading)
        except (UnreadableFileError, OSError) as error:
            _refuse(answers, str(error))
        except MemoryError:
            _refuse(answers, f"{path.name} is damaged: it asks for more memory than it can need")
        except Exception as error:  # the next file must not suffer from this one
            what = f"{type(error).__name__}: {error}"
            _refuse(answers, f"{path.name} is damaged in a way its reader does not expect ({what})")
        answers.flush()


def _refuse(answers: IO[bytes], reason: str) -> None:
    answers.write(json.dumps({"error": reason}).encode() + b"\n")


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
