"""Runs a reader in a process of its own, for libraries that damaged files hang or crash.

Readings come back as JSON and plain arrays through a pipe: nothing is unpickled from a process
that has parsed untrusted bytes.
"""

from __future__ import annotations

import atexit
import io
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

import numpy as np
import xarray as xr

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement, Reading

MEMORY_LIMIT = 448 * 2**20
"""Bytes a file may take in addition to what the process has when it starts."""
MIN_CPU_SECONDS = 0.5
"""Seconds of computing that every file may take."""
BYTES_PER_CPU_SECOND = 16 * 2**20
"""Bytes of a file that allow another second of computing."""
IDLE_TIMEOUT = 60.0
"""Seconds to wait for a process that neither computes nor answers, as on a stuck disk."""
MAX_ARRAY_BYTES = 2**31
SINGLE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_NUMBER = struct.Struct("<Q")


class ReaderProcess:
    """A process that reads one file after the other; started on first use.

    Where the system can fork, the process has the libraries loaded and a copy of it reads: after a
    file that ends the copy, the next copy is there at once.

    Args:
        module: run with ``python -m``; it calls `serve`.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0
        atexit.register(self.close)

    def read(self, path: Path) -> Reading:
        """Read a file in the process.

        Raises:
            UnreadableFileError: the reader refuses the file, or the process ended while reading.
        """
        with self._lock:
            process = self._process or self._start()
            timeout = IDLE_TIMEOUT + path.stat().st_size / BYTES_PER_CPU_SECOND
            timer = threading.Timer(timeout, _kill, [process])
            timer.start()
            try:
                answer = self._request(process, path)
                if "error" not in answer and "exit_code" not in answer:
                    assert process.stdout is not None
                    return receive(process.stdout, answer)
            except (OSError, ValueError, EOFError) as error:
                exit_code = self._end()
                self._start()  # meanwhile, for the next file
                raise _process_ended(path, exit_code) from error
            finally:
                timer.cancel()
        if "exit_code" in answer:
            raise _process_ended(path, answer["exit_code"])
        raise UnreadableFileError(answer["error"])

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _request(self, process: subprocess.Popen[bytes], path: Path) -> dict[str, Any]:
        """The answer to a request; answers to earlier requests are skipped."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._number += 1
        process.stdin.write(json.dumps([self._number, os.path.abspath(path)]).encode() + b"\n")
        process.stdin.flush()
        while True:
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            if answer["number"] == self._number:
                return answer

    def _start(self) -> subprocess.Popen[bytes]:
        # -P: the current folder must not provide modules.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", self._module], env={**os.environ, **SINGLE_THREAD},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        return self._process

    def _end(self) -> int:
        """Make sure that the process and its copy have ended; its exit code."""
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


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its copy."""
    with suppress(AttributeError, ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _process_ended(path: Path, exit_code: int) -> UnreadableFileError:
    if exit_code == -getattr(signal, "SIGPROF", 0):
        reason = "it computes without end"
    elif exit_code < 0:
        reason = f"the library ended with {signal.Signals(-exit_code).name}"
    else:
        reason = f"the library ended with exit code {exit_code}"
    return UnreadableFileError(
        f"{path.name} is damaged in a way that its library does not survive ({reason}); fetch or "
        "copy it again"
    )


def serve(read: Callable[[Path], Reading]) -> None:
    """Answer requests until the parent closes the pipe; the main loop of the process.

    Args:
        read: reads one file; what it prints is discarded.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up between the answers
    xr.DataArray(np.zeros(1), {"x": [0.0]}, ("x",))  # loads pandas: no file is charged for it
    if not hasattr(os, "fork"):
        _answer_requests(read, answers, bytearray(_NUMBER.size))
        return
    current_request = mmap.mmap(-1, _NUMBER.size)  # shared with the copies
    while True:
        copy = os.fork()
        if not copy:
            try:
                _answer_requests(read, answers, current_request)
            finally:
                os._exit(0)
        exit_code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
        if exit_code == 0:
            return
        _send_failure(answers, _NUMBER.unpack(current_request[:])[0], exit_code=exit_code)


