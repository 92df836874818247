"""The socket loop: ROUTER for clients, REP for ZeroMQ's authentication, one thread for both."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time

import zmq
import zmq.utils.z85

from motif.ingest.sandbox.request_server.protocol import (
    BY_NUMBER,
    MAX_PARTS,
    MalformedError,
    Request,
    parse,
    reply_parts,
)
from motif.ingest.sandbox.request_server.request_service import Service

log = logging.getLogger(__name__)

_ZAP = "inproc://zeromq.zap.01"
_BURST = 64
_RESTART_SECONDS = 0.2


class Loop:
    """Owns the sockets and the thread that serves them.

    The authentication socket is bound before clients can connect and is served by the same thread,
    so it cannot be gone while requests are answered. The thread starts over after an unexpected
    error instead of leaving clients to their time-outs.
    """

    def __init__(self, service: Service, host: str, port: int, private_key: str) -> None:
        self._service = service
        self._context = zmq.Context()
        self._stop = threading.Event()
        self._late: list[tuple[float, int, list[bytes]]] = []
        self._order = itertools.count()
        self.dropped = 0
        try:
            self._zap = self._context.socket(zmq.REP)
            self._zap.bind(_ZAP)
            self._router = self._context.socket(zmq.ROUTER)
            self._router.setsockopt(zmq.LINGER, 200)
            self._router.setsockopt(zmq.MAXMSGSIZE, service.limits.frame_bytes)
            self._router.setsockopt(zmq.ZAP_DOMAIN, b"motif")
            self._router.setsockopt(zmq.CURVE_SERVER, 1)
            self._router.setsockopt(zmq.CURVE_SECRETKEY, private_key.encode())
            self._router.bind(f"tcp://{host}:{port or '*'}")
            endpoint = self._router.getsockopt_string(zmq.LAST_ENDPOINT)
            self.port = int(endpoint.rsplit(":", 1)[1])
            self._wake = self._context.socket(zmq.PULL)
            self._wake.bind("inproc://wake")
        except BaseException:
            self._context.destroy(linger=0)
            raise
        self._thread = threading.Thread(target=self._supervise, name="sandbox-loop", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the sockets; replies already given are still sent."""
        self._stop.set()
        if self._thread.is_alive():
            with self._context.socket(zmq.PUSH) as push:
                push.connect("inproc://wake")
                push.send(b"")
            self._thread.join()
        for socket in (self._router, self._zap, self._wake):
            socket.close()
        self._context.term()

    def _supervise(self) -> None:
        while not self._stop.is_set():
            try:
                self._run()
            except Exception:
                log.exception("The socket loop failed and starts over")
                time.sleep(_RESTART_SECONDS)

    def _run(self) -> None:
        poller = zmq.Poller()
        for socket in (self._router, self._zap, self._wake):
            poller.register(socket, zmq.POLLIN)
        while not self._stop.is_set():
            ready = dict(poller.poll(self._milliseconds_to_next()))
            if self._zap in ready:
                self._authenticate()
            if self._router in ready:
                self._serve_burst()
            self._send_late()

    def _authenticate(self) -> None:
        """Admit any client that completes the CURVE handshake; its key becomes its user id."""
        version, request_id, *_, credentials = self._zap.recv_multipart()
        user = zmq.utils.z85.encode(credentials) if len(credentials) == 32 else b""
        status, text = (b"200", b"") if user else (b"400", b"CURVE only")
        self._zap.send_multipart([version, request_id, status, text, user, b""])

    def _serve_burst(self) -> None:
        """Answer what has arrived, giving handshakes their turn after some requests."""
        for _ in range(_BURST):
            try:
                parts, proved = self._receive()
            except zmq.Again:
                return
            try:
                request = parse(parts)
            except MalformedError as error:
                self.dropped += 1
                log.debug("Dropped a malformed message: %s", error)
                continue
            self._reply(request, proved)

    def _receive(self) -> tuple[list[bytes], str]:
        """Take one multipart message, keeping only as many parts as a request may have."""
        frame = self._router.recv(zmq.NOBLOCK, copy=False)
        parts = [frame.bytes]
        while frame.more:
            frame = self._router.recv(copy=False)
            if len(parts) <= MAX_PARTS:
                parts.append(frame.bytes)
        try:
            return parts, str(frame.get("User-Id"))
        except zmq.ZMQError:
            return parts, ""

    def _reply(self, request: Request, proved: str) -> None:
        key = proved if proved and proved == request.key else ""
        number, body = self._service.answer(request, key)
        parts = reply_parts(request, number, body)
        kind = BY_NUMBER.get(request.number)
        fault = self._service.faults.next_reply(kind.name if kind else "")
        for _ in range(fault.copies):
            if fault.delay:
                due = time.monotonic() + fault.delay
                heapq.heappush(self._late, (due, next(self._order), parts))
            else:
                self._send(parts)

    def _send(self, parts: list[bytes]) -> None:
        try:
            self._router.send_multipart(parts, zmq.NOBLOCK)
        except zmq.Again:
            log.warning("A client does not read its replies; one was dropped")

    def _send_late(self) -> None:
        while self._late and self._late[0][0] <= time.monotonic():
            self._send(heapq.heappop(self._late)[2])

    def _milliseconds_to_next(self) -> int | None:
        if not self._late:
            return None
        return max(0, int((self._late[0][0] - time.monotonic()) * 1000) + 1)
