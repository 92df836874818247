"""Faults for a server that is another process: each order is a small file in its folder.

An order is put into ``faults/`` in one step; the server carries it out and deletes it, which tells
the sender that it has effect.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
from pathlib import Path

from motif.core.errors import ConfigError
from motif.ingest.sandbox.request_server.faults import Faults

log = logging.getLogger(__name__)

FOLDER = "faults"
_LOOK_SECONDS = 0.05
_LARGEST = 10_000
"""Bytes of an order."""


def turn(folder: Path, knob: str, value: str = "", request: str | None = None) -> None:
    """Turn a knob of the server that serves `folder`; it has effect when this returns.

    Raises:
        ConfigError: no server runs there, or the knob or value does not exist.
    """
    Faults().turn(knob, value, request)
    orders = folder.resolve() / FOLDER
    if not (folder / "sandbox.json").exists():
        raise ConfigError(f"No sandbox serves {folder}; start one with motif sandbox serve.")
    order = orders / f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}.json"
    part = order.with_suffix(".part")
    document = {"knob": knob, "value": value, "request": request}
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file)
    part.replace(order)
    end = time.monotonic() + 5.0
    while order.exists():
        if time.monotonic() > end:
            order.unlink(missing_ok=True)
            raise ConfigError(f"The sandbox of {folder} does not listen; is it still running?")
        time.sleep(_LOOK_SECONDS / 5)


class Control:
    """The thread of a server that looks for orders."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        self._orders = folder / FOLDER
        self._faults = faults
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-control", daemon=True)

    def start(self) -> None:
        """Forget orders to an earlier process, and begin."""
        self._orders.mkdir(mode=0o700, exist_ok=True)
        for path in self._orders.iterdir():
            path.unlink(missing_ok=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                for path in sorted(self._orders.glob("*.json")):
                    self._obey(path)
            except OSError:
                log.exception("Faults cannot be read")

    def _obey(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                order = json.loads(file.read(_LARGEST))
            self._faults.turn(order["knob"], order["value"], order["request"])
        except FileNotFoundError:
            return
        except (ConfigError, ValueError, TypeError, KeyError) as error:
            log.warning("%s is not an order that can be carried out (%s)", path.name, error)
        path.unlink(missing_ok=True)
