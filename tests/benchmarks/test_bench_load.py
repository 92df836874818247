"""Twenty people at once: sessions that speak Streamlit's protocol and fetch what a browser would.

They are not browsers, so nothing is drawn; what is measured is the server: from a question over the
websocket to the end of its answer, pictures and points over HTTP, and the process's memory. Each
person looks at the map, filters it, turns to the search and back, and rests between two clicks.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import big_lab
import httpx
import psutil
import pytest
import serving
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

PEOPLE = 20
POINTS = 25_000
SECONDS = float(os.environ.get("MOTIF_BENCH_SECONDS", "60"))
REST = (1.0, 3.0)
"""Seconds between two clicks of one person."""
PICTURES = 24
LIMITS = httpx.Limits(max_connections=6, keepalive_expiry=2.0)
"""As a browser has them; the server lets go of a connection after 5 s."""
ADDRESS = re.compile(rb"/(?:thumbs|motif)/[\w/.]+(?:\?[\w=&]+)?")


@dataclass
class Timings:
    """Seconds of every answer."""

    pages: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    refused: int = 0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Address and process of a server of 25,000 images."""
    root = tmp_path_factory.mktemp("load") / "lab"
    big_lab.build(root, POINTS)
    server = serving.served(root)
    with server as url:
        yield url, psutil.Process(server.process.pid)
    shutil.rmtree(root)


async def ask(socket: ClientConnection, page: str, query: str) -> tuple[float, set[bytes], bool]:
    """Open a page: seconds until it stands, addresses in it, whether it failed."""
    message = BackMsg()
    message.rerun_script.query_string = query
    message.rerun_script.page_name = page
    started = time.perf_counter()
    await socket.send(message.SerializeToString())
    addresses: set[bytes] = set()
    failed = False
    while True:
        raw = await socket.recv()
        assert isinstance(raw, bytes)
        answer = ForwardMsg.FromString(raw)
        addresses.update(ADDRESS.findall(raw))
        failed |= answer.delta.new_element.WhichOneof("type") == "exception"
        if answer.WhichOneof("type") == "script_finished":
            return time.perf_counter() - started, addresses, failed


async def person(number: int, url: str, timings: Timings, end: float) -> None:
    """One of them, until the time is over."""
    chance = random.Random(number)
    async with (
        connect(url.replace("http", "ws") + "/_stcore/stream", max_size=None,
                subprotocols=["streamlit"]) as socket,  # type: ignore[list-item]
        httpx.AsyncClient(base_url=url, timeout=60, limits=LIMITS) as browser,
    ):  # fmt: skip
        seen: set[bytes] = set()
        while time.perf_counter() < end:
            material = f"material+{chance.randrange(12)}"
            page, query = chance.choice(
                [("map", "collection=spm"), ("map", f"collection=spm&f.material={material}"),
                 ("map", "collection=spm&where=scan_size+%3E+5+um"), ("search", "collection=spm"),
                 ("search", f"collection=spm&f.material={material}"), ("", "")]
            )  # fmt: skip
            seconds, addresses, failed = await ask(socket, page, query)
            timings.pages.append(seconds)
            timings.refused += failed
            new = sorted(addresses - seen)[: PICTURES + 3]
            seen.update(new)
            await asyncio.gather(*(fetch(browser, one.decode(), timings) for one in new))
            await asyncio.sleep(chance.uniform(*REST))


async def fetch(browser: httpx.AsyncClient, address: str, timings: Timings) -> None:
    started = time.perf_counter()
    reply = await browser.get(address)
    timings.pictures.append(time.perf_counter() - started)
    timings.refused += reply.status_code >= 500


async def crowd(url: str, people: int, seconds: float) -> Timings:
    timings = Timings()
    end = time.perf_counter() + seconds
    await asyncio.gather(*(person(number, url, timings, end) for number in range(people)))
    return timings


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def test_twenty_people_at_once(served: Any, report: Any) -> None:
    url, process = served
    asyncio.run(crowd(url, 1, 5))  # modules and tables are loaded once for all
    before, cpu = process.memory_info().rss, sum(process.cpu_times()[:2])
    alone = asyncio.run(crowd(url, 1, SECONDS / 4))
    timings = asyncio.run(crowd(url, PEOPLE, SECONDS))
    after, used = process.memory_info().rss, sum(process.cpu_times()[:2]) - cpu
    report(
        f"{PEOPLE} people, {POINTS:,} points, load {os.getloadavg()[0]:.1f}",
        pages=len(timings.pages), page_median=f"{statistics.median(timings.pages):.2f} s",
        page_p95=f"{_p95(timings.pages):.2f} s", alone=f"{statistics.median(alone.pages):.2f} s",
        files=len(timings.pictures),
        file_median=f"{1000 * statistics.median(timings.pictures):.0f} ms",
        file_p95=f"{1000 * _p95(timings.pictures):.0f} ms",
        memory_before=f"{before / 2**20:.0f} MiB", memory_after=f"{after / 2**20:.0f} MiB",
        cpu_per_page=f"{1000 * used / (len(timings.pages) + len(alone.pages)):.0f} ms",
    )  # fmt: skip
    assert timings.refused == 0
    assert len(timings.pages) > PEOPLE
    assert (after - before) / PEOPLE < 64 * 2**20
