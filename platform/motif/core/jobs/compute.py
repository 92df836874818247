"""Dask: a local cluster of processes, or the scheduler that ``motif.toml`` names."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from motif.core.config.settings import Config
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from distributed import Client

GPU = {"GPU": 1}
"""Resource that a task requests when it needs a GPU."""

PATIENCE = 20.0
"""Seconds to wait for an external scheduler and for its first worker."""

WORKER_ENVIRONMENT = {
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
}
"""Lets glibc reuse the memory that a worker's task frees.

Dask starts workers with a trim threshold of 64 kB: every step of a training would return its
arrays to the system and fault them in again, which doubles its time. 32 MB is the highest
threshold for mapped blocks that every glibc accepts.
"""


@contextmanager
def client_for(config: Config, workers: int | None = None) -> Iterator[Client]:
    """A Dask client; a local cluster is started and closed with it."""
    import dask
    from distributed import Client, LocalCluster

    compute = config.compute
    if compute.scheduler != "local":
        with _client_of(compute.scheduler) as client:
            yield client
        return
    environment = {
        **dask.config.get("distributed.nanny.pre-spawn-environ"),
        **WORKER_ENVIRONMENT,
    }
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": environment}),
        _without_slow_exit_warnings(),
        LocalCluster(
            n_workers=workers or compute.workers,
            threads_per_worker=compute.threads_per_worker,
            processes=True,
            dashboard_address="127.0.0.1:0",  # None would open port 8787 to the network
            memory_limit=0,
            resources=_resources(),
        ) as cluster,  # type: ignore[no-untyped-call]
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        yield client


@contextmanager
def _client_of(address: str) -> Iterator[Client]:
    """A client of an external scheduler with workers; `ConfigError` otherwise."""
    from distributed import Client

    try:
        client = Client(address, timeout=PATIENCE)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ConfigError(
            f'No Dask scheduler answers at compute.scheduler "{address}"; start it with '
            "dask scheduler, or set it to local."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise ConfigError(
                f"The Dask scheduler at {address} has no worker; start one with "
                f"dask worker {address} --nthreads 1."
            ) from error
        yield client


@contextmanager
def _without_slow_exit_warnings() -> Iterator[None]:
    """Suppress warnings about workers that are killed because they exit slowly.

    Their results have been fetched by then; on a busy machine the interpreter alone takes longer
    to exit than the time limit.
    """

    def keep(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Worker process still alive")

    logger = logging.getLogger("distributed.nanny")
    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


def task_resources(client: Client) -> dict[str, Any]:
    """Resources a training task should request of this cluster: a GPU where workers offer one."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return dict(GPU) if any(worker["resources"].get("GPU") for worker in workers) else {}


def _resources() -> dict[str, int]:
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        return {}
    import torch

    return dict(GPU) if torch.cuda.is_available() else {}