def _answer_requests(
    read: Callable[[Path], Reading], answers: IO[bytes], current_request: Any
) -> None:
    """Read one file after the other."""
    _limit_memory()
    for line in sys.stdin.buffer:
        number, file_name = json.loads(line)
        current_request[:] = _NUMBER.pack(number)
        path = Path(file_name)
        try:
            _limit_cpu_time(MIN_CPU_SECONDS + path.stat().st_size / BYTES_PER_CPU_SECOND)
            reading = read(path)
            _limit_cpu_time(0)
            send(answers, reading, number)
            answers.flush()
        except (UnreadableFileError, OSError) as error:
            _send_failure(answers, number, error=str(error))
        except MemoryError:
            reason = f"{path.name} is damaged: it asks for more memory than it can need"
            _send_failure(answers, number, error=reason)
        except Exception as error:  # the next file must not suffer from this one
            cause = f"{type(error).__name__}: {error}"
            reason = f"{path.name} is damaged in a way its reader does not expect ({cause})"
            _send_failure(answers, number, error=reason)
        finally:
            _limit_cpu_time(0)


def _send_failure(answers: IO[bytes], number: int, **failure: Any) -> None:
    answers.write(json.dumps({"number": number, **failure}).encode() + b"\n")
    answers.flush()


def _limit_memory() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + MEMORY_LIMIT
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _limit_cpu_time(seconds: float) -> None:
    """End the process after so many seconds of computing; 0 removes the limit.

    It is computing time: a busy machine does not shorten it.
    """
    with suppress(AttributeError):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def send(stream: IO[bytes], reading: Reading, number: int = 0) -> None:
    """Write a reading: one line of JSON, then the arrays it lists, in order."""
    arrays: list[np.ndarray[Any, Any]] = []
    measurements = []
    for measurement in reading.measurements:
        coordinates = [(str(name), measurement.data[name]) for name in measurement.data.coords]
        named_arrays = [("", measurement.data), *coordinates]
        arrays += [array.values for _, array in named_arrays]
        measurements.append(
            {
                "key": measurement.key, "kind": measurement.kind, "title": measurement.title,
                "facets": [
                    [facet.name, facet.value, facet.origin, facet.unit, facet.raw_text]
                    for facet in measurement.facets
                ],
                "arrays": [[name, list(array.dims), array.attrs] for name, array in named_arrays],
            }
        )  # fmt: skip
    document = {
        "number": number, "measurements": measurements, "header": list(reading.header),
        "warnings": list(reading.warnings),
    }  # fmt: skip
    stream.write(json.dumps(document).encode() + b"\n")
    for array in arrays:
        block = io.BytesIO()
        np.save(block, np.ascontiguousarray(array), allow_pickle=False)
        stream.write(block.tell().to_bytes(8, "little"))
        stream.write(block.getbuffer())


def receive(stream: IO[bytes], document: dict[str, Any]) -> Reading:
    """The reading of a line of JSON whose arrays follow in the stream.

    Raises:
        ValueError: the stream ends, or has something else.
    """
    measurements = []
    for entry in document["measurements"]:
        arrays = {name: (dims, _read_array(stream), attrs) for name, dims, attrs in entry["arrays"]}
        dims, values, attrs = arrays.pop("")
        data = xr.DataArray(values, arrays, dims, attrs=attrs)
        facets = [Facet(*facet) for facet in entry["facets"]]
        measurements.append(Measurement(entry["key"], entry["kind"], entry["title"], data, facets))
    header = [(key, value) for key, value in document["header"]]
    return Reading(measurements, header, document["warnings"])


def _read_array(stream: IO[bytes]) -> np.ndarray[Any, Any]:
    size = int.from_bytes(stream.read(8), "little")
    if size > MAX_ARRAY_BYTES:
        raise ValueError(f"an array of {size:,} bytes is announced")
    array: np.ndarray[Any, Any] = np.load(io.BytesIO(stream.read(size)), allow_pickle=False)
    return array
